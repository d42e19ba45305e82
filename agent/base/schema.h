/* Argument schemas: the part of JSON Schema draft 7 that task types and settings use.
 *
 * Keywords: type properties required additionalProperties enum const minimum maximum
 * exclusiveMinimum exclusiveMaximum minLength maxLength pattern items minItems maxItems
 * default oneOf anyOf writeOnly title description.  Any other keyword makes
 * schema_compile() fail with its name: a bound that is silently not checked is worse. */
#ifndef AGENT_BASE_SCHEMA_H
#define AGENT_BASE_SCHEMA_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/base/json.h"

struct schema;

/* One place where a value does not fit. */
struct schema_problem {
	char path[256];	   /* JSON pointer from the root given to schema_check():
			      "/args/points" */
	char message[256]; /* without the name: "must be 1 to 999, not 0" */
};

/* Compiles text.  -ENOTSUP for a keyword that is not ours, -EINVAL for a schema that is
 * none; err names the place.  A default is not checked against its own schema.  The
 * schema does not keep text.  Patterns are compiled here by pcre2 with limits, so a bad
 * one is found at start and a malicious value cannot stall a match. */
int schema_compile(struct schema **out, const char *text, struct err *err);
void schema_free(struct schema *schema);

/* Checks value; writes up to max problems and returns how many there are (0: it fits).
 * at is the pointer prefix of the paths ("/args").  Any thread. */
size_t schema_check(const struct schema *schema, const cJSON *value, const char *at,
		    struct schema_problem *problems, size_t max);

/* Adds the default of each property that is missing in an object, all the way down.  An
 * object that is missing is made only when it has a default itself.  Of oneOf and anyOf
 * the first that value fits counts, so check value before. */
void schema_fill(const struct schema *schema, cJSON *value);

/* Replaces each value that its schema marks writeOnly by "***". */
void schema_mask(const struct schema *schema, cJSON *value);

/* The required properties of the top level, by number. */
size_t schema_required_count(const struct schema *schema);
const char *schema_required(const struct schema *schema, size_t i);

/* The schema itself, to publish; owned by the schema.  The hash is the sha256 of its
 * canonical text. */
const cJSON *schema_json(const struct schema *schema);
const char *schema_hash(const struct schema *schema);

/* "points must be 1 to 999, not 0": the problem as a sentence with the name of its place.
 */
void schema_sentence(const struct schema_problem *problem, char *text, size_t size);

#endif
