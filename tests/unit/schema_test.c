/* Tests the JSON Schema checks and their messages. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/schema.h"
#include "agent/base/utf8.h"

static struct schema *compiled(const char *text)
{
	struct schema *schema = NULL;
	struct err err = {0};

	if (schema_compile(&schema, text, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return schema;
}

/* The sentence for the first problem of json below /args, or "fits". */
static const char *verdict(const char *schema_text, const char *json)
{
	static char text[512];
	struct schema *schema = compiled(schema_text);
	cJSON *value = json_parse(json, strlen(json), NULL);
	struct schema_problem problem;

	assert_non_null(value);
	if (schema_check(schema, value, "/args", &problem, 1) == 0)
		strcpy(text, "fits");
	else
		schema_sentence(&problem, text, sizeof(text));
	cJSON_Delete(value);
	schema_free(schema);
	return text;
}

/* The verdict on {"x": json} where x has the schema. */
static const char *verdict_on_x(const char *schema, const char *json)
{
	char object[512], value[512];

	snprintf(object, sizeof(object), "{\"properties\":{\"x\":%s}}", schema);
	snprintf(value, sizeof(value), "{\"x\":%s}", json);
	return verdict(object, value);
}

/* json as canonical text after use was called on it; the caller frees it. */
static char *after(void (*use)(const struct schema *, cJSON *), const char *schema_text,
		   const char *json)
{
	struct schema *schema = compiled(schema_text);
	cJSON *value = json_parse(json, strlen(json), NULL);
	char *text;

	use(schema, value);
	text = json_canonical(value);
	cJSON_Delete(value);
	schema_free(schema);
	return text;
}

static void assert_after(void (*use)(const struct schema *, cJSON *), const char *schema,
			 const char *json, const char *expected)
{
	char *text = after(use, schema, json);

	assert_string_equal(text, expected);
	free(text);
}

static void a_number_out_of_range_names_the_range(void **state)
{
	(void)state;

	assert_string_equal(verdict_on_x("{\"minimum\":1,\"maximum\":999}", "0"),
			    "x must be 1 to 999, not 0");
	assert_string_equal(verdict_on_x("{\"minimum\":1}", "0.5"),
			    "x must be at least 1, not 0.5");
	assert_string_equal(verdict_on_x("{\"maximum\":1}", "2"),
			    "x must be at most 1, not 2");
	assert_string_equal(verdict_on_x("{\"exclusiveMinimum\":0}", "0"),
			    "x must be more than 0, not 0");
	assert_string_equal(
		verdict_on_x("{\"minimum\":0,\"exclusiveMaximum\":360}", "360"),
		"x must be at least 0 and less than 360, not 360");
	assert_string_equal(verdict_on_x("{\"minimum\":4,\"maximum\":4}", "5"),
			    "x must be 4, not 5");
	assert_string_equal(verdict_on_x("{\"minimum\":1,\"exclusiveMinimum\":1}", "1"),
			    "x must be more than 1, not 1");
	assert_string_equal(verdict_on_x("{\"minimum\":1,\"maximum\":999}", "999"),
			    "fits");
}

static void a_value_of_another_type_names_the_type(void **state)
{
	(void)state;

	assert_string_equal(verdict_on_x("{\"type\":\"string\"}", "5"),
			    "x must be a string, not a number");
	assert_string_equal(verdict_on_x("{\"type\":[\"number\",\"null\"]}", "\"a\""),
			    "x must be a number or null, not a string");
	assert_string_equal(
		verdict_on_x("{\"type\":[\"null\",\"string\",\"object\"]}", "true"),
		"x must be a string, an object or null, not true");
	assert_string_equal(verdict_on_x("{\"type\":\"integer\"}", "1.5"),
			    "x must be a whole number, not 1.5");
	assert_string_equal(verdict_on_x("{\"type\":\"integer\"}", "\"1\""),
			    "x must be a whole number, not a string");
	assert_string_equal(verdict_on_x("{\"type\":\"integer\"}", "2.0"), "fits");
	assert_string_equal(verdict_on_x("{\"type\":\"boolean\"}", "null"),
			    "x must be true or false, not null");
}

static void the_root_is_called_by_the_given_name(void **state)
{
	(void)state;

	assert_string_equal(verdict("{\"type\":\"object\"}", "5"),
			    "args must be an object, not a number");
}

static void elements_are_called_by_their_index(void **state)
{
	(void)state;

	assert_string_equal(verdict_on_x("{\"items\":{\"items\":{\"type\":\"number\"}}}",
					 "[[1],[2,\"a\"]]"),
			    "x[1][1] must be a number, not a string");
	assert_string_equal(verdict_on_x("{\"minItems\":2,\"maxItems\":2}", "[1]"),
			    "x must have 2 items, not 1");
	assert_string_equal(verdict_on_x("{\"minItems\":1}", "[]"),
			    "x must have at least 1 item, not 0");
}

static void lengths_are_counted_in_characters(void **state)
{
	(void)state;

	assert_string_equal(verdict_on_x("{\"maxLength\":2}", "\"ü€\""), "fits");
	assert_string_equal(verdict_on_x("{\"maxLength\":2}", "\"ü€😀\""),
			    "x must have at most 2 characters, not 3");
	assert_string_equal(verdict_on_x("{\"minLength\":1,\"maxLength\":64}", "\"\""),
			    "x must have 1 to 64 characters, not 0");
}

static void choices_are_listed_and_compared_by_value(void **state)
{
	(void)state;

	assert_string_equal(verdict_on_x("{\"enum\":[\"fibonacci\",\"grid\"]}", "\"x\""),
			    "x must be one of fibonacci, grid, not \"x\"");
	assert_string_equal(verdict_on_x("{\"enum\":[1,{\"a\":[1,2],\"b\":0}]}",
					 "{\"b\":0.0,\"a\":[1.0,2]}"),
			    "fits");
	assert_string_equal(verdict_on_x("{\"enum\":[0,[1,2]]}", "[2,1]"),
			    "x must be one of 0, an array, not an array");
	assert_string_equal(verdict_on_x("{\"const\":\"ON\"}", "true"),
			    "x must be ON, not true");
	assert_string_equal(
		verdict_on_x("{\"const\":9007199254740991}", "9007199254740990"),
		"x must be 9007199254740991, not 9007199254740990");
}

static void a_long_list_of_choices_is_cut_in_the_message_only(void **state)
{
	(void)state;
	static const char choices[] =
		"{\"enum\":[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
		"\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\","
		"\"cccccccccccccccccccccccccccccc\",\"dddddddddddddddddddddddddddddd\","
		"\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeee\",\"ffffffffffffffffffffffffffffff\","
		"\"g\"]}";

	assert_string_equal(verdict_on_x(choices, "\"g\""), "fits");
	assert_non_null(strstr(verdict_on_x(choices, "\"h\""), ", …, not \"h\""));
}

static void patterns_search_the_text(void **state)
{
	(void)state;

	assert_string_equal(verdict_on_x("{\"pattern\":\"^[a-z]+$\"}", "\"cup\""),
			    "fits");
	assert_string_equal(verdict_on_x("{\"pattern\":\"^[a-z]+$\"}", "\"Cup\""),
			    "x must match ^[a-z]+$, not \"Cup\"");
	assert_string_equal(verdict_on_x("{\"pattern\":\"^.$\"}", "\"€\""), "fits");
	assert_string_equal(verdict_on_x("{\"pattern\":\"a$\"}", "\"a\\n\""),
			    "x must match a$, not \"a \"");
}

/* 6,000 runs of a; (a+)+$ needs half a million steps to give up on each. */
static char *malicious_json(void)
{
	static const char run[] = "aaaaaaaaaaaaaaaaaa!";
	const size_t size = sizeof(run) - 1;
	char *json = malloc(6000 * size + 3);

	json[0] = '"';
	for (size_t i = 0; i < 6000; i++)
		memcpy(json + 1 + i * size, run, size);
	strcpy(json + 1 + 6000 * size, "\"");
	return json;
}

static void a_malicious_text_cannot_stall_a_pattern(void **state)
{
	(void)state;
	char *json = malicious_json();
	int64_t start = clock_monotonic_ms();

	assert_string_equal(verdict("{\"pattern\":\"(a+)+$\"}", json),
			    "args must match (a+)+$, and is too hard to compare with it");
	assert_string_equal(
		verdict("{\"pattern\":\"^(a|!)+b\"}", json),
		"args must match ^(a|!)+b, and is too hard to compare with it");
	assert_in_range(clock_monotonic_ms() - start, 0,
			20000); /* slow under sanitizers */
	free(json);
}

static void a_missing_required_property_is_named(void **state)
{
	(void)state;
	struct schema *schema = compiled("{\"required\":[\"a/b\",\"project\"]}");
	cJSON *value = json_parse("{}", 2, NULL);
	struct schema_problem problems[2];

	size_t count = schema_check(schema, value, "/args", problems, 2);

	assert_int_equal(count, 2);
	assert_string_equal(problems[0].path, "/args/a~1b");
	assert_string_equal(problems[1].path, "/args/project");
	assert_string_equal(problems[1].message, "is required");
	assert_int_equal(schema_required_count(schema), 2);
	assert_string_equal(schema_required(schema, 1), "project");
	cJSON_Delete(value);
	schema_free(schema);
}

static void an_unknown_property_names_the_nearest(void **state)
{
	(void)state;
	static const char schema[] = "{\"properties\":{\"points\":{},\"project\":{}},"
				     "\"additionalProperties\":false}";

	assert_string_equal(verdict(schema, "{\"pionts\":1}"),
			    "pionts is not known (did you mean 'points'?)");
	assert_string_equal(verdict(schema, "{\"projekt\":1}"),
			    "projekt is not known (did you mean 'project'?)");
	assert_string_equal(
		verdict("{\"properties\":{\"on\":{}},\"additionalProperties\":false}",
			"{\"no\":1}"),
		"no is not known (did you mean 'on'?)");
	assert_string_equal(verdict(schema, "{\"banana\":1}"), "banana is not known");
	assert_string_equal(verdict(schema, "{\"points\":1}"), "fits");
	assert_string_equal(verdict("{\"additionalProperties\":{\"type\":\"string\"}}",
				    "{\"a/b\":1}"),
			    "a/b must be a string, not a number");
}

static void all_problems_are_counted_and_only_the_first_are_written(void **state)
{
	(void)state;
	struct schema *schema = compiled("{\"additionalProperties\":false}");
	cJSON *value = json_parse("{\"a\":1,\"b\":1,\"c\":1}", 19, NULL);
	struct schema_problem problems[3];

	memset(problems, 0, sizeof(problems));
	size_t count = schema_check(schema, value, "/args", problems, 2);

	assert_int_equal(count, 3);
	assert_string_equal(problems[1].path, "/args/b");
	assert_string_equal(problems[2].path, "");
	cJSON_Delete(value);
	schema_free(schema);
}

static void the_likeliest_alternative_is_reported(void **state)
{
	(void)state;
	static const char any[] =
		"{\"anyOf\":[{\"type\":\"null\"},"
		"{\"type\":\"object\",\"properties\":{\"n\":{\"minimum\":1}}}]}";
	static const char fewest[] =
		"{\"oneOf\":[{\"required\":[\"a\",\"b\"]},{\"required\":[\"c\"]}]}";
	static const char one[] = "{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}";

	assert_string_equal(verdict_on_x(any, "null"), "fits");
	assert_string_equal(verdict_on_x(any, "{\"n\":0}"),
			    "n must be at least 1, not 0");
	assert_string_equal(verdict_on_x(any, "5"),
			    "x must be an object or null, not a number");
	assert_string_equal(verdict(fewest, "{}"), "c is required");
	assert_string_equal(verdict_on_x(one, "1"), "fits");
	assert_string_equal(verdict_on_x(one, "3"),
			    "x fits more than one of its forms, and may fit only one");
}

static void true_and_false_are_schemas(void **state)
{
	(void)state;

	assert_string_equal(verdict_on_x("true", "5"), "fits");
	assert_string_equal(verdict_on_x("false", "5"), "x is not allowed");
	assert_string_equal(verdict("true", "5"), "fits");
}

static void no_message_repeats_a_secret(void **state)
{
	(void)state;
	static const char schema[] = "{\"writeOnly\":true,\"pattern\":\"^a\",\"enum\":["
				     "\"a\"],\"const\":\"a\"}";

	assert_null(strstr(verdict_on_x(schema, "\"hunter2\""), "hunter2"));
	assert_string_equal(verdict_on_x("{\"writeOnly\":true,\"maximum\":9}", "1234"),
			    "x must be at most 9");
	assert_string_equal(
		verdict_on_x("{\"writeOnly\":true,\"type\":\"integer\"}", "1.5"),
		"x must be a whole number, not a number");
}

static void values_and_paths_are_cut_at_whole_characters(void **state)
{
	(void)state;
	struct schema *schema = compiled("{\"additionalProperties\":{\"const\":1}}");
	struct schema_problem problem;
	char key[801] = "";
	cJSON *value = cJSON_CreateObject();

	for (int i = 0; i < 200; i++)
		strcat(key, i ? "😀" : "x");
	cJSON_AddStringToObject(value, key, key);
	schema_check(schema, value, "/args", &problem, 1);

	assert_true(utf8_valid(problem.path, strlen(problem.path)));
	assert_true(utf8_valid(problem.message, strlen(problem.message)));
	assert_in_range(strlen(problem.path), 250, 255);
	cJSON_Delete(value);
	schema_free(schema);
}

static void defaults_are_filled_all_the_way_down(void **state)
{
	(void)state;
	static const char schema[] =
		"{\"properties\":{\"a\":{\"default\":1},\"b\":{\"properties\":{\"c\":{"
		"\"default\":"
		"[2]}}},\"d\":{\"default\":{},\"properties\":{\"e\":{\"default\":3}}},"
		"\"f\":{\"items\":{\"properties\":{\"g\":{\"default\":4}}}}}}";

	assert_after(schema_fill, schema, "{\"a\":null,\"b\":{},\"f\":[{},{\"g\":5}]}",
		     "{\"a\":null,\"b\":{\"c\":[2]},\"d\":{\"e\":3},\"f\":[{\"g\":4},{"
		     "\"g\":5}]}");
	assert_after(schema_fill, schema, "5", "5");
}

static void defaults_come_from_the_matching_alternative(void **state)
{
	(void)state;
	static const char schema[] = "{\"anyOf\":[{\"type\":\"object\",\"required\":["
				     "\"a\"],\"properties\":{\"x\":"
				     "{\"default\":1}}},{\"type\":\"object\","
				     "\"properties\":{\"y\":{\"default\":2}}}]}";

	assert_after(schema_fill, schema, "{\"a\":0}", "{\"a\":0,\"x\":1}");
	assert_after(schema_fill, schema, "{}", "{\"y\":2}");
}

static void secrets_are_masked_at_any_depth(void **state)
{
	(void)state;
	static const char schema[] =
		"{\"properties\":{\"p\":{\"writeOnly\":true},\"o\":{"
		"\"additionalProperties\":"
		"{\"writeOnly\":true}},\"l\":{\"items\":{\"writeOnly\":true}},"
		"\"e\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\","
		"\"writeOnly\":true}]}}}";

	assert_after(
		schema_mask, schema,
		"{\"p\":{\"a\":[1]},\"o\":{\"k\":5},\"l\":[\"x\",7],\"e\":\"y\",\"n\":1}",
		"{\"e\":\"***\",\"l\":[\"***\",\"***\"],\"n\":1,\"o\":{\"k\":\"***\"},"
		"\"p\":\"***\"}");
	assert_after(schema_mask, "{\"writeOnly\":true}", "\"x\"", "\"***\"");
}

static void an_unknown_keyword_is_refused(void **state)
{
	(void)state;
	struct schema *schema = NULL;
	struct err err = {0};

	int ret = schema_compile(&schema, "{\"properties\":{\"a\":{\"multipleOf\":2}}}",
				 &err);

	assert_int_equal(ret, -ENOTSUP);
	assert_null(schema);
	assert_string_equal(err.text,
			    "the keyword 'multipleOf' at /properties/a is not supported");
}

static void a_malformed_schema_names_the_place(void **state)
{
	(void)state;
	static const struct {
		const char *schema, *sentence;
	} cases[] = {
		{"{\"minimum\":\"1\"}", "/minimum must be a number"},
		{"{\"items\":[{\"minLength\":-1}]}",
		 "/items/0/minLength must be a whole number from 0 on"},
		{"{\"properties\":{\"a\":5}}",
		 "/properties/a must be a schema: an object, true or false"},
		{"5", "the whole must be a schema: an object, true or false"},
		{"{\"type\":\"float\"}",
		 "/type must be null, boolean, object, array, number, string or integer"},
		{"{\"pattern\":\"(\"}",
		 "/pattern is no regular expression: missing closing parenthesis"},
		{"{\"enum\":[]}", "/enum must be an array of values"},
		{"{\"required\":[1]}", "/required must be an array of names"},
		{"{", "a key in quotes is missing at line 1, column 2"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct schema *schema = NULL;
		struct err err = {0};

		assert_true(schema_compile(&schema, cases[i].schema, &err) < 0);
		assert_string_equal(err.text, cases[i].sentence);
	}
}

static void the_hash_depends_on_the_value_not_on_its_spelling(void **state)
{
	(void)state;
	struct schema *one = compiled("{\"type\":\"object\",\"title\":\"A\"}");
	struct schema *same = compiled("{ \"title\": \"A\", \"type\": \"object\" }");
	struct schema *other = compiled("{\"title\":\"B\",\"type\":\"object\"}");

	assert_string_equal(schema_hash(one), schema_hash(same));
	assert_string_not_equal(schema_hash(one), schema_hash(other));
	assert_string_equal(json_string(schema_json(one), "title"), "A");
	schema_free(one);
	schema_free(same);
	schema_free(other);
}

static void *check_often(void *argument)
{
	const struct schema *schema = argument;
	cJSON *value = json_parse("{\"x\":\"B\"}", 9, NULL);
	size_t found = 0;

	for (int i = 0; i < 200; i++) {
		struct schema_problem problem;

		found += schema_check(schema, value, "/args", &problem, 1);
	}
	cJSON_Delete(value);
	return found == 200 ? argument : NULL;
}

static void two_threads_share_one_schema(void **state)
{
	(void)state;
	struct schema *schema =
		compiled("{\"properties\":{\"x\":{\"pattern\":\"^a+$\"}}}");
	pthread_t other;
	void *found;

	assert_int_equal(pthread_create(&other, NULL, check_often, schema), 0);
	assert_non_null(check_often(schema));
	pthread_join(other, &found);

	assert_non_null(found);
	schema_free(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_out_of_range_names_the_range),
		cmocka_unit_test(a_value_of_another_type_names_the_type),
		cmocka_unit_test(the_root_is_called_by_the_given_name),
		cmocka_unit_test(elements_are_called_by_their_index),
		cmocka_unit_test(lengths_are_counted_in_characters),
		cmocka_unit_test(choices_are_listed_and_compared_by_value),
		cmocka_unit_test(a_long_list_of_choices_is_cut_in_the_message_only),
		cmocka_unit_test(patterns_search_the_text),
		cmocka_unit_test(a_malicious_text_cannot_stall_a_pattern),
		cmocka_unit_test(a_missing_required_property_is_named),
		cmocka_unit_test(an_unknown_property_names_the_nearest),
		cmocka_unit_test(all_problems_are_counted_and_only_the_first_are_written),
		cmocka_unit_test(the_likeliest_alternative_is_reported),
		cmocka_unit_test(true_and_false_are_schemas),
		cmocka_unit_test(no_message_repeats_a_secret),
		cmocka_unit_test(values_and_paths_are_cut_at_whole_characters),
		cmocka_unit_test(defaults_are_filled_all_the_way_down),
		cmocka_unit_test(defaults_come_from_the_matching_alternative),
		cmocka_unit_test(secrets_are_masked_at_any_depth),
		cmocka_unit_test(an_unknown_keyword_is_refused),
		cmocka_unit_test(a_malformed_schema_names_the_place),
		cmocka_unit_test(the_hash_depends_on_the_value_not_on_its_spelling),
		cmocka_unit_test(two_threads_share_one_schema),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
