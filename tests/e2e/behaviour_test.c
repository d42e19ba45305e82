/* The behaviours that OpenScan3's own tests check, by their numbers, seen over MQTT.
 * Numbers 1 to 17 are checked for the example types as built-in types, as a program, as a
 * shared object and as a Python file. */
#include "tests/support/world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "hello_world_async_task"
#define BLOCKING "hello_world_blocking_task"
#define EXCLUSIVE "exclusive_demo_task"
#define GENERATOR "generator_task"
#define LONG_HELLO "{'total_steps':10000,'delay':0.05}"

static void behaviour_01_a_demo_task_completes_with_its_result(struct world *w)
{
	create(w, "a", HELLO, "{'total_steps':2,'delay':0.01}");

	const cJSON *task = wait_status(w, "a", "completed");

	assert_non_null(strstr(text_at(task, "result"), "Completed 2 steps"));
}

static void behaviour_02_three_async_tasks_run_and_the_fourth_waits(struct world *w)
{
	const char *ids[] = {"a", "b", "c"};

	for (size_t i = 0; i < 3; i++)
		create(w, ids[i], HELLO, LONG_HELLO);
	create(w, "d", HELLO, LONG_HELLO);

	for (size_t i = 0; i < 3; i++)
		wait_status(w, ids[i], "running");
	assert_status(w, "d", "pending");
	ask_ok(w, "task/cancel", "b");
	wait_status(w, "d", "running");
}

static void behaviour_03_an_async_task_waits_for_a_running_exclusive_one(struct world *w)
{
	create(w, "x", EXCLUSIVE, "{'duration':60}");
	wait_status(w, "x", "running");

	create(w, "a", HELLO, "{'total_steps':1,'delay':0.01}");

	assert_status(w, "a", "pending");
	ask_ok(w, "task/cancel", "x");
	wait_status(w, "a", "completed");
}

static void behaviour_04_an_exclusive_task_waits_for_a_running_async_one(struct world *w)
{
	create(w, "a", HELLO, LONG_HELLO);
	wait_status(w, "a", "running");

	create(w, "x", EXCLUSIVE, "{'duration':0.1}");

	assert_status(w, "x", "pending");
	ask_ok(w, "task/cancel", "a");
	wait_status(w, "x", "completed");
}

static void
behaviour_05_a_pending_exclusive_task_holds_back_those_behind_it(struct world *w)
{
	const char *ids[] = {"a", "b", "c"};

	for (size_t i = 0; i < 3; i++)
		create(w, ids[i], HELLO, LONG_HELLO);
	create(w, "x", EXCLUSIVE, "{'duration':0.1}");

	create(w, "d", HELLO, "{'total_steps':1,'delay':0.01}");

	assert_status(w, "d", "pending");
	ask_ok(w, "task/cancel", "a");
	wait_status(w, "a", "cancelled");
	assert_status(w, "d", "pending");
	assert_status(w, "x", "pending");
	ask_ok(w, "task/cancel", "b");
	ask_ok(w, "task/cancel", "c");
	wait_status(w, "x", "completed");
	wait_status(w, "d", "completed");
}

static void behaviour_06_exclusive_tasks_run_one_after_the_other_in_order(struct world *w)
{
	double duration = patient_s(600);

	create(w, "blocker", HELLO, LONG_HELLO);
	create(w, "x", EXCLUSIVE, quoted(w, "{'duration':%g}", duration));
	create(w, "y", EXCLUSIVE, "{'duration':0.2}");

	ask_ok(w, "task/cancel", "blocker");

	wait_status(w, "x", "running");
	assert_status(w, "y", "pending");
	const cJSON *x = wait_status(w, "x", "completed");
	const cJSON *y = wait_status(w, "y", "completed");
	assert_true(number_at(x, "result.duration") == duration);
	assert_true(number_at(y, "result.duration") == 0.2);
	assert_true(strcmp(text_at(x, "completed_at"), text_at(y, "started_at")) <= 0);
}

static void behaviour_07_a_blocking_task_needs_no_async_slot(struct world *w)
{
	create(w, "a", HELLO, LONG_HELLO);
	create(w, "b", HELLO, LONG_HELLO);
	create(w, "c", HELLO, LONG_HELLO);

	create(w, "block", BLOCKING, "{'duration':30}");

	wait_status(w, "block", "running");
}

static void behaviour_08_a_blocking_task_does_not_slow_an_async_one(struct world *w)
{
	create(w, "block", BLOCKING, "{'duration':60}");
	wait_status(w, "block", "running");

	create(w, "a", HELLO, "{'total_steps':1,'delay':0.01}");

	wait_status(w, "a", "completed");
	assert_status(w, "block", "running");
	ask_ok(w, "task/cancel", "block");
	wait_status(w, "block", "cancelled");
}

/* The generator, with steps slow enough for the test to act in between, even on a slow
 * machine. */
static const char *twenty_steps(struct world *w)
{
	return quoted(w, "{'total_steps':20,'interval':%g}", patient_s(50));
}

static void behaviour_09_a_paused_task_stays_paused_until_it_is_resumed(struct world *w)
{
	create(w, "g", GENERATOR, twenty_steps(w));
	wait_status(w, "g", "running");

	ask_ok(w, "task/pause", "g");
	const cJSON *paused = wait_status(w, "g", "paused");
	deadline_let_pass(300);
	const cJSON *later = task_now(w, "g");

	assert_string_equal(text_at(later, "status"), "paused");
	assert_true(number_at(later, "progress.current") ==
		    number_at(paused, "progress.current"));
	ask_ok(w, "task/resume", "g");
	wait_status(w, "g", "running");
	wait_status(w, "g", "completed");
}

static void behaviour_10_progress_has_its_total_early_and_ends_at_it(struct world *w)
{
	create(w, "g", GENERATOR, "{'total_steps':5,'interval':0.2}");

	const struct message *first =
		wait_message(w, 0, BASE "/task/g/progress", "\"total\":5");
	const cJSON *end = wait_status(w, "g", "completed");

	assert_true(number_at(document(w, first), "current") < 5);
	assert_true(number_at(end, "progress.total") == 5);
	assert_true(number_at(end, "progress.current") == 5);
}

static void
behaviour_11_a_cancelled_task_starts_over_when_it_is_restarted(struct world *w)
{
	create(w, "g", GENERATOR, twenty_steps(w));
	wait_step(w, "g", 5);

	ask_ok(w, "task/cancel", "g");
	const cJSON *cancelled = wait_status(w, "g", "cancelled");
	const cJSON *again = ask_ok(w, "task/restart", "{'id':'g','from':'start'}");

	assert_true(number_at(cancelled, "progress.current") > 0);
	assert_true(number_at(cancelled, "progress.current") < 20);
	assert_true(number_at(again, "data.progress.current") == 0);
	const cJSON *end = wait_status(w, "g", "completed");
	assert_true(number_at(end, "progress.current") == 20);
	assert_true(number_at(end, "resumed") == 0);
}

static void behaviour_12_a_running_task_is_cancelled_within_two_seconds(struct world *w)
{
	create(w, "a", HELLO, "{'total_steps':2,'delay':60}");
	wait_status(w, "a", "running");
	int64_t asked = deadline_now();

	ask_ok(w, "task/cancel", "a");
	const cJSON *task = wait_status(w, "a", "cancelled");

	assert_true(deadline_now() - asked < deadline_patient(2000));
	assert_non_null(strstr(text_at(task, "error.message"), "cancelled"));
}

static void behaviour_13_a_pending_task_that_is_cancelled_never_runs(struct world *w)
{
	char *file = below(w, "count");

	create(w, "x", EXCLUSIVE, "{'duration':60}");
	wait_status(w, "x", "running");
	create(w, "a", "count_task", quoted(w, "{'file':'%s'}", file));
	size_t mark = client_mark(w->client);

	ask_ok(w, "task/cancel", "a");

	const cJSON *task = wait_status(w, "a", "cancelled");
	assert_true(number_at(task, "progress.current") == 0);
	assert_true(cJSON_IsNull(at(task, "result")));
	assert_true(cJSON_IsNull(at(task, "started_at")));
	wait_value(w, BASE "/queue", "depth", "0");
	ask_ok(w, "task/cancel", "x");
	wait_status(w, "x", "cancelled");
	create(w, "b", HELLO, "{'total_steps':1,'delay':0.01}");
	wait_status(w, "b", "completed");
	assert_false(event_seen(w, mark, "task.started", "a"));
	assert_int_equal(lines_of(file), 0);
}

static void behaviour_14_a_failing_task_says_why_even_after_a_restart(struct world *w)
{
	create(w, "f", "failing_task", "{'error_message':'the lamp is broken'}");

	const cJSON *task = wait_status(w, "f", "error");
	world_restart_agent(w);
	const cJSON *later = task_now(w, "f");

	assert_string_equal(text_at(task, "error.message"), "the lamp is broken");
	assert_string_equal(text_at(later, "status"), "error");
	assert_string_equal(text_at(later, "error.message"), "the lamp is broken");
}

static void behaviour_15_every_change_of_status_is_published_and_stored(struct world *w)
{
	create(w, "g", GENERATOR, twenty_steps(w));

	wait_status(w, "g", "running");
	assert_status(w, "g", "running");
	ask_ok(w, "task/pause", "g");
	wait_status(w, "g", "paused");
	assert_status(w, "g", "paused");
	ask_ok(w, "task/resume", "g");
	wait_status(w, "g", "running");
	wait_status(w, "g", "completed");

	wait_event(w, 0, "task.created", "g");
	wait_event(w, 0, "task.started", "g");
	wait_event(w, 0, "task.paused", "g");
	wait_event(w, 0, "task.resumed", "g");
	wait_event(w, 0, "task.completed", "g");
	assert_revs_grow(w);
}

/* The original forgot finished tasks; the agent keeps them, and interrupts only tasks
 * that cannot resume. */
static void
behaviour_16_a_restart_keeps_the_finished_and_interrupts_the_others(struct world *w)
{
	create(w, "done", HELLO, "{'total_steps':1,'delay':0.01}");
	wait_status(w, "done", "completed");
	create(w, "run", HELLO, LONG_HELLO);
	create(w, "held", HELLO, LONG_HELLO);
	wait_progress(w, "run", 1);
	wait_progress(w, "held", 1);
	ask_ok(w, "task/pause", "held");
	wait_status(w, "held", "paused");

	world_restart_agent(w);

	assert_status(w, "done", "completed");
	assert_status(w, "run", "interrupted");
	assert_status(w, "held", "interrupted");
}

static void
behaviour_17_an_interrupted_task_keeps_its_progress_and_can_be_continued(struct world *w)
{
	ask_ok(w, "task/create",
	       "{'id':'g','type':'generator_task','on_interrupt':'interrupt',"
	       "'args':{'total_steps':8,'interval':0.5}}");
	wait_step(w, "g", 3);

	world_restart_agent(w);

	const cJSON *task = wait_status(w, "g", "interrupted");
	assert_true(number_at(task, "progress.current") > 0);
	assert_true(strlen(text_at(task, "error.message")) > 0);
	ask_ok(w, "task/restart", "g");
	const cJSON *end = wait_status(w, "g", "completed");
	assert_true(number_at(end, "progress.current") == 8);
	assert_true(number_at(end, "resumed") == 1);
}

static bool is_database(const char *path)
{
	size_t size = 0;
	char *text = file_read(path, &size);
	bool yes = text && size > 16 && memcmp(text, "SQLite format 3", 16) == 0;

	free(text);
	return yes;
}

/* Overwrites the beginning of every database in folder; returns how many there were. */
static int damage(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[PATH_MAX + NAME_MAX + 2];
	int count = 0;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (!is_database(path))
			continue;
		file_write(path, "this is no database, only text", 30);
		count++;
	}
	if (dir)
		closedir(dir);
	return count;
}

/* In the original one damaged file was one lost task; here all tasks are in one file,
 * which is set aside. */
static void
behaviour_18_damaged_records_are_set_aside_and_the_agent_starts(struct world *w)
{
	create(w, "a", HELLO, "{'total_steps':1,'delay':0.01}");
	wait_status(w, "a", "completed");
	world_stop_agent(w);
	assert_int_equal(damage(w->device.state_dir), 1);

	world_start_agent(w);

	create(w, "b", HELLO, "{'total_steps':1,'delay':0.01}");
	wait_status(w, "b", "completed");
	const char *info = retained(w, BASE "/info");
	assert_non_null(info);
	assert_non_null(strstr(info, "damaged"));
}

static void behaviour_19_a_stored_task_of_an_unknown_type_says_so(struct world *w)
{
	create(w, "x", EXCLUSIVE, "{'duration':60}");
	wait_status(w, "x", "running");
	create(w, "a", "count_task", quoted(w, "{'file':'%s'}", below(w, "count")));
	world_kill_agent(w);
	device_settings(&w->device,
			"{'task_autodiscovery_ignore_modules':['count_task']}");

	world_start_agent(w);

	const cJSON *task = wait_status(w, "a", "error");
	assert_string_equal(text_at(task, "error.code"), "unknown_type");
	assert_string_equal(text_at(task, "error.message"),
			    "Task type 'count_task' is not registered. Cannot restore.");
}

static void behaviour_20_only_ended_tasks_can_be_deleted(struct world *w)
{
	create(w, "a", HELLO, LONG_HELLO);
	wait_status(w, "a", "running");

	ask_refused(w, "task/delete", "invalid_state", "a");
	ask_ok(w, "task/cancel", "a");
	wait_status(w, "a", "cancelled");
	size_t mark = client_mark(w->client);
	ask_ok(w, "task/delete", "a");
	const cJSON *unknown = ask_ok(w, "task/delete", "never-was");

	assert_true(bool_at(unknown, "data.gone"));
	ask_refused(w, "task/get", "not_found", "a");
	wait_event(w, mark, "task.deleted", "a");
	assert_null(retained(w, BASE "/task/a"));
}

static bool at_the_end(const struct message *message, const void *context)
{
	(void)context;
	return strstr(message->payload, "\"current\":400") != NULL;
}

/* The original thinned noisy progress by percents; the agent does it by time, five per
 * second. */
static void behaviour_21_noisy_progress_is_thinned(struct world *w)
{
	create(w, "g", HELLO, "{'total_steps':400,'delay':0.005}");
	double seconds = number_at(wait_status(w, "g", "completed"), "elapsed_s");

	client_wait(w->client, 0, BASE "/task/g/progress", at_the_end, NULL, 1000, NULL);
	size_t published = client_count(w->client, 0, BASE "/task/g/progress");
	size_t documents = client_count(w->client, 0, BASE "/task/g");

	assert_in_range(published, 1, (uintmax_t)(seconds * 5) + 3);
	assert_in_range(documents, 1, (uintmax_t)(seconds / 2) + 6);
}

static const struct world_options core_only = {
	.settings = "{'task_autodiscovery_enabled':false}",
};

static void behaviour_22_the_core_types_are_there_without_autodiscovery(struct world *w)
{
	assert_non_null(retained(w, BASE "/types/scan_task"));

	assert_null(retained(w, BASE "/types/" HELLO));
	ask_refused(w, "task/create", "unknown_type", HELLO);
}

static const struct world_options one_ignored = {
	.settings = "{'task_autodiscovery_ignore_modules':['failing_task']}",
};

static void behaviour_22_a_type_can_be_left_out(struct world *w)
{
	assert_non_null(retained(w, BASE "/types/scan_task"));
	assert_non_null(retained(w, BASE "/types/" HELLO));

	assert_null(retained(w, BASE "/types/failing_task"));
}

/* The kind of the example types; set by main(). */
static struct world_options kind;

#define OVERRIDE "{'task_autodiscovery_override_on_conflict':true}"

static const struct {
	const char *name;
	struct world_options options;
} kinds[] = {
	{"built-in", {0}},
	{"program",
	 {.settings = OVERRIDE, .community = "tasks/community/examples/demo_tasks"}},
	{"object", {.settings = OVERRIDE, .community = OPENSCAN_TEST_OBJECT}},
	{"python",
	 {.settings = OVERRIDE, .community = "tasks/community/examples/demo_tasks.py"}},
};

/* That file must run, not the built-in types. */
static void the_types_come_from_the_file(struct world *w)
{
	const char *types[] = {HELLO, BLOCKING, EXCLUSIVE, GENERATOR, "failing_task"};
	const char *file = strrchr(w->test->options->community, '/') + 1;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const cJSON *type =
			parsed(w, retained(w, quoted(w, BASE "/types/%s", types[i])));

		assert_non_null(strstr(text_at(type, "source"), file));
	}
}

static const struct test of_files[] = {
	TEST_WITH(the_types_come_from_the_file, kind),
};

static const struct test of_each_kind[] = {
	TEST_WITH(behaviour_01_a_demo_task_completes_with_its_result, kind),
	TEST_WITH(behaviour_02_three_async_tasks_run_and_the_fourth_waits, kind),
	TEST_WITH(behaviour_03_an_async_task_waits_for_a_running_exclusive_one, kind),
	TEST_WITH(behaviour_04_an_exclusive_task_waits_for_a_running_async_one, kind),
	TEST_WITH(behaviour_05_a_pending_exclusive_task_holds_back_those_behind_it, kind),
	TEST_WITH(behaviour_06_exclusive_tasks_run_one_after_the_other_in_order, kind),
	TEST_WITH(behaviour_07_a_blocking_task_needs_no_async_slot, kind),
	TEST_WITH(behaviour_08_a_blocking_task_does_not_slow_an_async_one, kind),
	TEST_WITH(behaviour_09_a_paused_task_stays_paused_until_it_is_resumed, kind),
	TEST_WITH(behaviour_10_progress_has_its_total_early_and_ends_at_it, kind),
	TEST_WITH(behaviour_11_a_cancelled_task_starts_over_when_it_is_restarted, kind),
	TEST_WITH(behaviour_12_a_running_task_is_cancelled_within_two_seconds, kind),
	TEST_WITH(behaviour_13_a_pending_task_that_is_cancelled_never_runs, kind),
	TEST_WITH(behaviour_14_a_failing_task_says_why_even_after_a_restart, kind),
	TEST_WITH(behaviour_15_every_change_of_status_is_published_and_stored, kind),
	TEST_WITH(behaviour_16_a_restart_keeps_the_finished_and_interrupts_the_others,
		  kind),
	TEST_WITH(
		behaviour_17_an_interrupted_task_keeps_its_progress_and_can_be_continued,
		kind),
};

static const struct test of_the_agent[] = {
	TEST(behaviour_18_damaged_records_are_set_aside_and_the_agent_starts),
	TEST(behaviour_19_a_stored_task_of_an_unknown_type_says_so),
	TEST(behaviour_20_only_ended_tasks_can_be_deleted),
	TEST(behaviour_21_noisy_progress_is_thinned),
	TEST_WITH(behaviour_22_the_core_types_are_there_without_autodiscovery, core_only),
	TEST_WITH(behaviour_22_a_type_can_be_left_out, one_ignored),
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* BEHAVIOUR_KIND is the name of a kind; without it the built-in types are tested. */
int main(int argc, char **argv)
{
	const char *name = getenv("BEHAVIOUR_KIND");
	size_t i = 0;
	int failed;

	while (name && i + 1 < COUNT(kinds) && strcmp(kinds[i].name, name) != 0)
		i++;
	kind = kinds[i].options;
	failed = world_run(kinds[i].name, of_each_kind, COUNT(of_each_kind), argc, argv);
	if (kind.community)
		failed += world_run("file", of_files, COUNT(of_files), argc, argv);
	else
		failed +=
			world_run("agent", of_the_agent, COUNT(of_the_agent), argc, argv);
	return failed;
}
