/* What is restored after a crash or a stop. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "hello_world_async_task"
#define LONG_HELLO "{'total_steps':10000,'delay':0.05}"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"

static char *counting(struct world *w, const char *file, int steps, double delay)
{
	return quoted(w, "{'file':'%s','steps':%d,'delay':%g}", file, steps, delay);
}

/* The arguments of resume_count_task, which continues as far as the test allows. */
static char *counting_held(struct world *w, const char *file, int steps)
{
	return quoted(w, "{'file':'%s','steps':%d,%s}", file, steps, held(w));
}

/* ---- kill -9 ---- */

static void a_resumable_task_continues_where_it_was_killed(struct world *w)
{
	char *file = below(w, "steps");

	create(w, "r", "resume_count_task", counting_held(w, file, 12));
	for (int kills = 1; kills <= 3; kills++) {
		allow(w, kills * 3 + 1);
		wait_file(w, file, quoted(w, "r %d\n", kills * 3));
		world_restart_agent(w);
	}
	allow(w, 12);

	const cJSON *task = wait_status(w, "r", "completed");
	assert_true(number_at(task, "resumed") == 3);
	assert_true(number_at(task, "attempt") == 1);
	for (int i = 0; i < 12; i++)
		wait_file(w, file, quoted(w, "r %d\n", i));
	assert_in_range(lines_of(file), 12, 12 + 3);
	assert_revs_grow(w);
}

static void a_task_with_effects_is_not_repeated_automatically(struct world *w)
{
	char *file = below(w, "count");

	create(w, "a", "count_task", counting(w, file, 1000, 0.05));
	wait_file(w, file, "a 1");

	world_restart_agent(w);

	const cJSON *task = wait_status(w, "a", "interrupted");
	assert_string_equal(text_at(task, "error.code"), "interrupted");
	assert_int_equal(lines_of(file), 1);
	ask_ok(w, "task/restart", "a");
	wait_file(w, file, "a 2");
	ask_ok(w, "task/cancel", "a");
}

static void pending_tasks_keep_their_order(struct world *w)
{
	char *file = below(w, "order");

	ask_ok(w, "queue/pause", "{}");
	for (int i = 0; i < 5; i++)
		create(w, quoted(w, "t%d", i), "count_task", counting(w, file, 1, 0));
	ask_ok(w, "task/update", "{'id':'t4','priority':2}");

	world_restart_agent(w);
	world_restart_agent(w);
	ask_ok(w, "queue/resume", "{}");

	for (int i = 0; i < 5; i++)
		wait_status(w, quoted(w, "t%d", i), "completed");
	assert_string_equal(wait_file(w, file, "t3"), "t4 1\nt0 1\nt1 1\nt2 1\nt3 1\n");
}

static const struct world_options one_slot = {
	.settings = "{'scheduler':{'max_concurrent':1}}",
};

static void a_paused_task_stays_paused_with_its_slot(struct world *w)
{
	char *file = below(w, "steps");

	create(w, "r", "resume_count_task", counting_held(w, file, 6));
	allow(w, 2);
	wait_file(w, file, "r 1");
	ask_ok(w, "task/pause", "r");
	wait_status(w, "r", "paused");
	create(w, "a", HELLO, SHORT_HELLO);
	size_t before = lines_of(file);

	world_restart_agent(w);
	allow(w, 6);
	deadline_let_pass(400);

	assert_status(w, "r", "paused");
	assert_status(w, "a", "pending");
	assert_int_equal(lines_of(file), before);
	ask_ok(w, "task/resume", "r");
	wait_status(w, "r", "completed");
	wait_status(w, "a", "completed");
	assert_int_equal(lines_of(file), 6);
}

static void an_unfinished_cancel_is_kept(struct world *w)
{
	create(w, "s", "ignores_cancel_task", "{'steps':5,'every':2}");
	wait_status(w, "s", "running");
	ask_ok(w, "task/cancel", "s");

	world_restart_agent(w);

	wait_status(w, "s", "cancelled");
}

static void on_interrupt_decides_what_a_crash_means(struct world *w)
{
	char *file = below(w, "steps");

	ask_ok(w, "task/create",
	       "{'id':'r','type':'resume_count_task','on_interrupt':'interrupt','args':%"
	       "s}",
	       counting(w, file, 50, 0.1));
	wait_file(w, file, "r 3");

	world_restart_agent(w);

	wait_status(w, "r", "interrupted");
	ask_ok(w, "task/restart", "r");
	wait_file(w, file, "r 6");
	assert_true(number_at(task_now(w, "r"), "resumed") == 1);
	ask_ok(w, "task/cancel", "r");
}

static void a_task_that_kills_the_agent_is_given_up(struct world *w)
{
	char *file = below(w, "steps");
	int crashes = 0;

	tell(w, "task/create",
	     "{'id':'k','type':'resume_count_task',"
	     "'args':{'file':'%s','steps':9,'crash_at':2}}",
	     file);
	while (crashes < 3 && child_wait(&w->device.child, deadline_patient(SOON_MS))) {
		crashes++;
		assert_int_equal(device_start(&w->device), 0);
	}

	assert_int_equal(crashes, 3);
	const cJSON *task = wait_status(w, "k", "error");
	assert_string_equal(text_at(task, "error.code"), "crash_loop");
	create(w, "a", HELLO, SHORT_HELLO);
	wait_status(w, "a", "completed");
}

/* The number of lines of the file that equal this one. */
static size_t count_line(const char *text, const char *line)
{
	size_t count = 0;

	for (const char *at_line = strstr(text, line); at_line;
	     at_line = strstr(at_line + 1, line))
		if (at_line == text || at_line[-1] == '\n')
			count++;
	return count;
}

/* The kills come at different moments of a task.  An interrupted one may have been killed
 * between its begin() and its line. */
static void kills_at_any_moment_lose_and_repeat_nothing(struct world *w)
{
	char *file = below(w, "count");
	int ids = 12;

	file_write(file, "", 0);
	for (int i = 0; i < ids; i++) {
		tell(w, "task/create", "{'id':'t%d','type':'count_task','args':%s}", i,
		     counting(w, file, 1, 0.02));
		if (i % 2 == 1) {
			deadline_let_pass(i * 7 % 30);
			world_restart_agent(w);
		}
	}

	for (int i = 0; i < ids; i++) {
		char *id = quoted(w, "t%d", i);
		bool hit = strcmp(text_at(task_now(w, id), "status"), "interrupted") == 0;

		if (!hit)
			wait_status(w, id, "completed");
		const char *text = wait_file(w, file, "");
		size_t lines = count_line(text, quoted(w, "%s 1\n", id));
		assert_in_range(lines, hit ? 0 : 1, 1);
	}
	assert_revs_grow(w);
}

static void a_second_agent_on_the_same_state_ends_with_a_reason(struct world *w)
{
	struct device second = w->device;

	second.child.pid = 0;
	second.id = "rig2";
	folder_path(&w->folder, second.log, "second.log");
	assert_int_equal(device_start(&second), 0);

	bool ended = child_wait(&second.child, deadline_patient(SOON_MS));
	child_kill(&second.child);
	assert_true(ended);
	assert_int_not_equal(second.child.status, 0);
	assert_non_null(strstr(wait_file(w, second.log, "\n"), w->device.state_dir));
	ask_ok(w, "agent/ping", "{}");
}

/* ---- SIGTERM ---- */

static void an_orderly_stop_keeps_resumable_tasks(struct world *w)
{
	char *file = below(w, "steps");

	create(w, "r", "resume_count_task", counting_held(w, file, 8));
	create(w, "h", HELLO, LONG_HELLO);
	allow(w, 3);
	wait_file(w, file, "r 2");
	wait_status(w, "h", "running");
	int64_t asked = deadline_now();

	world_stop_agent(w);

	assert_true(deadline_now() - asked < deadline_patient(5000));
	assert_string_equal(retained(w, BASE "/status"), "offline");
	const cJSON *published = parsed(w, retained(w, BASE "/task/r"));
	assert_string_equal(text_at(published, "status"), "pending");
	published = parsed(w, retained(w, BASE "/task/h"));
	assert_string_equal(text_at(published, "status"), "interrupted");
	wait_event(w, 0, "agent.stopping", NULL);
	allow(w, 8);
	world_start_agent(w);
	wait_status(w, "r", "completed");
	assert_int_equal(lines_of(file), 8);
}

static void an_idle_agent_stops_at_once(struct world *w)
{
	int64_t asked = deadline_now();

	world_stop_agent(w);

	assert_true(deadline_now() - asked < deadline_patient(2000));
	assert_string_equal(retained(w, BASE "/status"), "offline");
}

static void a_killed_agent_is_published_as_lost(struct world *w)
{
	size_t mark = client_mark(w->client);

	world_kill_agent(w);

	wait_message(w, mark, BASE "/status", "lost");
}

static const struct test tests[] = {
	TEST(a_resumable_task_continues_where_it_was_killed),
	TEST(a_task_with_effects_is_not_repeated_automatically),
	TEST_WITH(pending_tasks_keep_their_order, one_slot),
	TEST_WITH(a_paused_task_stays_paused_with_its_slot, one_slot),
	TEST(an_unfinished_cancel_is_kept),
	TEST(on_interrupt_decides_what_a_crash_means),
	TEST(a_task_that_kills_the_agent_is_given_up),
	TEST(kills_at_any_moment_lose_and_repeat_nothing),
	TEST(a_second_agent_on_the_same_state_ends_with_a_reason),
	TEST(an_orderly_stop_keeps_resumable_tasks),
	TEST(an_idle_agent_stops_at_once),
	TEST(a_killed_agent_is_published_as_lost),
};

int main(int argc, char **argv)
{
	return world_run("restore", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
