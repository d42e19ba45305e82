/* Task files of OpenScan3, used unchanged. */
#include "tests/support/world.h"

#include <string.h>

static const struct world_options documented = {
	.community = "tests/e2e/community/documented.py",
};

static const struct world_options with_rig = {
	.community = "tests/e2e/community/rig.py",
};

static void the_documented_class_runs_when_its_name_is_sent(struct world *w)
{
	tell(w, "task/create", "my_custom_task");

	const cJSON *started =
		document(w, wait_message(w, 0, BASE "/task/+/progress", "Starting..."));
	const cJSON *event = wait_event(w, 0, "task.completed", NULL);
	const cJSON *task = task_now(w, text_at(event, "id"));

	assert_true(number_at(started, "total") == 10);
	assert_string_equal(text_at(task, "status"), "completed");
	assert_string_equal(text_at(task, "result"), "Done!");
	assert_string_equal(text_at(task, "category"), "example");
}

static void any_arguments_pass_where_the_signature_takes_any(struct world *w)
{
	create(w, "a", "my_custom_task", "{'what':'ever'}");

	wait_status(w, "a", "completed");
}

static void arguments_are_checked_against_the_signature(struct world *w)
{
	ask_refused(w, "task/create", "invalid_args", "photograph_task");
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'photograph_task','args':{'degrees':'far'}}");
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'photograph_task','args':{'degrees':1,'more':1}}");
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'photograph_task','args':{'degrees':1,'fast':1}}");

	const cJSON *type = parsed(w, retained(w, BASE "/types/photograph_task"));

	assert_string_equal(text_at(type, "title"), "Turns, lights and takes a photo");
	assert_string_equal(text_at(type, "args.properties.name.default"), "turntable");
	assert_true(bool_at(type, "is_blocking"));
}

static void a_class_can_use_the_rig(struct world *w)
{
	create(w, "a", "photograph_task", "{'degrees':120}");

	const cJSON *task = wait_status(w, "a", "completed");

	assert_true(number_at(task, "result.angle") > 119.8);
	assert_true(number_at(task, "result.angle") < 120.2);
	assert_true(number_at(task, "result.bytes") > 1000);
	assert_true(number_at(task, "result.bytes") == number_at(task, "result.on_disk"));
	assert_true(bool_at(task, "result.is_jpeg"));
	assert_string_equal(text_at(task, "result.fired"), "external");
	wait_value(w, BASE "/light/ringlight", "state", "OFF");
}

static void output_and_logging_of_a_class_are_in_the_tasks_log(struct world *w)
{
	create(w, "a", "photograph_task", "{'degrees':10}");
	wait_status(w, "a", "completed");

	const cJSON *log = ask_ok(w, "task/log", "{'id':'a'}");
	char *text = cJSON_PrintUnformatted(log);
	bool printed = strstr(text, "printed words");
	bool logged = strstr(text, "logged words");

	cJSON_free(text);
	assert_true(printed);
	assert_true(logged);
}

static void the_limits_of_the_rig_hold_for_community_code(struct world *w)
{
	create(w, "a", "photograph_task", "{'degrees':500,'name':'rotor'}");

	const cJSON *task = wait_status(w, "a", "error");

	assert_string_equal(text_at(task, "error.code"), "invalid_args");
}

static void a_device_that_is_not_declared_is_refused(struct world *w)
{
	create(w, "a", "trespass_task", NULL);

	const cJSON *task = wait_status(w, "a", "error");

	assert_string_equal(text_at(task, "error.code"), "not_supported");
}

static void a_class_has_its_devices_alone(struct world *w)
{
	create(w, "a", "wander_task", NULL);
	wait_step(w, "a", 2);

	ask_refused(w, "motor/move", "device_busy", "{'name':'turntable','degrees':0}");
	create(w, "b", "photograph_task", "{'degrees':10}");
	assert_status(w, "b", "pending");
	ask_ok(w, "task/cancel", "a");

	wait_status(w, "a", "cancelled");
	wait_status(w, "b", "completed");
}

static void a_pause_halts_the_motor(struct world *w)
{
	create(w, "a", "wander_task", NULL);
	wait_step(w, "a", 2);

	ask_ok(w, "task/pause", "a");
	wait_status(w, "a", "paused");
	double before = number_at(task_now(w, "a"), "progress.current");
	deadline_let_pass(300);
	double after = number_at(task_now(w, "a"), "progress.current");
	ask_ok(w, "task/resume", "a");

	assert_true(before == after);
	wait_step(w, "a", before + 2);
}

static void an_emergency_stop_takes_the_rig_away(struct world *w)
{
	create(w, "a", "wander_task", NULL);
	wait_step(w, "a", 2);

	ask_ok(w, "estop", "{}");

	const cJSON *task = wait_status(w, "a", "interrupted");
	assert_non_null(at(task, "error.message"));
	wait_value(w, BASE "/motor/turntable", "busy", "false");
}

static void a_bad_class_is_named_and_does_not_affect_others(struct world *w)
{
	const char *info = retained(w, BASE "/info");

	assert_non_null(strstr(info, "NamelessTask"));
	assert_non_null(strstr(info, "Badly-Named"));
	assert_non_null(retained(w, BASE "/types/wander_task"));
}

static void bring(struct world *w, const char *name, const char *text)
{
	assert_int_equal(device_community(&w->device, name, text, strlen(text)), 0);
}

static void a_broken_file_is_reported_with_its_line(struct world *w)
{
	bring(w, "broken.py", "import this_is_not_there\n");
	bring(w, "out.py",
	      "__openscan_autodiscover__ = False\nfrom documented import *\n");

	ask_ok(w, "agent/sync", "{}");

	wait_message(w, 0, BASE "/info", "line 1: ModuleNotFoundError");
	create(w, "a", "my_custom_task", NULL);
	wait_status(w, "a", "completed");
}

static const struct test tests[] = {
	TEST_WITH(the_documented_class_runs_when_its_name_is_sent, documented),
	TEST_WITH(any_arguments_pass_where_the_signature_takes_any, documented),
	TEST_WITH(arguments_are_checked_against_the_signature, with_rig),
	TEST_WITH(a_class_can_use_the_rig, with_rig),
	TEST_WITH(output_and_logging_of_a_class_are_in_the_tasks_log, with_rig),
	TEST_WITH(the_limits_of_the_rig_hold_for_community_code, with_rig),
	TEST_WITH(a_device_that_is_not_declared_is_refused, with_rig),
	TEST_WITH(a_class_has_its_devices_alone, with_rig),
	TEST_WITH(a_pause_halts_the_motor, with_rig),
	TEST_WITH(an_emergency_stop_takes_the_rig_away, with_rig),
	TEST_WITH(a_bad_class_is_named_and_does_not_affect_others, with_rig),
	TEST_WITH(a_broken_file_is_reported_with_its_line, documented),
};

int main(int argc, char **argv)
{
	return world_run("python", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
