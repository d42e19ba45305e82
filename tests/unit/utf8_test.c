/* Tests UTF-8 and the cleaning of text for one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "agent/base/err.h"
#include "agent/base/schema.h"
#include "agent/base/utf8.h"

static void only_whole_utf8_is_text(void **state)
{
	(void)state;
	static const char *const good[] = {
		"", "ü", "€", "😀", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {
		"\x80",
		"\xc0\xaf",
		"\xc1\xbf",
		"\xc3",
		"\xe2\x82",
		"\xe0\x80\x80",
		"\xed\xa0\x80",
		"\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xe2\x28\xa1",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	assert_false(utf8_valid("a\0b", 3));
}

static void a_cut_character_is_trimmed(void **state)
{
	(void)state;
	char text[] = "für 5 \xe2\x82";

	utf8_trim(text);

	assert_string_equal(text, "für 5 ");
}

static void assert_line(const char *text, const char *line)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	utf8_to_line(copy);
	assert_string_equal(copy, line);
}

static void line_breaks_become_spaces(void **state)
{
	(void)state;
	assert_line("one\ntwo\r\n\tthree\x7f", "one two   three ");
}

static void invalid_utf8_is_replaced(void **state)
{
	(void)state;
	assert_line("T\xc3\xa4sse \xff\xe4rgert \xf0\x9f\x98\x80",
		    "T\xc3\xa4sse ??rgert \xf0\x9f\x98\x80");
}

static void a_cut_character_is_removed(void **state)
{
	(void)state;
	assert_line("T\xc3", "T");
	assert_line("smile \xf0\x9f\x98", "smile ");
	assert_line("\xc3", "");
}

/* A sentence may quote a key that a sender made up, and it is logged. */
static void an_error_is_one_line(void **state)
{
	struct err err;

	(void)state;
	err_code(&err, -1, "invalid_args", "%s is not a setting", "a\nb");
	assert_string_equal(err.text, "a b is not a setting");
	err_prefix(&err, "%s", "file\n.json");
	assert_string_equal(err.text, "file .json: a b is not a setting");
}

static void a_problem_is_one_line(void **state)
{
	struct schema_problem problem = {.path = "/args/a\nb", .message = "is not known"};
	char text[128];

	(void)state;
	schema_sentence(&problem, text, sizeof(text));
	assert_string_equal(text, "a b is not known");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_utf8_is_text),
		cmocka_unit_test(a_cut_character_is_trimmed),
		cmocka_unit_test(line_breaks_become_spaces),
		cmocka_unit_test(invalid_utf8_is_replaced),
		cmocka_unit_test(a_cut_character_is_removed),
		cmocka_unit_test(an_error_is_one_line),
		cmocka_unit_test(a_problem_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
