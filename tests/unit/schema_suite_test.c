/* Runs the public test suite (Debian's json-schema-test-suite, draft 7) as far as the
 * agent's keywords go.  What is left out is printed with its reason, which is never a
 * keyword that the agent supports. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/schema.h"

#define SUITE "/usr/share/json-schema-test-suite/tests/draft7"

static const char *const our_keywords[] = {
	"type",
	"properties",
	"required",
	"additionalProperties",
	"enum",
	"const",
	"minimum",
	"maximum",
	"exclusiveMinimum",
	"exclusiveMaximum",
	"minLength",
	"maxLength",
	"pattern",
	"items",
	"minItems",
	"maxItems",
	"default",
	"oneOf",
	"anyOf",
	"writeOnly",
	"title",
	"description",
};

static struct {
	int files, groups, tests, left_out, failed;
} counts;

static cJSON *file_json(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	cJSON *json;

	if (!file)
		fail_msg("%s: %s (install json-schema-test-suite)", path,
			 strerror(errno));
	if (getdelim(&text, &size, '\0', file) < 0)
		fail_msg("%s cannot be read", path);
	fclose(file);
	json = cJSON_Parse(text); /* the suite nests deeper than json_parse() allows */
	free(text);
	if (!json)
		fail_msg("%s is no JSON", path);
	return json;
}

static bool is_ours(const char *sentence)
{
	char quoted[64];

	for (size_t i = 0; i < sizeof(our_keywords) / sizeof(our_keywords[0]); i++) {
		snprintf(quoted, sizeof(quoted), "keyword '%s'", our_keywords[i]);
		if (strstr(sentence, quoted))
			return true;
	}
	return false;
}

static void try_value(const char *where, const struct schema *schema, const cJSON *test)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(test, "data");
	bool valid = json_bool(test, "valid", false);
	struct schema_problem problem = {.message = "fits"};

	counts.tests++;
	if ((schema_check(schema, data, "", &problem, 1) == 0) == valid)
		return;
	counts.failed++;
	printf("FAILED %s: %s: %s\n", where, json_string(test, "description"),
	       problem.message);
}

static void try_group(const char *file, const cJSON *group)
{
	const cJSON *tests = cJSON_GetObjectItemCaseSensitive(group, "tests");
	char *text = json_text(cJSON_GetObjectItemCaseSensitive(group, "schema"));
	struct schema *schema = NULL;
	struct err err = {0};
	const cJSON *test;
	char where[768];
	int ret;

	snprintf(where, sizeof(where), "%s: %s", file, json_string(group, "description"));
	ret = schema_compile(&schema, text, &err);
	free(text);
	if (ret == -ENOTSUP && !is_ours(err.text)) {
		counts.left_out++;
		printf("left out %s: %s\n", where, err.text);
		return;
	}
	if (ret < 0)
		fail_msg("%s: %s", where, err.text);

	counts.groups++;
	cJSON_ArrayForEach(test, tests)
		try_value(where, schema, test);
	schema_free(schema);
}

static void try_file(const char *folder, const char *name)
{
	char path[512];
	cJSON *groups;
	const cJSON *group;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	groups = file_json(path);
	counts.files++;
	cJSON_ArrayForEach(group, groups)
		try_group(path + strlen(SUITE "/"), group);
	cJSON_Delete(groups);
}

static void try_folder(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort);

	if (count < 0)
		fail_msg("%s: %s (install json-schema-test-suite)", folder,
			 strerror(errno));
	for (int i = 0; i < count; i++) {
		const char *end = strrchr(entries[i]->d_name, '.');

		if (end && !strcmp(end, ".json"))
			try_file(folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void the_public_suite_agrees_about_our_keywords(void **state)
{
	(void)state;

	try_folder(SUITE);
	try_folder(SUITE "/optional");
	try_folder(SUITE "/optional/format");

	printf("%d files: %d groups with %d tests run, %d failed; %d groups left out\n",
	       counts.files, counts.groups, counts.tests, counts.failed, counts.left_out);
	assert_int_equal(counts.failed, 0);
	assert_true(counts.groups >= 67); /* of the suite's release 2.0.0 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_public_suite_agrees_about_our_keywords),
	};

	return cmocka_run_group_tests_name("schema suite", tests, NULL, NULL);
}
