/* Turns a schema into a tree of struct schema_node. */
#include "agent/base/schema_node.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The state of the compiler at one keyword. */
struct compiler {
	struct schema_node *node;
	const struct schema_place *place; /* of the keyword */
	struct err *err;
};

typedef int keyword_fn(struct compiler *c, const cJSON *value);

static int node_make(struct schema_node **out, const cJSON *json,
		     const struct schema_place *place, struct err *err);

static void list_free(struct schema_list *list);

static void node_free(struct schema_node *node)
{
	if (!node)
		return;
	list_free(&node->properties);
	list_free(&node->tuple);
	list_free(&node->one_of);
	list_free(&node->any_of);
	node_free(node->additional);
	node_free(node->items);
	pcre2_code_free(node->code);
	free(node);
}

static void list_free(struct schema_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		node_free(list->nodes[i]);
	free(list->nodes);
}

/* Fails with a sentence: "/properties/points/minimum must be a number". */
static int complain(const struct compiler *c, const char *what)
{
	char where[256];

	schema_place_text(c->place, "", where, sizeof(where));
	return err_set(c->err, -EINVAL, "%s %s", *where ? where : "the whole", what);
}

/* Adds each child of json, a schema, to list, which keeps what was made on failure. */
static int make_list(struct compiler *c, struct schema_list *list, const cJSON *json)
{
	size_t size = (size_t)cJSON_GetArraySize(json);
	const cJSON *child;

	/* One more, because calloc(0) may return NULL. */
	list->nodes = calloc(size + 1, sizeof(struct schema_node *));
	if (!list->nodes)
		return err_set(c->err, -ENOMEM, "out of memory");
	cJSON_ArrayForEach(child, json) {
		struct schema_place place = {c->place, child->string, list->count};
		int ret = node_make(&list->nodes[list->count], child, &place, c->err);

		if (ret < 0)
			return ret;
		list->count++;
	}
	return 0;
}

static int type_bit(struct compiler *c, const cJSON *value)
{
	static const struct {
		const char *name;
		unsigned bit;
	} types[] = {
		{"null", SCHEMA_NULL},	     {"boolean", SCHEMA_BOOLEAN},
		{"object", SCHEMA_OBJECT},   {"array", SCHEMA_ARRAY},
		{"number", SCHEMA_NUMBER},   {"string", SCHEMA_STRING},
		{"integer", SCHEMA_INTEGER},
	};
	const char *name = cJSON_GetStringValue(value);

	for (size_t i = 0; name && i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(types[i].name, name)) {
			c->node->types |= types[i].bit;
			return 0;
		}
	}
	return complain(
		c, "must be null, boolean, object, array, number, string or integer");
}

static int compile_type(struct compiler *c, const cJSON *value)
{
	const cJSON *name;
	int ret = 0;

	if (!cJSON_IsArray(value))
		return type_bit(c, value);
	if (!value->child)
		return complain(c, "must name a type");
	cJSON_ArrayForEach(name, value) {
		ret = type_bit(c, name);
		if (ret < 0)
			break;
	}
	return ret;
}

static int compile_properties(struct compiler *c, const cJSON *value)
{
	if (!cJSON_IsObject(value))
		return complain(c, "must be an object");
	c->node->names = value;
	return make_list(c, &c->node->properties, value);
}

static int compile_required(struct compiler *c, const cJSON *value)
{
	const cJSON *name;

	if (!cJSON_IsArray(value))
		return complain(c, "must be an array of names");
	cJSON_ArrayForEach(name, value) {
		if (!cJSON_IsString(name))
			return complain(c, "must be an array of names");
	}
	c->node->required = value;
	return 0;
}

static int compile_additional(struct compiler *c, const cJSON *value)
{
	return node_make(&c->node->additional, value, c->place, c->err);
}

static int compile_enum(struct compiler *c, const cJSON *value)
{
	if (!cJSON_IsArray(value) || !value->child)
		return complain(c, "must be an array of values");
	c->node->choices = value;
	return 0;
}

static int compile_const(struct compiler *c, const cJSON *value)
{
	c->node->constant = value;
	return 0;
}

static int compile_default(struct compiler *c, const cJSON *value)
{
	c->node->otherwise = value;
	return 0;
}

/* Sets a bound.  Of two on one side the narrower holds, the exclusive one if equal. */
static int narrow(struct compiler *c, struct schema_bound *bound, const cJSON *value,
		  bool exclusive, int direction)
{
	double gain;

	if (!cJSON_IsNumber(value))
		return complain(c, "must be a number");
	gain = (value->valuedouble - bound->value) * direction;
	if (!bound->set || gain > 0 || (gain >= 0 && exclusive))
		*bound = (struct schema_bound){true, exclusive, value->valuedouble};
	return 0;
}

static int compile_minimum(struct compiler *c, const cJSON *value)
{
	return narrow(c, &c->node->value.low, value, false, 1);
}

static int compile_maximum(struct compiler *c, const cJSON *value)
{
	return narrow(c, &c->node->value.high, value, false, -1);
}

static int compile_exclusive_minimum(struct compiler *c, const cJSON *value)
{
	return narrow(c, &c->node->value.low, value, true, 1);
}

static int compile_exclusive_maximum(struct compiler *c, const cJSON *value)
{
	return narrow(c, &c->node->value.high, value, true, -1);
}

static int count_bound(struct compiler *c, struct schema_bound *bound, const cJSON *value)
{
	if (!cJSON_IsNumber(value) || value->valuedouble < 0 ||
	    trunc(value->valuedouble) < value->valuedouble)
		return complain(c, "must be a whole number from 0 on");
	*bound = (struct schema_bound){.set = true, .value = value->valuedouble};
	return 0;
}

static int compile_min_length(struct compiler *c, const cJSON *value)
{
	return count_bound(c, &c->node->length.low, value);
}

static int compile_max_length(struct compiler *c, const cJSON *value)
{
	return count_bound(c, &c->node->length.high, value);
}

static int compile_min_items(struct compiler *c, const cJSON *value)
{
	return count_bound(c, &c->node->count.low, value);
}

static int compile_max_items(struct compiler *c, const cJSON *value)
{
	return count_bound(c, &c->node->count.high, value);
}

/* Follows ECMA 262 where pcre2 differs: $ is only the end, \uXXXX is a character. */
static int compile_pattern(struct compiler *c, const cJSON *value)
{
	const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX |
				 PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
	const char *pattern = cJSON_GetStringValue(value);
	PCRE2_UCHAR text[128];
	char what[160];
	PCRE2_SIZE at;
	int number;

	if (!pattern)
		return complain(c, "must be a string");
	c->node->pattern = pattern;
	c->node->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options,
				      &number, &at, NULL);
	if (c->node->code)
		return 0;
	pcre2_get_error_message(number, text, sizeof(text));
	snprintf(what, sizeof(what), "is no regular expression: %s", (const char *)text);
	return complain(c, what);
}

static int compile_items(struct compiler *c, const cJSON *value)
{
	if (cJSON_IsArray(value))
		return make_list(c, &c->node->tuple, value);
	return node_make(&c->node->items, value, c->place, c->err);
}

static int make_branches(struct compiler *c, struct schema_list *list, const cJSON *value)
{
	if (!cJSON_IsArray(value) || !value->child)
		return complain(c, "must be an array of schemas");
	return make_list(c, list, value);
}

static int compile_one_of(struct compiler *c, const cJSON *value)
{
	return make_branches(c, &c->node->one_of, value);
}

static int compile_any_of(struct compiler *c, const cJSON *value)
{
	return make_branches(c, &c->node->any_of, value);
}

static int compile_write_only(struct compiler *c, const cJSON *value)
{
	if (!cJSON_IsBool(value))
		return complain(c, "must be true or false");
	c->node->secret = cJSON_IsTrue(value);
	return 0;
}

/* title and description, which have no effect. */
static int compile_text(struct compiler *c, const cJSON *value)
{
	return cJSON_IsString(value) ? 0 : complain(c, "must be a string");
}

static const struct {
	const char *name;
	keyword_fn *compile;
} keywords[] = {
	{"type", compile_type},
	{"properties", compile_properties},
	{"required", compile_required},
	{"additionalProperties", compile_additional},
	{"enum", compile_enum},
	{"const", compile_const},
	{"minimum", compile_minimum},
	{"maximum", compile_maximum},
	{"exclusiveMinimum", compile_exclusive_minimum},
	{"exclusiveMaximum", compile_exclusive_maximum},
	{"minLength", compile_min_length},
	{"maxLength", compile_max_length},
	{"pattern", compile_pattern},
	{"items", compile_items},
	{"minItems", compile_min_items},
	{"maxItems", compile_max_items},
	{"default", compile_default},
	{"oneOf", compile_one_of},
	{"anyOf", compile_any_of},
	{"writeOnly", compile_write_only},
	{"title", compile_text},
	{"description", compile_text},
};

static int compile_keyword(struct compiler *c, const cJSON *value)
{
	char where[256];

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (!strcmp(keywords[i].name, value->string))
			return keywords[i].compile(c, value);

	schema_place_text(c->place->up, "", where, sizeof(where));
	return err_set(c->err, -ENOTSUP, "the keyword '%.64s' at %s is not supported",
		       value->string, *where ? where : "the top");
}

static int node_fill(struct schema_node *node, const cJSON *json,
		     const struct schema_place *place, struct err *err)
{
	const cJSON *value;
	int ret = 0;

	cJSON_ArrayForEach(value, json) {
		struct schema_place here = {place, value->string, 0};
		struct compiler c = {node, &here, err};

		ret = compile_keyword(&c, value);
		if (ret < 0)
			break;
	}
	return ret;
}

static int node_make(struct schema_node **out, const cJSON *json,
		     const struct schema_place *place, struct err *err)
{
	struct compiler here = {NULL, place, err};
	struct schema_node *node;
	int ret;

	if (!cJSON_IsBool(json) && !cJSON_IsObject(json))
		return complain(&here, "must be a schema: an object, true or false");
	node = calloc(1, sizeof(*node));
	if (!node)
		return err_set(err, -ENOMEM, "out of memory");

	node->never = cJSON_IsFalse(json);
	ret = node_fill(node, json, place, err);
	if (ret < 0) {
		node_free(node);
		return ret;
	}
	*out = node;
	return 0;
}

static int hash_json(const cJSON *json, char hash[SHA256_HEX], struct err *err)
{
	char *text = json_canonical(json);

	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	json_sha256(text, strlen(text), hash);
	free(text);
	return 0;
}

int schema_compile(struct schema **out, const char *text, struct err *err)
{
	struct schema *schema = calloc(1, sizeof(*schema));
	int ret;

	if (!schema)
		return err_set(err, -ENOMEM, "out of memory");
	schema->json = json_parse(text, strlen(text), err);
	if (!schema->json) {
		ret = -EINVAL;
		goto fail;
	}
	ret = node_make(&schema->root, schema->json, NULL, err);
	if (ret < 0)
		goto fail;
	ret = hash_json(schema->json, schema->hash, err);
	if (ret < 0)
		goto fail;

	*out = schema;
	return 0;
fail:
	schema_free(schema);
	return ret;
}

void schema_free(struct schema *schema)
{
	if (!schema)
		return;
	node_free(schema->root);
	cJSON_Delete(schema->json);
	free(schema);
}

size_t schema_required_count(const struct schema *schema)
{
	return (size_t)cJSON_GetArraySize(schema->root->required);
}

const char *schema_required(const struct schema *schema, size_t i)
{
	return cJSON_GetStringValue(cJSON_GetArrayItem(schema->root->required, (int)i));
}

const cJSON *schema_json(const struct schema *schema)
{
	return schema->json;
}

const char *schema_hash(const struct schema *schema)
{
	return schema->hash;
}
