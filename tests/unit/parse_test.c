/* Tests the parsing of commands. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/commands/parse.h"

/* One message and what became of it. */
struct heard {
	struct command command;
	struct err err;
	int ret;
	char *body;
};

static struct heard hear_whole(const char *verb, const void *payload, size_t size,
			       const char *response_topic)
{
	struct heard heard = {.ret = 0};
	struct topic topic;
	char text[TOPIC_MAX];

	snprintf(text, sizeof(text), "openscan/v1/rig1/cmd/%s", verb);
	topic_parse("openscan/v1", "rig1", text, &topic);
	heard.ret = command_parse(&heard.command, &topic, payload, size, response_topic,
				  NULL, 0, &heard.err);
	if (heard.command.body)
		heard.body = json_canonical(heard.command.body);
	return heard;
}

static struct heard hear(const char *verb, const char *payload)
{
	return hear_whole(verb, *payload ? payload : NULL, strlen(payload), NULL);
}

static void forget(struct heard *heard)
{
	command_clear(&heard->command);
	free(heard->body);
}

static void assert_body(const char *verb, const char *payload, const char *expected)
{
	struct heard heard = hear(verb, payload);

	if (heard.ret < 0)
		fail_msg("%s %s: %s", verb, payload, heard.err.text);
	assert_string_equal(heard.command.name, verb);
	assert_string_equal(heard.body, expected);
	forget(&heard);
}

static void assert_refused(const char *verb, const char *payload, const char *code,
			   const char *sentence)
{
	struct heard heard = hear(verb, payload);

	assert_true(heard.ret < 0);
	assert_string_equal(heard.err.code, code);
	assert_string_equal(heard.err.text, sentence);
	forget(&heard);
}

static void assert_id(const char *verb, const char *payload, const char *id, bool current)
{
	struct heard heard = hear(verb, payload);

	assert_int_equal(heard.ret, 0);
	assert_string_equal(heard.command.id, id);
	assert_int_equal(heard.command.current, current);
	assert_string_equal(heard.body, "{}");
	forget(&heard);
}

static bool same_hash(const char *verb_a, const char *a, const char *verb_b,
		      const char *b)
{
	struct heard one = hear(verb_a, a);
	struct heard two = hear(verb_b, b);
	bool same = !strcmp(one.command.hash, two.command.hash);

	assert_int_equal(one.ret, 0);
	assert_int_equal(two.ret, 0);
	assert_int_equal(strlen(one.command.hash), 64);
	forget(&one);
	forget(&two);
	return same;
}

static void the_envelope_is_taken_out_of_the_body(void **state)
{
	(void)state;
	struct heard heard = hear("task/create", "{\"id\":\"cup-1\",\"request\":\"r:1\","
						 "\"reply_to\":\"openscan/v1/_reply/me\","
						 "\"if_rev\":7,\"type\":\"scan_task\"}");

	assert_int_equal(heard.ret, 0);
	assert_string_equal(heard.command.id, "cup-1");
	assert_string_equal(heard.command.request, "r:1");
	assert_string_equal(heard.command.reply_to, "openscan/v1/_reply/me");
	assert_int_equal(heard.command.if_rev, 7);
	assert_string_equal(heard.body, "{\"type\":\"scan_task\"}");
	forget(&heard);
}

static void a_command_without_envelope_has_none(void **state)
{
	(void)state;
	struct heard heard =
		hear("task/list", "{\"id\":null,\"request\":null,\"if_rev\":null}");

	assert_int_equal(heard.ret, 0);
	assert_string_equal(heard.command.id, "");
	assert_string_equal(heard.command.request, "");
	assert_string_equal(heard.command.reply_to, "");
	assert_int_equal(heard.command.if_rev, -1);
	assert_false(heard.command.current);
	assert_false(heard.command.empty);
	assert_string_equal(heard.body, "{}");
	forget(&heard);
}

static void a_wrong_envelope_field_is_named(void **state)
{
	(void)state;

	assert_refused("task/get", "{\"id\":\"a b\"}", "bad_request",
		       "id must be 1 to 64 letters, digits, _ or -");
	assert_refused("task/get", "{\"id\":5}", "bad_request",
		       "id must be 1 to 64 letters, digits, _ or -");
	assert_refused("agent/ping", "{\"request\":\"\"}", "bad_request",
		       "request must be 1 to 64 letters, digits, '.', '_', ':' or -");
	assert_refused("agent/ping", "{\"reply_to\":5}", "bad_request",
		       "reply_to must be a topic");
	assert_refused("agent/ping", "{\"if_rev\":1.5}", "bad_request",
		       "if_rev must be a whole number from 0 on");
	assert_refused("agent/ping", "{\"if_rev\":-1}", "bad_request",
		       "if_rev must be a whole number from 0 on");
	assert_refused("agent/ping", "{\"if_rev\":\"1\"}", "bad_request",
		       "if_rev must be a whole number from 0 on");
}

static void a_reserved_name_is_not_an_id(void **state)
{
	(void)state;

	assert_refused("task/create", "{\"type\":\"a_task\",\"id\":\"current\"}",
		       "bad_request", "id must not be current");
	assert_refused("task/create", "{\"type\":\"a_task\",\"id\":\"PRESS\"}",
		       "bad_request", "id must not be PRESS");
	assert_refused("agent/ping", "{\"request\":\"_barrier\"}", "bad_request",
		       "request must not be _barrier");
}

static void a_refused_command_still_has_its_reply_topic(void **state)
{
	(void)state;
	struct heard heard =
		hear("task/cancel", "{\"id\":\"a b\",\"request\":\"r1\",\"if_rev\":-1,"
				    "\"reply_to\":\"openscan/v1/_reply/me\"}");

	assert_true(heard.ret < 0);
	assert_string_equal(heard.err.text, "id must be 1 to 64 letters, digits, _ or -");
	assert_string_equal(heard.command.name, "task/cancel");
	assert_string_equal(heard.command.id, "");
	assert_string_equal(heard.command.request, "r1");
	assert_string_equal(heard.command.reply_to, "openscan/v1/_reply/me");
	forget(&heard);
}

static void the_response_topic_wins(void **state)
{
	(void)state;
	static const char payload[] = "{\"reply_to\":\"openscan/v1/_reply/json\"}";
	struct heard heard = hear_whole("agent/ping", payload, strlen(payload),
					"openscan/v1/_reply/property");

	assert_int_equal(heard.ret, 0);
	assert_string_equal(heard.command.reply_to, "openscan/v1/_reply/property");
	forget(&heard);
}

static void a_reply_topic_that_is_too_long_is_denied(void **state)
{
	(void)state;
	char topic[300];
	struct heard heard;

	memset(topic, 'x', sizeof(topic));
	topic[257] = '\0';
	heard = hear_whole("agent/ping", NULL, 0, topic);

	assert_true(heard.ret < 0);
	assert_string_equal(heard.err.code, "reply_to_denied");
	assert_string_equal(heard.command.reply_to, "");
	forget(&heard);

	topic[256] = '\0';
	heard = hear_whole("agent/ping", NULL, 0, topic);
	assert_string_equal(heard.command.reply_to, topic);
	forget(&heard);
}

static void correlation_data_is_kept_in_a_refusal(void **state)
{
	(void)state;
	struct command command;
	struct topic topic;
	struct err err;

	topic_parse("openscan/v1", "rig1", "openscan/v1/rig1/cmd/agent/ping", &topic);
	int ret = command_parse(&command, &topic, "{", 1, "openscan/v1/_reply/x", "a\0b",
				3, &err);

	assert_true(ret < 0);
	assert_int_equal(command.correlation_size, 3);
	assert_memory_equal(command.correlation, "a\0b", 3);
	assert_string_equal(command.reply_to, "openscan/v1/_reply/x");
	command_clear(&command);
}

static void a_bare_word_creates_a_task_of_that_type(void **state)
{
	(void)state;

	assert_body("task/create", "hello_world_async_task",
		    "{\"type\":\"hello_world_async_task\"}");
	assert_body("task/create", " hello_world_async_task\n",
		    "{\"type\":\"hello_world_async_task\"}");
	assert_body("task/create", "PRESS", "{\"type\":\"PRESS\"}");
	assert_body("task/create", "\xef\xbb\xbf{\"type\":\"x_task\"}",
		    "{\"type\":\"x_task\"}");
	assert_refused("task/create", "", "bad_request",
		       "type is required: send a task type or a JSON object");
	assert_refused("task/create", "[1]", "bad_request",
		       "the payload must be a JSON object");
	assert_refused("task/create", "\xff", "bad_request",
		       "the payload must be a task type or a JSON object");
}

static void a_bare_id_names_the_task(void **state)
{
	(void)state;

	assert_id("task/pause", "cup-1", "cup-1", false);
	assert_id("task/get", "{\"id\":\"cup-1\"}", "cup-1", false);
	assert_refused("task/cancel", "cup 1", "bad_request",
		       "the payload must be a task id (1 to 64 letters, digits, _ or -), "
		       "current "
		       "or a JSON object");
	assert_refused("task/cancel", "\"cup-1\"", "bad_request",
		       "the payload must be a JSON object");
}

static void current_and_press_mean_the_current_task(void **state)
{
	(void)state;

	assert_id("task/cancel", "current", "", true);
	assert_id("task/cancel", "PRESS", "", true);
	assert_id("task/log", "current\n", "", true);
}

static void an_empty_payload_never_means_the_current_task(void **state)
{
	(void)state;

	assert_refused("task/cancel", "", "bad_request",
		       "id is required: send a task id, or current for the current task");
	assert_refused("task/cancel", " \n", "bad_request",
		       "id is required: send a task id, or current for the current task");
	assert_refused("task/cancel", "{}", "bad_request", "id is required");
	assert_refused("task/cancel", "{\"id\":null}", "bad_request", "id is required");
	assert_refused("task/cancel", "{\"id\":\"current\"}", "bad_request",
		       "id must not be current");
}

static void a_light_takes_a_word_or_a_number(void **state)
{
	(void)state;

	assert_body("light/set", "ON", "{\"state\":\"ON\"}");
	assert_body("light/set", "OFF", "{\"state\":\"OFF\"}");
	assert_body("light/set", "40", "{\"brightness\":40,\"state\":\"ON\"}");
	assert_body("light/set", "100", "{\"brightness\":100,\"state\":\"ON\"}");
	assert_body("light/set", "0", "{\"state\":\"OFF\"}");
	assert_body("light/set", "{\"brightness\":5}", "{\"brightness\":5}");

	const char *const wrong[] = {"",   "101",   "-1",   "1.5",
				     "on", "PRESS", "true", "5 5"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refused("light/set", wrong[i], "bad_request",
			       "the payload must be ON, OFF, 0 to 100 or a JSON object");
}

static void verbs_without_arguments_take_nothing_or_press(void **state)
{
	(void)state;
	static const char *const verbs[] = {
		"task/list",	    "task/events",     "queue/pause",	 "queue/resume",
		"queue/clear",	    "project/list",    "motor/home",	 "motor/stop",
		"light/toggle",	    "trigger/fire",    "camera/capture", "camera/preview",
		"camera/calibrate", "camera/settings", "settings/get",	 "device/reload",
		"agent/ping",	    "agent/sync",      "agent/drain",	 "agent/undrain",
		"agent/prune",	    "estop",
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		assert_body(verbs[i], "", "{}");
		assert_body(verbs[i], "PRESS", "{}");
		assert_body(verbs[i], "{\"x\":1}", "{\"x\":1}");
	}
}

static void verbs_with_arguments_need_an_object(void **state)
{
	(void)state;
	static const char *const verbs[] = {
		"project/create", "project/get",  "project/delete", "motor/move",
		"motor/override", "settings/set", "gpio/read",	    "gpio/set"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		assert_refused(verbs[i], "", "bad_request",
			       "the payload must be a JSON object, not empty");
		assert_refused(verbs[i], "5", "bad_request",
			       "the payload must be a JSON object");
		assert_refused(verbs[i], "PRESS", "bad_json",
			       "the payload is not JSON: a value is missing at line 1, "
			       "column 1");
		assert_body(verbs[i], "{}", "{}");
	}
}

static void an_empty_payload_differs_from_an_empty_object(void **state)
{
	(void)state;
	struct heard nothing = hear("agent/ping", "");
	struct heard object = hear("agent/ping", "{}");

	assert_true(nothing.command.empty);
	assert_false(object.command.empty);
	forget(&nothing);
	forget(&object);
}

static void broken_json_is_bad_json(void **state)
{
	(void)state;

	assert_refused("task/create", "{\"type\":", "bad_json",
		       "the payload is not JSON: a value is missing at line 1, column 9");
	assert_refused("task/create", "{\"a\":1,\"a\":2}", "bad_json",
		       "the payload is not JSON: the key 'a' is there twice");
}

static void a_payload_has_at_most_128_kib(void **state)
{
	(void)state;
	size_t size = COMMAND_MAX_PAYLOAD + 1;
	char *payload = malloc(size);

	memset(payload, ' ', size);
	memcpy(payload, "{}", 2);
	struct heard fits = hear_whole("agent/ping", payload, size - 1, NULL);
	struct heard large =
		hear_whole("agent/ping", payload, size, "openscan/v1/_reply/x");

	assert_int_equal(fits.ret, 0);
	assert_true(large.ret < 0);
	assert_string_equal(large.err.code, "payload_too_large");
	assert_string_equal(large.err.text,
			    "the payload must be at most 131072 bytes, not 131073");
	assert_string_equal(large.command.reply_to, "openscan/v1/_reply/x");
	forget(&fits);
	forget(&large);
	free(payload);
}

static void an_unknown_verb_is_answered_with_the_nearest(void **state)
{
	(void)state;
	struct heard heard = hear("task/creat", "{\"request\":\"r1\"}");

	assert_true(heard.ret < 0);
	assert_string_equal(heard.err.code, "unknown_verb");
	assert_string_equal(heard.err.text,
			    "there is no command task/creat (did you mean task/create?)");
	assert_string_equal(heard.command.request, "r1");
	forget(&heard);
	assert_refused("kettle/boil", "now", "unknown_verb",
		       "there is no command kettle/boil");
	assert_refused("task", "", "unknown_verb",
		       "a command's topic ends in cmd/<noun>/<verb> or cmd/estop");
}

static void an_estop_works_whatever_the_message_looks_like(void **state)
{
	(void)state;
	static const char *const payloads[] = {"",  "{",	  "stop!",
					       "5", "{\"id\":5}", "\xff"};
	char topic[300];

	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		struct heard heard = hear("estop", payloads[i]);

		assert_int_equal(heard.ret, 0);
		assert_string_equal(heard.command.name, "estop");
		assert_string_equal(heard.body, "{}");
		forget(&heard);
	}

	memset(topic, 'x', sizeof(topic));
	topic[299] = '\0';
	struct heard heard = hear_whole("estop", NULL, 0, topic);
	assert_int_equal(heard.ret, 0);
	forget(&heard);
}

static void the_hash_ignores_the_envelope_and_the_spelling(void **state)
{
	(void)state;

	assert_true(same_hash("task/create",
			      "{\"id\":\"a\",\"type\":\"t\",\"args\":{\"x\":1,"
			      "\"y\":2}}",
			      "task/create",
			      "{\"args\":{\"y\":2.0,\"x\":1},\"type\":\"t\",\"id\":"
			      "\"b\",\"request\":\"r\",\"if_rev\":1}"));
	assert_true(same_hash("task/create", "t", "task/create", "{\"type\":\"t\"}"));
	assert_true(same_hash("task/pause", "a", "task/pause", "{\"id\":\"a\"}"));
	assert_true(same_hash("agent/drain", "", "agent/drain", "PRESS"));
	assert_false(same_hash("task/create", "t", "task/create", "u"));
	assert_false(same_hash("task/pause", "a", "task/pause", "b"));
	assert_false(same_hash("task/pause", "a", "task/cancel", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_envelope_is_taken_out_of_the_body),
		cmocka_unit_test(a_command_without_envelope_has_none),
		cmocka_unit_test(a_wrong_envelope_field_is_named),
		cmocka_unit_test(a_reserved_name_is_not_an_id),
		cmocka_unit_test(a_refused_command_still_has_its_reply_topic),
		cmocka_unit_test(the_response_topic_wins),
		cmocka_unit_test(a_reply_topic_that_is_too_long_is_denied),
		cmocka_unit_test(correlation_data_is_kept_in_a_refusal),
		cmocka_unit_test(a_bare_word_creates_a_task_of_that_type),
		cmocka_unit_test(a_bare_id_names_the_task),
		cmocka_unit_test(current_and_press_mean_the_current_task),
		cmocka_unit_test(an_empty_payload_never_means_the_current_task),
		cmocka_unit_test(a_light_takes_a_word_or_a_number),
		cmocka_unit_test(verbs_without_arguments_take_nothing_or_press),
		cmocka_unit_test(verbs_with_arguments_need_an_object),
		cmocka_unit_test(an_empty_payload_differs_from_an_empty_object),
		cmocka_unit_test(broken_json_is_bad_json),
		cmocka_unit_test(a_payload_has_at_most_128_kib),
		cmocka_unit_test(an_unknown_verb_is_answered_with_the_nearest),
		cmocka_unit_test(an_estop_works_whatever_the_message_looks_like),
		cmocka_unit_test(the_hash_ignores_the_envelope_and_the_spelling),
	};

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
