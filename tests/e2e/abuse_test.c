/* Community tasks that misbehave as badly as they can.  Each ends as a failed task with a
 * reason; the agent and its other tasks are not affected, and no process is left
 * behind. */
#include "tests/support/world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEIGHBOUR "{'total_steps':1000000,'delay':0.05}"

/* Small limits, because reaching the real ones takes time. */
static const struct world_options abuse = {
	.settings = "{'tasks':{'kill_after_s':1,'folder_mb':20}}",
	.community = "tests/e2e/community/abuse_tasks",
};

/* Every process that a community task starts inherits a TMPDIR below the test's
 * folder. */
static bool is_left_behind(struct world *w, const char *pid)
{
	char path[PATH_MAX], *text, *mark = quoted(w, "TMPDIR=%s", w->folder.path);
	size_t size = 0;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%.16s/environ", pid);
	text = file_read(path, &size);
	for (size_t i = 0; i < size; i += strlen(text + i) + 1)
		found = found || strncmp(text + i, mark, strlen(mark)) == 0;
	free(text);
	return found;
}

static int count_left_behind(struct world *w)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	assert_non_null(proc);
	while ((entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			count += is_left_behind(w, entry->d_name);
	closedir(proc);
	return count;
}

/* One task of the agent keeps running all the time, and others start and end normally. */
static void start_neighbour(struct world *w)
{
	create(w, "neighbour", "hello_world_async_task", NEIGHBOUR);
	wait_step(w, "neighbour", 1);
}

static void assert_nobody_noticed(struct world *w, size_t mark)
{
	const cJSON *now;

	assert_int_equal(count_left_behind(w), 0);
	create(w, "after", "hello_world_async_task", "{'total_steps':1,'delay':0}");
	wait_status(w, "after", "completed");
	now = task_now(w, "neighbour");
	assert_string_equal(text_at(now, "status"), "running");
	wait_step(w, "neighbour", number_at(now, "progress.current") + 2);
	assert_false(event_seen(w, mark, "agent.started", NULL));
}

static void fails(struct world *w, const char *type, const char *why)
{
	size_t mark = client_mark(w->client);
	const cJSON *task;

	start_neighbour(w);

	create(w, "abuse", type, NULL);

	task = wait_status(w, "abuse", "error");
	assert_string_equal(text_at(task, "error.code"), "task_failed");
	if (!strstr(text_at(task, "error.message"), why))
		fail_msg("should be told \"%s\": %s", why,
			 text_at(task, "error.message"));
	assert_nobody_noticed(w, mark);
}

static void a_crash_is_reported_with_its_signal(struct world *w)
{
	fails(w, "crash_task", "signal 11");
}

static void an_exit_code_is_reported_with_the_last_output(struct world *w)
{
	fails(w, "give_up_task", "the cable is off");
}

static void garbage_is_no_message(struct world *w)
{
	fails(w, "garbage_task", "no message");
}

static void a_line_that_does_not_end_is_too_long(struct world *w)
{
	fails(w, "endless_line_task", "256 KiB");
}

static void ten_thousand_lines_a_second_are_too_many(struct world *w)
{
	fails(w, "flood_task", "1,000 lines a second");
}

static void a_thousand_children_are_too_many(struct world *w)
{
	fails(w, "swarm_task", "");
}

static void a_gibibyte_of_memory_is_too_much(struct world *w)
{
	fails(w, "hungry_task", "emory");
}

static void the_size_of_a_working_folder_is_bounded(struct world *w)
{
	fails(w, "fill_task", "working folder");
}

static void the_number_of_open_files_is_bounded(struct world *w)
{
	fails(w, "open_files_task", "Too many open files");
}

static void a_task_that_ignores_everything_is_killed_at_its_timeout(struct world *w)
{
	size_t mark = client_mark(w->client);
	const cJSON *task;

	start_neighbour(w);

	ask_ok(w, "task/create", "{'id':'abuse','type':'deaf_task','timeout_s':1}");

	task = wait_status(w, "abuse", "error");
	assert_string_equal(text_at(task, "error.code"), "timeout");
	assert_nobody_noticed(w, mark);
}

static void a_task_that_ignores_everything_can_be_cancelled(struct world *w)
{
	size_t mark = client_mark(w->client);

	start_neighbour(w);
	create(w, "abuse", "deaf_task", NULL);
	wait_step(w, "abuse", 1);

	ask_ok(w, "task/cancel", "abuse");

	wait_status(w, "abuse", "cancelled");
	assert_nobody_noticed(w, mark);
}

static void a_task_that_ignores_everything_can_be_paused(struct world *w)
{
	size_t mark = client_mark(w->client);

	start_neighbour(w);
	create(w, "abuse", "deaf_task", NULL);
	wait_step(w, "abuse", 1);

	ask_ok(w, "task/pause", "abuse");
	wait_status(w, "abuse", "paused");
	ask_ok(w, "task/cancel", "abuse");

	wait_status(w, "abuse", "cancelled");
	assert_nobody_noticed(w, mark);
}

static void children_end_with_the_task_that_left_them(struct world *w)
{
	size_t mark = client_mark(w->client);
	const cJSON *task;

	start_neighbour(w);

	create(w, "abuse", "leave_children_task", NULL);

	task = wait_status(w, "abuse", "completed");
	assert_string_equal(text_at(task, "result"), "left");
	assert_nobody_noticed(w, mark);
}

static bool none_left_behind(struct world *w)
{
	int64_t until = deadline_now() + deadline_patient(5000);

	while (count_left_behind(w) > 0 && deadline_now() < until)
		deadline_let_pass(20);
	return count_left_behind(w) == 0;
}

static void when_the_agent_is_killed_its_tasks_die_too(struct world *w)
{
	create(w, "abuse", "deaf_task", NULL);
	wait_step(w, "abuse", 1);
	assert_true(count_left_behind(w) > 0);

	world_kill_agent(w);

	assert_true(none_left_behind(w));
}

static const struct test tests[] = {
	TEST_WITH(a_crash_is_reported_with_its_signal, abuse),
	TEST_WITH(an_exit_code_is_reported_with_the_last_output, abuse),
	TEST_WITH(garbage_is_no_message, abuse),
	TEST_WITH(a_line_that_does_not_end_is_too_long, abuse),
	TEST_WITH(ten_thousand_lines_a_second_are_too_many, abuse),
	TEST_WITH(a_thousand_children_are_too_many, abuse),
	TEST_WITH(a_gibibyte_of_memory_is_too_much, abuse),
	TEST_WITH(the_size_of_a_working_folder_is_bounded, abuse),
	TEST_WITH(the_number_of_open_files_is_bounded, abuse),
	TEST_WITH(a_task_that_ignores_everything_is_killed_at_its_timeout, abuse),
	TEST_WITH(a_task_that_ignores_everything_can_be_cancelled, abuse),
	TEST_WITH(a_task_that_ignores_everything_can_be_paused, abuse),
	TEST_WITH(children_end_with_the_task_that_left_them, abuse),
	TEST_WITH(when_the_agent_is_killed_its_tasks_die_too, abuse),
};

int main(int argc, char **argv)
{
	return world_run("abuse", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
