/* JSON as the contract demands it: read strictly, written in one spelling for hashes. */
#ifndef AGENT_BASE_JSON_H
#define AGENT_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

#define JSON_MAX_DEPTH 16
#define SHA256_HEX 65 /* 64 digits and a NUL */
#define JSON_NUMBER_TEXT 32

/* Parses one JSON text of length bytes; it need not end in NUL.  Refuses what the
 * contract refuses: invalid UTF-8, U+0000, a repeated key, nesting deeper than
 * JSON_MAX_DEPTH, anything after the value.  On failure NULL with a sentence and the code
 * "bad_json". */
cJSON *json_parse(const char *text, size_t length, struct err *err);

/* The value as text without spaces; the caller frees it.  NULL only without memory. */
char *json_text(const cJSON *value);

/* Writes the number in the fewest digits that read back as the same double. */
void json_number_text(double number, char text[JSON_NUMBER_TEXT]);

/* The value as text with the keys of every object sorted; the caller frees it.  Values
 * are equal if these texts are. */
char *json_canonical(const cJSON *value);

/* Writes the sha256 of length bytes in hexadecimal. */
void json_sha256(const void *bytes, size_t length, char hex[SHA256_HEX]);

/* The member key of object when it is a string, else NULL. */
const char *json_string(const cJSON *object, const char *key);

/* The member key of object when it is a number, else otherwise. */
double json_number(const cJSON *object, const char *key, double otherwise);

/* The member key of object when it is true or false, else otherwise. */
bool json_bool(const cJSON *object, const char *key, bool otherwise);

/* The members of object sorted by key, count of them.  The caller frees the array, object
 * owns the members.  NULL only without memory. */
cJSON **json_members(const cJSON *object, size_t *count);

/* Adds or replaces the member key; null for text NULL. */
void json_put_string(cJSON *object, const char *key, const char *text);

#endif
