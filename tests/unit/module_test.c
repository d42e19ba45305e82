/* Tests loading of modules. */
#include "agent/base/module.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/sample_module.h"

/* Checks that loading name fails with this errno and a sentence that has these words. */
static void refused(const char *name, int number, const char *words)
{
	const void *table = NULL;
	struct err err = {0};

	assert_int_equal(module_load(&table, name, &err), number);
	assert_null(table);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, err.text);
}

static void a_module_gives_its_table(void **state)
{
	const struct sample_module *sample;
	const void *table;
	struct err err = {0};

	(void)state;
	assert_int_equal(module_load(&table, "sample", &err), 0);
	sample = table;

	assert_int_equal(sample->answer, 42);
	assert_int_equal(sample->refuse(&err), -EAGAIN);
	assert_string_equal(err.code, "timeout");
	assert_string_equal(err.text, "not today");
}

static void a_module_is_loaded_once(void **state)
{
	const void *first, *second;

	(void)state;
	assert_int_equal(module_load(&first, "sample", NULL), 0);
	assert_int_equal(module_load(&second, "sample", NULL), 0);

	assert_ptr_equal(first, second);
}

static void a_module_name_is_a_word_and_not_a_path(void **state)
{
	const char *const names[] = {
		"",
		"../sample",
		"/tmp/sample",
		"a b",
		"sample.so",
		"Sample",
		"a_name_that_is_longer_than_any_module_has",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		refused(names[i], -EINVAL, "is a word");
}

static void a_missing_module_is_reported_with_its_path(void **state)
{
	(void)state;
	refused("nowhere", -ENOENT, "/modules/nowhere.so");
}

static void a_module_of_another_version_is_refused(void **state)
{
	(void)state;
	refused("older", -ELIBACC,
		"the module older is of version 0.0.1, this agent of " OPENSCAN_VERSION);
}

static void a_module_without_its_table_is_refused(void **state)
{
	(void)state;
	refused("tableless", -ELIBACC, "module_tableless");
}

static void the_environment_can_name_another_folder(void **state)
{
	char folder[] = "/tmp/module_test.XXXXXX";
	char path[sizeof(folder) + sizeof("/broken.so")];
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/broken.so", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("no library", file);
	fclose(file);
	setenv("OPENSCAN_MODULE_DIR", folder, 1);

	refused("broken", -ELIBACC, "the module broken cannot be used: ");
	refused("sample", -ENOENT, folder);

	unsetenv("OPENSCAN_MODULE_DIR");
	unlink(path);
	rmdir(folder);
}

/* Starting the agent must load only what it always needs. */
static void the_agent_links_no_library_of_a_module(void **state)
{
	static const char *const heavy[] = {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		"libstdc++", /* sanitizers link it */
#endif
		"libcamera",
		"libcurl",
		"libarchive",
		"libzbar",
		"libsystemd",
	};
	FILE *ldd = popen("ldd " OPENSCAN_AGENT, "r");
	char line[4096];
	int lines = 0;

	(void)state;
	assert_non_null(ldd);
	for (; fgets(line, sizeof(line), ldd); lines++)
		for (size_t i = 0; i < sizeof(heavy) / sizeof(heavy[0]); i++)
			if (strstr(line, heavy[i]))
				fail_msg("the agent links %s", line);
	assert_int_equal(pclose(ldd), 0);
	assert_true(lines > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_module_gives_its_table),
		cmocka_unit_test(a_module_is_loaded_once),
		cmocka_unit_test(a_module_name_is_a_word_and_not_a_path),
		cmocka_unit_test(a_missing_module_is_reported_with_its_path),
		cmocka_unit_test(a_module_of_another_version_is_refused),
		cmocka_unit_test(a_module_without_its_table_is_refused),
		cmocka_unit_test(the_environment_can_name_another_folder),
		cmocka_unit_test(the_agent_links_no_library_of_a_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
