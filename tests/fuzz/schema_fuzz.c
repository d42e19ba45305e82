/* Fuzzes schemas and values.  Input: a schema or the name of a built-in task type, NUL, a
 * value. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/schema.h"
#include "tasks/builtin.h"

#define PROBLEMS 8

static const char *schema_text(const char *part)
{
	for (const struct task_type *const *type = builtin_types; *type; type++)
		if (!strcmp((*type)->name, part))
			return (*type)->args;
	return part;
}

static void check_problems(const struct schema_problem *problems, size_t n)
{
	for (size_t i = 0; i < n && i < PROBLEMS; i++) {
		struct err err = {.number = -1};

		must(!strncmp(problems[i].path, "/args", 5), "a problem has its place");
		must(problems[i].message[0] != '\0', "a problem has a message");
		schema_sentence(&problems[i], err.text, sizeof(err.text));
		must_be_told(&err, false);
	}
}

/* The defaults of our own schemas are valid. */
static void check_value(const struct schema *schema, cJSON *value, bool ours)
{
	struct schema_problem problems[PROBLEMS];
	size_t n = schema_check(schema, value, "/args", problems, PROBLEMS);

	check_problems(problems, n);
	if (n)
		return;
	schema_fill(schema, value);
	if (ours)
		must(schema_check(schema, value, "/args", problems, PROBLEMS) == 0,
		     "a value that fits still fits with the defaults");
	schema_mask(schema, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	char *part = input_part(&input, NULL);
	const char *text = schema_text(part);
	struct schema *schema;
	struct err err = {.number = 0};
	cJSON *value;

	if (schema_compile(&schema, text, &err) < 0) {
		must(text == part, "a type that is built in has a schema");
		must_be_told(&err, false);
		free(part);
		return 0;
	}
	value = json_parse((const char *)input.bytes, input.size, NULL);
	if (value)
		check_value(schema, value, text != part);
	for (size_t i = 0; i < schema_required_count(schema); i++)
		must(schema_required(schema, i) != NULL, "what is required has a name");
	must(strlen(schema_hash(schema)) == SHA256_HEX - 1, "a schema has a hash");
	cJSON_Delete(value);
	schema_free(schema);
	free(part);
	return 0;
}
