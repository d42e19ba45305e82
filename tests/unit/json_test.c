/* Tests parsing and writing of JSON. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"

static bool parses(const char *text, size_t length)
{
	cJSON *value = json_parse(text, length, NULL);
	bool parsed = value;

	cJSON_Delete(value);
	return parsed;
}

/* The sentence of the error for text. */
static const char *refusal(const char *text)
{
	static struct err err;

	memset(&err, 0, sizeof(err));
	assert_null(json_parse(text, strlen(text), &err));
	assert_string_equal(err.code, "bad_json");
	return err.text;
}

static void nested(char *text, size_t depth)
{
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[2 * depth] = '\0';
}

static void assert_canonical(const char *text, const char *expected)
{
	cJSON *value = json_parse(text, strlen(text), NULL);
	char *canonical = json_canonical(value);

	assert_string_equal(canonical, expected);
	free(canonical);
	cJSON_Delete(value);
}

static void every_kind_of_value_is_read(void **state)
{
	(void)state;
	static const char text[] =
		" {\"a\":[true,false,null,-0.5e+2],\"b\":\"\\\"\\u00fc\\n\"} ";

	cJSON *value = json_parse(text, strlen(text), NULL);

	assert_non_null(value);
	assert_string_equal(json_string(value, "b"), "\"ü\n");
	assert_true(
		cJSON_IsFalse(cJSON_GetArrayItem(cJSON_GetObjectItem(value, "a"), 1)));
	cJSON_Delete(value);
}

static void the_text_need_not_end_in_nul(void **state)
{
	(void)state;

	cJSON *value = json_parse("12345", 2, NULL);

	assert_int_equal(value->valuedouble, 12);
	cJSON_Delete(value);
}

static void text_outside_of_the_grammar_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"   ",
		"{",
		"[1,]",
		"{\"a\":1,}",
		"{\"a\" 1}",
		"{a:1}",
		"'a'",
		"01",
		"1.",
		".5",
		"+1",
		"-",
		"1e",
		"nul",
		"True",
		"NaN",
		"Infinity",
		"\"\t\"",
		"\"\\x\"",
		"\"\\u12\"",
		"\"a",
		"[1 2]",
		"1 2",
		"{\"a\"}",
		"// no\n1",
		"]",
		"[1}",
		"\xef\xbb\xbf{}",
		"{\"a\":1}x",
		"\"\\",
		"\f1",
		"[,1]",
		"{,}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (parses(texts[i], strlen(texts[i])))
			fail_msg("%s was taken for JSON", texts[i]);
}

static void a_refusal_names_the_place(void **state)
{
	(void)state;

	assert_string_equal(refusal("{\n  \"a\" 1}"),
			    "a ':' is missing at line 2, column 7");
	assert_string_equal(refusal("{\"a\":1 \"b\"}"),
			    "a ',' or '}' is missing at line 1, column 8");
	assert_string_equal(refusal("[1]]"),
			    "there is something behind the value at line 1, column 4");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
	(void)state;
	assert_false(parses("\"\xc3(\"", 4));
}

static void nul_is_refused_in_either_spelling(void **state)
{
	(void)state;

	assert_false(parses("\"a\0b\"", 5));
	assert_string_equal(refusal("\"\\u0000\""),
			    "the character U+0000 is not allowed at line 1, column 8");
	assert_true(parses("\"\\u0001\"", 8));
}

static void half_a_surrogate_pair_is_refused(void **state)
{
	(void)state;

	refusal("\"\\ud83d\"");
	refusal("\"\\ude00\"");
	refusal("\"\\ud83d\\u0041\"");
	refusal("\"\\ud83dx\"");
	assert_canonical("\"\\ud83d\\ude00\"", "\"😀\"");
}

static void a_repeated_key_is_refused(void **state)
{
	(void)state;

	assert_string_equal(refusal("{\"a\":1,\"b\":2,\"a\":3}"),
			    "the key 'a' is there twice");
	assert_string_equal(refusal("{\"x\":[{\"a\":1,\"\\u0061\":3}]}"),
			    "the key 'a' is there twice");
	assert_true(parses("{\"a\":{\"a\":1},\"A\":2}", 19));
}

static void many_keys_are_compared_quickly(void **state)
{
	(void)state;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("{\"x\":0", out);
	for (int i = 0; i < 15000; i++)
		fprintf(out, ",\"%x\":0", i);
	fputs("}", out);
	fclose(out);

	assert_true(parses(text, size)); /* quadratic time would exceed ctest's timeout */
	free(text);
}

static void the_sixteenth_level_is_the_last(void **state)
{
	(void)state;
	char text[400001];

	nested(text, 16);
	assert_true(parses(text, strlen(text)));

	nested(text, 17);
	assert_string_equal(refusal(text), "nested deeper than 16 at line 1, column 18");
	nested(text, 200000);
	refusal(text);
	assert_true(parses("[[[[]]],[[[]]],[[[]]],[[[]]],[[[]]],[[[]]]]", 43));
}

static void numbers_beyond_a_double_are_refused(void **state)
{
	(void)state;

	assert_string_equal(refusal("[1e309]"),
			    "a number is too large at line 1, column 7");
	refusal("-1e999");
	refusal("1000000000000000000000000000000000000000000000000000000000000000");
	assert_true(parses("1e308", 5));
	assert_true(parses("1e-999", 6));
}

static void canonical_text_sorts_keys_all_the_way_down(void **state)
{
	(void)state;

	assert_canonical("{\"b\":[{\"d\":1,\"c\":2}],\"a\":{},\"B\":null}",
			 "{\"B\":null,\"a\":{},\"b\":[{\"c\":2,\"d\":1}]}");
}

static void equal_numbers_have_one_spelling(void **state)
{
	(void)state;

	assert_canonical("[1,1.0,10e-1,-0,-0.0,1e2]", "[1,1,1,0,0,100]");
	assert_canonical("[9007199254740991,9007199254740990]",
			 "[9007199254740991,9007199254740990]");
	assert_canonical("[0.1,0.30000000000000004,0.3,1e300]",
			 "[0.1,0.30000000000000004,0.3,1e+300]");
}

static void text_keeps_the_order_and_escapes(void **state)
{
	(void)state;
	static const char text[] = "{\"b\":\"\\\"\\\\\\n\\u001f/ü\",\"a\":-1.5}";
	cJSON *value = json_parse(text, strlen(text), NULL);

	char *written = json_text(value);

	assert_string_equal(written, text);
	free(written);
	cJSON_Delete(value);
}

static void raw_text_is_written_unchanged(void **state)
{
	(void)state;
	cJSON *value = cJSON_CreateObject();

	cJSON_AddRawToObject(value, "args", "{\"z\":1}");
	char *written = json_text(value);

	assert_string_equal(written, "{\"args\":{\"z\":1}}");
	free(written);
	cJSON_Delete(value);
}

/* The example of FIPS 180-4, "abc". */
static void sha256_gives_the_values_of_the_standard(void **state)
{
	(void)state;
	char hex[SHA256_HEX];

	json_sha256("abc", 3, hex);

	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void members_are_read_by_type(void **state)
{
	(void)state;
	cJSON *value = json_parse("{\"s\":\"x\",\"n\":2,\"b\":true}", 24, NULL);

	assert_string_equal(json_string(value, "s"), "x");
	assert_null(json_string(value, "S"));
	assert_null(json_string(value, "n"));
	assert_true(json_number(value, "n", 7) < 3);
	assert_true(json_number(value, "s", 7) > 6);
	assert_true(json_bool(value, "b", false));
	assert_true(json_bool(value, "n", true));
	cJSON_Delete(value);
}

static void putting_a_string_replaces_the_old_one(void **state)
{
	(void)state;
	cJSON *value = json_parse("{\"a\":1,\"A\":2}", 13, NULL);

	json_put_string(value, "a", "x");
	json_put_string(value, "b", "y");
	json_put_string(value, "A", NULL);
	char *text = json_canonical(value);

	assert_string_equal(text, "{\"A\":null,\"a\":\"x\",\"b\":\"y\"}");
	free(text);
	cJSON_Delete(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value_is_read),
		cmocka_unit_test(the_text_need_not_end_in_nul),
		cmocka_unit_test(text_outside_of_the_grammar_is_refused),
		cmocka_unit_test(a_refusal_names_the_place),
		cmocka_unit_test(text_that_is_not_utf8_is_refused),
		cmocka_unit_test(nul_is_refused_in_either_spelling),
		cmocka_unit_test(half_a_surrogate_pair_is_refused),
		cmocka_unit_test(a_repeated_key_is_refused),
		cmocka_unit_test(many_keys_are_compared_quickly),
		cmocka_unit_test(the_sixteenth_level_is_the_last),
		cmocka_unit_test(numbers_beyond_a_double_are_refused),
		cmocka_unit_test(canonical_text_sorts_keys_all_the_way_down),
		cmocka_unit_test(equal_numbers_have_one_spelling),
		cmocka_unit_test(text_keeps_the_order_and_escapes),
		cmocka_unit_test(raw_text_is_written_unchanged),
		cmocka_unit_test(sha256_gives_the_values_of_the_standard),
		cmocka_unit_test(members_are_read_by_type),
		cmocka_unit_test(putting_a_string_replaces_the_old_one),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
