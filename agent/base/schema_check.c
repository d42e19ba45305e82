/* Finds where a value does not fit its schema. */
#include "agent/base/schema_node.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/suggest.h"
#include "agent/base/utf8.h"

#define SHOWN 64 /* bytes of a value in a message */

/* One schema_check() in progress. */
struct check {
	const char *at;
	struct schema_problem *problems;
	size_t max, count;
	bool secret; /* below something writeOnly: the value must not be repeated */
};

typedef struct schema_place place;

static void check_node(struct check *c, const struct schema_node *node,
		       const cJSON *value, const place *here);

__attribute__((format(printf, 3, 4))) static void
add_problem(struct check *c, const place *here, const char *fmt, ...)
{
	struct schema_problem *problem;
	va_list args;

	if (c->count++ >= c->max)
		return;
	problem = &c->problems[c->count - 1];
	schema_place_text(here, c->at, problem->path, sizeof(problem->path));
	va_start(args, fmt);
	vsnprintf(problem->message, sizeof(problem->message), fmt, args);
	va_end(args);
}

/* "an object", "a number"; null, true and false are named as they are written. */
static const char *kind_text(const cJSON *value)
{
	if (cJSON_IsObject(value))
		return "an object";
	if (cJSON_IsArray(value))
		return "an array";
	if (cJSON_IsString(value))
		return "a string";
	if (cJSON_IsNumber(value))
		return "a number";
	if (cJSON_IsBool(value))
		return cJSON_IsTrue(value) ? "true" : "false";
	return "null";
}

/* Writes the value for a message: strings with or without quotes, long ones cut. */
static void value_text(const cJSON *value, const char *quote, char text[SHOWN])
{
	const char *string = cJSON_GetStringValue(value);
	const char *more = string && strlen(string) > SHOWN / 2 ? "…" : "";
	char start[SHOWN / 2 + 1];

	if (cJSON_IsNumber(value)) {
		json_number_text(value->valuedouble, text);
		return;
	}
	if (!string) {
		snprintf(text, SHOWN, "%s", kind_text(value));
		return;
	}
	snprintf(start, sizeof(start), "%s", string);
	utf8_trim(start);
	snprintf(text, SHOWN, "%s%s%s%s", quote, start, more, quote);
}

/* Adds "must be 1 to 999, not 0" (must is the first part). */
static void add_misfit(struct check *c, const place *here, const char *must,
		       const cJSON *value)
{
	char is[SHOWN];

	value_text(value, "\"", is);
	if (c->secret)
		add_problem(c, here, "%s", must);
	else
		add_problem(c, here, "%s, not %s", must, is);
}

static bool is_whole(const cJSON *value)
{
	return cJSON_IsNumber(value) && trunc(value->valuedouble) == value->valuedouble;
}

static bool type_fits(unsigned types, const cJSON *value)
{
	if (!types)
		return true;
	if (cJSON_IsNull(value))
		return types & SCHEMA_NULL;
	if (cJSON_IsBool(value))
		return types & SCHEMA_BOOLEAN;
	if (cJSON_IsObject(value))
		return types & SCHEMA_OBJECT;
	if (cJSON_IsArray(value))
		return types & SCHEMA_ARRAY;
	if (cJSON_IsString(value))
		return types & SCHEMA_STRING;
	return (types & SCHEMA_NUMBER) || ((types & SCHEMA_INTEGER) && is_whole(value));
}

/* "a number, a string or null" */
static void types_text(unsigned types, char *text, size_t size)
{
	static const char *const names[] = {"null",	     "true or false", "an object",
					    "an array",	     "a number",      "a string",
					    "a whole number"};
	size_t used = 0;

	for (int i = (int)(sizeof(names) / sizeof(names[0])) - 1; i >= 0; i--) {
		unsigned bit = 1U << i;
		const char *comma = used == 0 ? "" : types & (bit - 1) ? ", " : " or ";

		if (types & bit)
			used += (size_t)snprintf(text + used, size - used, "%s%s", comma,
						 names[i]);
	}
}

static void add_type_misfit(struct check *c, unsigned types, const cJSON *value,
			    const place *here)
{
	char wanted[128];
	char is[SHOWN];

	types_text(types, wanted, sizeof(wanted));
	snprintf(is, sizeof(is), "%s", kind_text(value));
	if ((types & SCHEMA_INTEGER) && cJSON_IsNumber(value) && !c->secret)
		value_text(value, "", is); /* 1.5 is a number, but the wrong one */
	add_problem(c, here, "must be %s, not %s", wanted, is);
}

static bool is_same(const cJSON *a, const cJSON *b);

static bool same_children(const cJSON *a, const cJSON *b)
{
	const cJSON *other = b->child;
	const cJSON *child;

	if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b))
		return false;
	cJSON_ArrayForEach(child, a) {
		if (cJSON_IsObject(b))
			other = cJSON_GetObjectItemCaseSensitive(b, child->string);
		if (!other || !is_same(child, other))
			return false;
		other = other->next;
	}
	return true;
}

/* Compares by value: 1.0 equals 1, and the order of keys does not matter, that of
 * elements does.  cJSON_Compare() takes nearly equal numbers for equal. */
static bool is_same(const cJSON *a, const cJSON *b)
{
	if (cJSON_IsNumber(a) && cJSON_IsNumber(b))
		return a->valuedouble <= b->valuedouble &&
		       a->valuedouble >= b->valuedouble;
	if (cJSON_IsString(a) && cJSON_IsString(b))
		return !strcmp(a->valuestring, b->valuestring);
	if ((cJSON_IsObject(a) && cJSON_IsObject(b)) ||
	    (cJSON_IsArray(a) && cJSON_IsArray(b)))
		return same_children(a, b);
	return (a->type & 0xff) == (b->type & 0xff); /* null, true, false */
}

static void check_enum(struct check *c, const cJSON *choices, const cJSON *value,
		       const place *here)
{
	char must[256 - SHOWN];
	size_t used = (size_t)snprintf(must, sizeof(must), "must be one of");
	const cJSON *choice;

	cJSON_ArrayForEach(choice, choices) {
		const char *comma = choice == choices->child ? "" : ",";
		char text[SHOWN];

		if (is_same(choice, value))
			return;
		value_text(choice, "", text);
		if (used + strlen(text) + sizeof(", , …") > sizeof(must)) {
			snprintf(must + used, sizeof(must) - used, ", …");
			break;
		}
		used += (size_t)snprintf(must + used, sizeof(must) - used, "%s %s", comma,
					 text);
	}
	/* The sentence has no room for these. */
	for (; choice; choice = choice->next)
		if (is_same(choice, value))
			return;
	add_misfit(c, here, must, value);
}

static void check_const(struct check *c, const cJSON *constant, const cJSON *value,
			const place *here)
{
	char text[SHOWN];
	char must[2 * SHOWN];

	if (is_same(constant, value))
		return;
	value_text(constant, "", text);
	snprintf(must, sizeof(must), "must be %s", text);
	add_misfit(c, here, must, value);
}

static bool is_outside(const struct schema_range *range, double value)
{
	const struct schema_bound *low = &range->low, *high = &range->high;

	if (low->set && (low->exclusive ? value <= low->value : value < low->value))
		return true;
	return high->set &&
	       (high->exclusive ? value >= high->value : value > high->value);
}

/* "1 to 999", "at least 1", "more than 0 and less than 360" */
static void range_text(const struct schema_range *range, char *text, size_t size)
{
	const struct schema_bound *low = &range->low, *high = &range->high;
	char from[JSON_NUMBER_TEXT], to[JSON_NUMBER_TEXT];
	size_t used = 0;

	json_number_text(low->value, from);
	json_number_text(high->value, to);
	if (low->set && high->set && !low->exclusive && !high->exclusive) {
		bool one = !strcmp(from, to);

		snprintf(text, size, "%s%s%s", from, one ? "" : " to ", one ? "" : to);
		return;
	}
	if (low->set)
		used = (size_t)snprintf(text, size, "%s %s",
					low->exclusive ? "more than" : "at least", from);
	if (high->set)
		snprintf(text + used, size - used, "%s%s %s", low->set ? " and " : "",
			 high->exclusive ? "less than" : "at most", to);
}

static void check_number(struct check *c, const struct schema_node *node,
			 const cJSON *value, const place *here)
{
	char range[96];
	char must[128];

	if (!is_outside(&node->value, value->valuedouble))
		return;
	range_text(&node->value, range, sizeof(range));
	snprintf(must, sizeof(must), "must be %s", range);
	add_misfit(c, here, must, value);
}

/* Checks the length of a string or an array; unit is the singular of what is counted. */
static void check_count(struct check *c, const struct schema_range *range, size_t count,
			const char *unit, const place *here)
{
	double last = range->high.set ? range->high.value : range->low.value;
	const char *plural = last <= 1 && last >= 1 ? "" : "s";
	char text[96];

	if (!is_outside(range, (double)count))
		return;
	range_text(range, text, sizeof(text));
	if (c->secret)
		add_problem(c, here, "must have %s %s%s", text, unit, plural);
	else
		add_problem(c, here, "must have %s %s%s, not %zu", text, unit, plural,
			    count);
}

/* Counts code points, as JSON Schema does. */
static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			count++;
	return count;
}

static void check_pattern(struct check *c, const struct schema_node *node,
			  const cJSON *value, const place *here)
{
	int ret = schema_match(node->code, value->valuestring);
	char must[160];

	if (ret >= 0)
		return;
	snprintf(must, sizeof(must), "must match %.128s", node->pattern);
	utf8_trim(must);
	if (ret == PCRE2_ERROR_NOMATCH)
		add_misfit(c, here, must, value);
	else
		add_problem(c, here, "%s, and is too hard to compare with it", must);
}

static void check_string(struct check *c, const struct schema_node *node,
			 const cJSON *value, const place *here)
{
	size_t before = c->count;

	check_count(c, &node->length, characters(value->valuestring), "character", here);
	/* A text of the wrong length is not searched. */
	if (node->code && c->count == before)
		check_pattern(c, node, value, here);
}

static void check_array(struct check *c, const struct schema_node *node,
			const cJSON *value, const place *here)
{
	size_t index = 0;
	const cJSON *element;

	cJSON_ArrayForEach(element, value) {
		place there = {here, NULL, index};

		if (index < node->tuple.count)
			check_node(c, node->tuple.nodes[index], element, &there);
		if (node->items)
			check_node(c, node->items, element, &there);
		index++;
	}
	check_count(c, &node->count, index, "item", here);
}

static void add_unknown(struct check *c, const struct schema_node *node,
			const place *here)
{
	struct suggest suggest;
	const cJSON *name;

	if (c->count >= c->max) { /* there is no room for its message */
		c->count++;
		return;
	}
	suggest_init(&suggest, here->key);
	cJSON_ArrayForEach(name, node->names)
		suggest_offer(&suggest, name->string);
	if (suggest.name)
		add_problem(c, here, "is not known (did you mean '%s'?)", suggest.name);
	else
		add_problem(c, here, "is not known");
}

const struct schema_node *schema_node_property(const struct schema_node *node,
					       const char *key)
{
	size_t i = 0;
	const cJSON *name;

	cJSON_ArrayForEach(name, node->names) {
		if (!strcmp(name->string, key))
			return node->properties.nodes[i];
		i++;
	}
	return NULL;
}

static void check_member(struct check *c, const struct schema_node *node,
			 const cJSON *member, const place *up)
{
	const struct schema_node *declared = schema_node_property(node, member->string);
	place here = {up, member->string, 0};

	if (declared)
		check_node(c, declared, member, &here);
	else if (node->additional && node->additional->never)
		add_unknown(c, node, &here);
	else if (node->additional)
		check_node(c, node->additional, member, &here);
}

static void check_object(struct check *c, const struct schema_node *node,
			 const cJSON *value, const place *here)
{
	const cJSON *name, *member;

	cJSON_ArrayForEach(name, node->required) {
		place there = {here, name->valuestring, 0};

		if (!cJSON_GetObjectItemCaseSensitive(value, name->valuestring))
			add_problem(c, &there, "is required");
	}
	cJSON_ArrayForEach(member, value)
		check_member(c, node, member, here);
}

static size_t count_problems(const struct schema_node *node, const cJSON *value)
{
	struct check c = {.at = ""};

	check_node(&c, node, value, NULL);
	return c.count;
}

bool schema_node_fits(const struct schema_node *node, const cJSON *value)
{
	return count_problems(node, value) == 0;
}

/* The branch that the value was probably meant for: the one for its type with the fewest
 * problems.  NULL when no branch is for its type; *types are then the types there are. */
static const struct schema_node *likely_branch(const struct schema_list *list,
					       const cJSON *value, unsigned *types)
{
	const struct schema_node *likely = NULL;
	size_t fewest = SIZE_MAX;

	for (size_t i = 0; i < list->count; i++) {
		const struct schema_node *branch = list->nodes[i];
		size_t count;

		*types |= branch->types;
		if (!type_fits(branch->types, value))
			continue;
		count = count_problems(branch, value);
		if (count < fewest) {
			fewest = count;
			likely = branch;
		}
	}
	return likely;
}

static void check_branches(struct check *c, const struct schema_list *list, bool one,
			   const cJSON *value, const place *here)
{
	const struct schema_node *likely;
	unsigned types = 0;
	size_t fitting = 0;

	for (size_t i = 0; i < list->count; i++)
		fitting += schema_node_fits(list->nodes[i], value);
	if (fitting == 1 || (fitting > 1 && !one))
		return;
	if (fitting > 1) {
		add_problem(c, here,
			    "fits more than one of its forms, and may fit only one");
		return;
	}
	likely = likely_branch(list, value, &types);
	if (likely)
		check_node(c, likely, value, here);
	else
		add_type_misfit(c, types, value, here);
}

static void check_rules(struct check *c, const struct schema_node *node,
			const cJSON *value, const place *here)
{
	if (node->choices)
		check_enum(c, node->choices, value, here);
	if (node->constant)
		check_const(c, node->constant, value, here);
	if (cJSON_IsNumber(value))
		check_number(c, node, value, here);
	if (cJSON_IsString(value))
		check_string(c, node, value, here);
	if (cJSON_IsArray(value))
		check_array(c, node, value, here);
	if (cJSON_IsObject(value))
		check_object(c, node, value, here);
	if (node->one_of.count)
		check_branches(c, &node->one_of, true, value, here);
	if (node->any_of.count)
		check_branches(c, &node->any_of, false, value, here);
}

static void check_node(struct check *c, const struct schema_node *node,
		       const cJSON *value, const place *here)
{
	bool was_secret = c->secret;

	c->secret |= node->secret;
	if (node->never)
		add_problem(c, here, "is not allowed");
	else if (!type_fits(node->types, value))
		add_type_misfit(c, node->types, value, here);
	else
		check_rules(c, node, value, here);
	c->secret = was_secret;
}

size_t schema_check(const struct schema *schema, const cJSON *value, const char *at,
		    struct schema_problem *problems, size_t max)
{
	struct check c = {.at = at, .problems = problems, .max = max};

	check_node(&c, schema->root, value, NULL);
	return c.count;
}
