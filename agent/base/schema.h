/* Argument schemas: the part of JSON Schema draft 7 that task types and settings use.
 *
 * Keywords: type properties required additionalProperties enum const minimum maximum
 * exclusiveMinimum exclusiveMaximum minLength maxLength pattern items minItems maxItems
 * default oneOf anyOf writeOnly title description.  schema_compile() fails on any other
 * keyword and names it, so that no bound is silently unchecked. */
#ifndef AGENT_BASE_SCHEMA_H
#define AGENT_BASE_SCHEMA_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/base/json.h"

struct schema;

/* One place where a value does not fit. */
struct schema_problem {
	/* JSON pointer from the root given to schema_check(): "/args/points" */
	char path[256];
	/* without the name: "must be 1 to 999, not 0" */
	char message[256];
};

/* Compiles text, which may be freed afterwards.  Fails with -ENOTSUP for an unsupported
 * keyword, -EINVAL for an invalid schema; err names the place.  A default is not checked
 * against its own schema.  Patterns are compiled by pcre2, so a bad one is found here,
 * and matched with limits, so a malicious value cannot stall a match. */
int schema_compile(struct schema **out, const char *text, struct err *err);
void schema_free(struct schema *schema);

/* Checks value.  Writes up to max problems and returns how many there are; 0: it fits.
 * at is the prefix of their paths ("/args").  Any thread. */
size_t schema_check(const struct schema *schema, const cJSON *value, const char *at,
		    struct schema_problem *problems, size_t max);

/* Adds the defaults of missing properties, at all levels.  A missing object is added only
 * if it has a default itself.  Of oneOf and anyOf the first branch that value fits is
 * used, so check value before. */
void schema_fill(const struct schema *schema, cJSON *value);

/* Replaces each value whose schema is writeOnly by "***". */
void schema_mask(const struct schema *schema, cJSON *value);

/* The required properties of the top level, counted from 0. */
size_t schema_required_count(const struct schema *schema);
const char *schema_required(const struct schema *schema, size_t i);

/* The schema as JSON, to be published; owned by the schema. */
const cJSON *schema_json(const struct schema *schema);

/* The sha256 of its canonical text. */
const char *schema_hash(const struct schema *schema);

/* Writes the problem as a sentence: "points must be 1 to 999, not 0". */
void schema_sentence(const struct schema_problem *problem, char *text, size_t size);

#endif
