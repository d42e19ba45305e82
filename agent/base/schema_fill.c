/* Adds defaults to a value and masks its secrets. */
#include "agent/base/schema_node.h"

#include <string.h>

/* Does something with value, which node describes. */
typedef void visit_fn(const struct schema_node *node, cJSON *value);

static void visit_members(const struct schema_node *node, cJSON *object, visit_fn *visit)
{
	cJSON *member;

	cJSON_ArrayForEach(member, object) {
		const struct schema_node *below =
			schema_node_property(node, member->string);

		if (!below)
			below = node->additional;
		if (below)
			visit(below, member);
	}
}

static void visit_elements(const struct schema_node *node, cJSON *array, visit_fn *visit)
{
	size_t index = 0;
	cJSON *element;

	cJSON_ArrayForEach(element, array) {
		if (index < node->tuple.count)
			visit(node->tuple.nodes[index], element);
		if (node->items)
			visit(node->items, element);
		index++;
	}
}

static void visit_below(const struct schema_node *node, cJSON *value, visit_fn *visit)
{
	if (cJSON_IsObject(value))
		visit_members(node, value, visit);
	if (cJSON_IsArray(value))
		visit_elements(node, value, visit);
}

static void fill_missing(const struct schema_node *node, cJSON *object)
{
	size_t i = 0;
	const cJSON *name;

	cJSON_ArrayForEach(name, node->names) {
		const struct schema_node *property = node->properties.nodes[i++];
		cJSON *copy;

		if (!property->otherwise ||
		    cJSON_GetObjectItemCaseSensitive(object, name->string))
			continue;
		copy = cJSON_Duplicate(property->otherwise, true);
		if (!cJSON_AddItemToObject(object, name->string, copy))
			cJSON_Delete(copy);
	}
}

static void fill_node(const struct schema_node *node, cJSON *value);

/* Fills from the first branch that the value fits. */
static void fill_branch(const struct schema_list *list, cJSON *value)
{
	for (size_t i = 0; i < list->count; i++) {
		if (schema_node_fits(list->nodes[i], value)) {
			fill_node(list->nodes[i], value);
			return;
		}
	}
}

static void fill_node(const struct schema_node *node, cJSON *value)
{
	fill_branch(&node->one_of, value);
	fill_branch(&node->any_of, value);
	if (cJSON_IsObject(value))
		fill_missing(node, value);
	visit_below(node, value, fill_node);
}

void schema_fill(const struct schema *schema, cJSON *value)
{
	fill_node(schema->root, value);
}

/* Changes the value in place, so its parent does not matter.  Without memory for the
 * stars it becomes null: a secret never stays. */
static void hide(cJSON *value)
{
	static const char stars[] = "***";
	bool owned = !(value->type & cJSON_IsReference);
	char *text = cJSON_malloc(sizeof(stars));

	if (owned) {
		cJSON_Delete(value->child);
		cJSON_free(value->valuestring);
	}
	value->child = NULL;
	value->valuestring = text;
	value->type =
		(value->type & cJSON_StringIsConst) | (text ? cJSON_String : cJSON_NULL);
	if (text)
		memcpy(text, stars, sizeof(stars));
}

/* Masks by all branches, also those that the value does not fit: masking too much is
 * better than too little. */
static void mask_node(const struct schema_node *node, cJSON *value)
{
	if (node->secret) {
		hide(value);
		return;
	}
	for (size_t i = 0; i < node->one_of.count; i++)
		mask_node(node->one_of.nodes[i], value);
	for (size_t i = 0; i < node->any_of.count; i++)
		mask_node(node->any_of.nodes[i], value);
	visit_below(node, value, mask_node);
}

void schema_mask(const struct schema *schema, cJSON *value)
{
	mask_node(schema->root, value);
}
