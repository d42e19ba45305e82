#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "agent/base/err.h"
#include "agent/base/json.h"
#include "agent/base/text_line.h"
#include "agent/base/schema.h"

static void assert_tidied(const char *text, const char *line)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	line_tidy(copy);
	assert_string_equal(copy, line);
}

static void a_line_has_no_second_one(void **state)
{
	(void)state;
	assert_tidied("one\ntwo\r\n\tthree\x7f", "one two   three ");
}

static void what_is_no_utf8_is_marked(void **state)
{
	(void)state;
	assert_tidied("T\xc3\xa4sse \xff\xe4rgert \xf0\x9f\x98\x80",
		      "T\xc3\xa4sse ??rgert \xf0\x9f\x98\x80");
}

static void a_character_that_was_cut_goes(void **state)
{
	(void)state;
	assert_tidied("T\xc3", "T");
	assert_tidied("smile \xf0\x9f\x98", "smile ");
	assert_tidied("\xc3", "");
}

/* A key that a sender made up stands in the sentence, which stands in the log. */
static void an_error_is_one_line(void **state)
{
	struct err err;

	(void)state;
	err_code(&err, -1, "invalid_args", "%s is not a setting", "a\nb");
	assert_string_equal(err.text, "a b is not a setting");
	err_prefix(&err, "%s", "file\n.json");
	assert_string_equal(err.text, "file .json: a b is not a setting");
}

static void a_problem_is_told_in_one_line(void **state)
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
		cmocka_unit_test(a_line_has_no_second_one),
		cmocka_unit_test(what_is_no_utf8_is_marked),
		cmocka_unit_test(a_character_that_was_cut_goes),
		cmocka_unit_test(an_error_is_one_line),
		cmocka_unit_test(a_problem_is_told_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
