/* Compiled schemas, internal to the files that implement schema.h. */
#ifndef AGENT_BASE_SCHEMA_NODE_H
#define AGENT_BASE_SCHEMA_NODE_H

#include <stdbool.h>
#include <stddef.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "agent/base/schema.h"

enum schema_type {
	SCHEMA_NULL = 1 << 0,
	SCHEMA_BOOLEAN = 1 << 1,
	SCHEMA_OBJECT = 1 << 2,
	SCHEMA_ARRAY = 1 << 3,
	SCHEMA_NUMBER = 1 << 4,
	SCHEMA_STRING = 1 << 5,
	SCHEMA_INTEGER = 1 << 6,
};

/* One end of a range. */
struct schema_bound {
	bool set;
	bool exclusive; /* the value itself is outside */
	double value;
};

struct schema_range {
	struct schema_bound low, high;
};

struct schema_list {
	struct schema_node **nodes;
	size_t count;
};

/* One schema or subschema.  The cJSON pointers point into the JSON of struct schema. */
struct schema_node {
	bool never;	/* the schema false: no value fits */
	unsigned types; /* of enum schema_type; 0: any */
	bool secret;	/* writeOnly */

	/* The children of names and properties.nodes are in the same order. */
	const cJSON *names;
	struct schema_list properties;
	const cJSON *required;
	struct schema_node *additional; /* NULL: anything */

	const cJSON *choices;	/* enum */
	const cJSON *constant;	/* const */
	const cJSON *otherwise; /* default */

	struct schema_range value, length, count;
	const char *pattern;
	pcre2_code *code;

	struct schema_node *items; /* of every element, or NULL */
	struct schema_list tuple;  /* of the first elements, one by one */
	struct schema_list one_of, any_of;
};

struct schema {
	cJSON *json;
	char hash[SHA256_HEX];
	struct schema_node *root;
};

/* A place in a value or a schema, as a chain on the stack up to the root. */
struct schema_place {
	const struct schema_place *up;
	const char *key; /* NULL: element number index */
	size_t index;
};

/* Writes the prefix at and the chain as a JSON pointer (RFC 6901), cut at size. */
void schema_place_text(const struct schema_place *place, const char *at, char *text,
		       size_t size);

/* The schema of a declared property, or NULL. */
const struct schema_node *schema_node_property(const struct schema_node *node,
					       const char *key);

/* Searches text for the pattern, with limits on steps, depth and memory.  At least 0 when
 * found, else the error of pcre2_match(). */
int schema_match(const pcre2_code *code, const char *text);

/* Does value fit node, at all levels? */
bool schema_node_fits(const struct schema_node *node, const cJSON *value);

#endif
