/* Settings over MQTT: reading, changing, protection by revision, and changes that need a
 * restart.  Also fetching missed events. */
#include "tests/support/world.h"

#include <stdio.h>
#include <string.h>

#define HELLO "hello_world_async_task"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"

static bool names(const cJSON *list, const char *key)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		if (strcmp(item->valuestring, key) == 0)
			return true;
	return false;
}

static void a_change_applies_at_once_and_survives_a_restart(struct world *w)
{
	const cJSON *set = ask_ok(w, "settings/set",
				  "{'values':{'agent.keep_tasks':60,"
				  "'scheduler.max_concurrent':1}}");

	assert_int_equal(count_at(set, "data.restart_needed"), 0);
	create(w, "a", HELLO, "{'total_steps':10000,'delay':0.05}");
	create(w, "b", HELLO, SHORT_HELLO);
	wait_status(w, "a", "running");
	assert_status(w, "b", "pending");
	world_restart_agent(w);
	const cJSON *got = ask_ok(w, "settings/get", "{'keys':['agent.keep_tasks']}");
	const cJSON *values = at(got, "data.values");
	assert_int_equal(cJSON_GetArraySize(values), 1);
	assert_true(cJSON_GetNumberValue(
			    cJSON_GetObjectItem(values, "agent.keep_tasks")) == 60);
	ask_refused(w, "settings/get", "not_found", "{'keys':['agent.nothing']}");
}

static void changes_that_need_a_restart_are_named_until_then(struct world *w)
{
	const cJSON *set =
		ask_ok(w, "settings/set", "{'values':{'fleet.groups':['left']}}");

	assert_true(names(at(set, "data.restart_needed"), "fleet.groups"));
	wait_message(w, 0, BASE "/settings", "\"restart_needed\":[\"fleet.groups\"]");
	world_restart_agent(w);
	const cJSON *now = ask_ok(w, "settings/get", "{}");
	assert_int_equal(count_at(now, "data.restart_needed"), 0);
	assert_string_equal(
		text_at(ask_topic(w, ROOT "/_group/left/cmd/agent/ping", "{}", 2),
			"code"),
		"ok");
}

static void a_remote_change_never_keeps_a_rig_from_starting(struct world *w)
{
	ask_ok(w, "settings/set",
	       "{'values':{'task_autodiscovery_ignore_modules':['scan_task']}}");

	world_restart_agent(w);

	wait_message(w, 0, BASE "/info",
		     "task_autodiscovery_ignore_modules has no effect");
	create(w, "a", HELLO, SHORT_HELLO);
	wait_status(w, "a", "completed");
}

static void a_value_hidden_by_the_environment_is_reported(struct world *w)
{
	const cJSON *set = ask_ok(w, "settings/set", "{'values':{'sim_speed':3}}");
	const cJSON *problem = cJSON_GetArrayItem(at(set, "data.problems"), 0);

	assert_non_null(strstr(cJSON_GetStringValue(problem), "sim_speed has no effect"));
	set = ask_ok(w, "settings/set", "{'values':{'sim_speed':null}}");
	assert_int_equal(count_at(set, "data.problems"), 0);
}

static void if_rev_protects_settings(struct world *w)
{
	double rev = number_at(ask_ok(w, "settings/get", "{}"), "rev");

	const cJSON *first = ask_ok(
		w, "settings/set", "{'values':{'agent.keep_days':9},'if_rev':%.0f}", rev);
	const cJSON *second =
		ask_refused(w, "settings/set", "rev_conflict",
			    "{'values':{'agent.keep_days':8},'if_rev':%.0f}", rev);

	assert_true(number_at(first, "rev") == rev + 1);
	assert_true(number_at(second, "current.rev") == rev + 1);
	wait_value(w, BASE "/settings", "values.agent.keep_days", "9");
	wait_event(w, 0, "settings.changed", NULL);
}

static void all_changes_are_made_or_none(struct world *w)
{
	const cJSON *range = ask_refused(
		w, "settings/set", "invalid_args",
		"{'values':{'agent.keep_days':7,'scheduler.max_concurrent':0}}");
	const cJSON *typo = ask_refused(w, "settings/set", "invalid_args",
					"{'values':{'agent.kep_days':7}}");

	assert_non_null(strstr(text_at(range, "message"), "1 to 64"));
	assert_non_null(strstr(text_at(typo, "message"), "agent.keep_days"));
	wait_value(w, BASE "/settings", "values.agent.keep_days", "30");
}

static void null_restores_the_default(struct world *w)
{
	ask_ok(w, "settings/set", "{'values':{'agent.keep_days':7}}");
	wait_value(w, BASE "/settings", "values.agent.keep_days", "7");

	ask_ok(w, "settings/set", "{'values':{'agent.keep_days':null}}");

	wait_value(w, BASE "/settings", "values.agent.keep_days", "30");
}

static void a_value_of_the_environment_stays_and_is_reported(struct world *w)
{
	ask_ok(w, "settings/set", "{'values':{'sim_speed':3}}");

	wait_value(w, BASE "/settings", "values.sim_speed", "1000");
	world_restart_agent(w);
	wait_message(w, 0, BASE "/info", "OPENSCAN_SIM_SPEED");
}

static void a_local_only_setting_is_refused(struct world *w)
{
	ask_refused(w, "settings/set", "invalid_args", "{'values':{'device.id':'x'}}");
	ask_refused(w, "settings/set", "invalid_args",
		    "{'values':{'export.roots':['/etc']}}");
}

/* Without a gap, from the consumer's last event on, page by page. */
static void a_consumer_can_fetch_missed_events(struct world *w)
{
	double first, seq;

	create(w, "a", HELLO, SHORT_HELLO);
	first = number_at(wait_event(w, 0, "task.completed", "a"), "seq");
	for (int i = 0; i < 8; i++) {
		create(w, quoted(w, "t%d", i), HELLO, SHORT_HELLO);
		wait_event(w, 0, "task.completed", quoted(w, "t%d", i));
	}
	world_restart_agent(w);

	seq = first;
	for (;;) {
		const cJSON *page =
			ask_ok(w, "task/events", "{'since':%.0f,'limit':5}", seq);
		const cJSON *event;

		cJSON_ArrayForEach(event, at(page, "data.events"))
			assert_true(number_at(event, "seq") == ++seq);
		if (count_at(page, "data.events") == 0)
			break;
	}

	assert_true(seq >= first + 3 * 8); /* created, started, completed */
	assert_true(number_at(ask_ok(w, "task/events", "{}"), "data.oldest") == 1);
}

static const struct test tests[] = {
	TEST(a_change_applies_at_once_and_survives_a_restart),
	TEST(changes_that_need_a_restart_are_named_until_then),
	TEST(a_value_hidden_by_the_environment_is_reported),
	TEST(a_remote_change_never_keeps_a_rig_from_starting),
	TEST(if_rev_protects_settings),
	TEST(all_changes_are_made_or_none),
	TEST(null_restores_the_default),
	TEST(a_value_of_the_environment_stays_and_is_reported),
	TEST(a_local_only_setting_is_refused),
	TEST(a_consumer_can_fetch_missed_events),
};

int main(int argc, char **argv)
{
	return world_run("settings", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
