/* Tests topics and names. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mqtt/topic.h"

#define ROOT "openscan/v1"

static struct topic parsed(const char *text)
{
	struct topic topic;

	topic_parse(ROOT, "rig1", text, &topic);
	return topic;
}

static void assert_command(const char *text, enum topic_scope scope, const char *noun,
			   const char *verb)
{
	struct topic topic = parsed(text);

	assert_int_equal(topic.kind, TOPIC_COMMAND);
	assert_int_equal(topic.scope, scope);
	assert_string_equal(topic.noun, noun);
	assert_string_equal(topic.verb, verb);
}

static void assert_kind(const char *text, enum topic_kind kind)
{
	assert_int_equal(parsed(text).kind, kind);
}

static bool allowed(const char *topic)
{
	return topic_reply_allowed(ROOT, "rig1", topic);
}

static void names_have_1_to_64_plain_characters(void **state)
{
	(void)state;
	char longest[66];

	memset(longest, 'x', 65);
	longest[65] = '\0';

	assert_true(topic_name_valid("Cup_1-b"));
	assert_true(topic_name_valid("_"));
	assert_false(topic_name_valid(""));
	assert_false(topic_name_valid("a b"));
	assert_false(topic_name_valid("a/b"));
	assert_false(topic_name_valid("a.b"));
	assert_false(topic_name_valid("ü"));
	assert_false(topic_name_valid("+"));
	assert_false(topic_name_valid(longest));
	assert_true(topic_name_valid(longest + 1));
}

static void requests_may_hold_dots_and_colons_too(void **state)
{
	(void)state;

	assert_true(topic_request_valid("urn:uuid:1.2-3_4"));
	assert_false(topic_request_valid("a/b"));
	assert_false(topic_request_valid(""));
}

static void a_device_does_not_begin_with_an_underscore(void **state)
{
	(void)state;

	assert_true(topic_device_valid("rig_1"));
	assert_false(topic_device_valid("_all"));
	assert_false(topic_device_valid(""));
}

static void commands_are_known_by_scope_noun_and_verb(void **state)
{
	(void)state;

	assert_command("openscan/v1/rig1/cmd/task/create", SCOPE_DEVICE, "task",
		       "create");
	assert_command("openscan/v1/rig1/cmd/estop", SCOPE_DEVICE, "estop", "");
	assert_command("openscan/v1/_all/cmd/agent/ping", SCOPE_ALL, "agent", "ping");
	assert_command("openscan/v1/_all/cmd/estop", SCOPE_ALL, "estop", "");
	assert_command("openscan/v1/_group/lab/cmd/task/list", SCOPE_GROUP, "task",
		       "list");
	assert_string_equal(parsed("openscan/v1/_group/lab/cmd/task/list").name, "lab");
}

static void a_command_of_a_wrong_depth_has_no_noun(void **state)
{
	(void)state;

	assert_command("openscan/v1/rig1/cmd/task", SCOPE_DEVICE, "", "");
	assert_command("openscan/v1/rig1/cmd/task/create/now", SCOPE_DEVICE, "", "");
	assert_command("openscan/v1/rig1/cmd/a/b/c/d/e/f", SCOPE_DEVICE, "", "");
	assert_command("openscan/v1/rig1/cmd/", SCOPE_DEVICE, "", "");
	assert_command("openscan/v1/rig1/cmd//create", SCOPE_DEVICE, "", "");
	assert_command("openscan/v1/rig1/cmd/task/", SCOPE_DEVICE, "", "");
	assert_command("openscan/v1/rig1/cmd/t ask/create", SCOPE_DEVICE, "", "");
	assert_command("openscan/v1/_all/cmd/task", SCOPE_ALL, "", "");
}

static void a_topic_level_of_any_length_is_handled(void **state)
{
	(void)state;
	char text[1100] = ROOT "/rig1/cmd/task/";
	char group[1100] = ROOT "/_group/";

	memset(text + strlen(text), 'x', 1000);
	memset(group + strlen(group), 'x', 1000);

	assert_command(text, SCOPE_DEVICE, "", "");
	assert_kind(group, TOPIC_OTHER);
}

static void the_agents_own_topics_are_known(void **state)
{
	(void)state;

	assert_kind("openscan/v1/rig1/reply/_barrier", TOPIC_BARRIER);
	assert_kind("openscan/v1/rig1/info", TOPIC_INFO);
	assert_kind("openscan/v1/rig1/task/cup-1", TOPIC_TASK);
	assert_kind("openscan/v1/rig1/types/scan_task", TOPIC_TYPE);
	assert_string_equal(parsed("openscan/v1/rig1/task/cup-1").name, "cup-1");
	assert_kind("openscan/v1/rig1/task/cup-1/progress", TOPIC_OTHER);
	assert_kind("openscan/v1/rig1/task/", TOPIC_OTHER);
	assert_kind("openscan/v1/rig1/status", TOPIC_OTHER);
	assert_kind("homeassistant/status", TOPIC_BIRTH);
	assert_kind("/status", TOPIC_OTHER);
	assert_kind("homeassistant/mystatus", TOPIC_OTHER);
}

static void topics_of_others_are_of_the_kind_other(void **state)
{
	(void)state;

	assert_kind("openscan/v1/rig2/cmd/task/create", TOPIC_OTHER);
	assert_kind("openscan/v1/rig11/cmd/task/create", TOPIC_OTHER);
	assert_kind("openscan/v2/rig1/cmd/task/create", TOPIC_OTHER);
	assert_kind("openscan/v1", TOPIC_OTHER);
	assert_kind("openscan/v1/rig1", TOPIC_OTHER);
	assert_kind("openscan/v1/_all/info", TOPIC_OTHER);
	assert_kind("openscan/v1/_group/cmd/task/list", TOPIC_OTHER);
	assert_kind("openscan/v1/_group/a b/cmd/task/list", TOPIC_OTHER);
	assert_kind("", TOPIC_OTHER);
}

static void a_topic_is_never_truncated(void **state)
{
	(void)state;
	char out[TOPIC_MAX];
	char tail[300];

	memset(tail, 'x', sizeof(tail));
	tail[239] = '\0';

	assert_string_equal(topic_make(out, ROOT, "rig1", "task/%s", "cup-1"),
			    "openscan/v1/rig1/task/cup-1");
	assert_int_equal(strlen(topic_make(out, ROOT, "rig1", "%s", tail)), 256);
	assert_string_equal(topic_make(out, ROOT, "rig1", "%sx", tail), "");
	tail[299] = '\0';
	tail[239] = 'x';
	assert_string_equal(topic_make(out, tail, "rig1", "info"), "");
}

static void replies_are_allowed_only_below_reply(void **state)
{
	(void)state;

	assert_true(allowed("openscan/v1/rig1/reply/me"));
	assert_true(allowed("openscan/v1/rig1/reply/a/b c"));
	assert_true(allowed("openscan/v1/_reply/console/7"));
	assert_false(allowed("openscan/v1/rig1/cmd/estop"));
	assert_false(allowed("openscan/v1/rig2/reply/me"));
	assert_false(allowed("openscan/v1/rig1/replyx/me"));
	assert_false(allowed("openscan/v1/rig1/reply"));
	assert_false(allowed("openscan/v1/rig1/reply/"));
	assert_false(allowed("openscan/v1/_reply"));
	assert_false(allowed("elsewhere"));
	assert_false(allowed(""));
}

static void a_reply_topic_must_be_a_valid_topic_name(void **state)
{
	(void)state;
	char text[300] = ROOT "/_reply/";

	assert_false(allowed("openscan/v1/_reply/#"));
	assert_false(allowed("openscan/v1/_reply/+/a"));
	assert_false(allowed("openscan/v1/_reply/a+b"));
	assert_false(allowed("openscan/v1/_reply//a"));
	assert_false(allowed("openscan/v1/_reply/a/"));
	assert_false(allowed("openscan/v1/_reply/a\nb"));
	assert_false(allowed("openscan/v1/_reply/\xff"));
	memset(text + strlen(text), 'x', 256 - strlen(text));
	assert_true(allowed(text));
	strcat(text, "x");
	assert_false(allowed(text));
}

static void a_reply_is_never_taken_for_the_barrier(void **state)
{
	(void)state;

	assert_false(allowed("openscan/v1/rig1/reply/_barrier"));
	assert_true(allowed("openscan/v1/rig1/reply/_barrier/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_1_to_64_plain_characters),
		cmocka_unit_test(requests_may_hold_dots_and_colons_too),
		cmocka_unit_test(a_device_does_not_begin_with_an_underscore),
		cmocka_unit_test(commands_are_known_by_scope_noun_and_verb),
		cmocka_unit_test(a_command_of_a_wrong_depth_has_no_noun),
		cmocka_unit_test(a_topic_level_of_any_length_is_handled),
		cmocka_unit_test(the_agents_own_topics_are_known),
		cmocka_unit_test(topics_of_others_are_of_the_kind_other),
		cmocka_unit_test(a_topic_is_never_truncated),
		cmocka_unit_test(replies_are_allowed_only_below_reply),
		cmocka_unit_test(a_reply_topic_must_be_a_valid_topic_name),
		cmocka_unit_test(a_reply_is_never_taken_for_the_barrier),
	};

	return cmocka_run_group_tests_name("topic", tests, NULL, NULL);
}
