/* What is left after a crash, a stop, and a broker that went away. */
#include "tests/harness/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "hello_world_async_task"
#define EXCLUSIVE "exclusive_demo_task"
#define GENERATOR "generator_task"
#define LONG_HELLO "{'total_steps':10000,'delay':0.05}"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"

static char *counting(struct world *w, const char *file, int steps, double delay)
{
	return quoted(w, "{'file':'%s','steps':%d,'delay':%g}", file, steps, delay);
}

/* ---- kill -9 ---- */

static void a_resumable_task_goes_on_where_it_was_killed(struct world *w)
{
	char *file = below(w, "steps");

	create(w, "r", "resume_count_task", counting(w, file, 12, 0.1));
	for (int kills = 1; kills <= 3; kills++) {
		wait_file(w, file, quoted(w, "r %d", kills * 3));
		world_restart_agent(w);
	}

	const cJSON *task = wait_status(w, "r", "completed");
	assert_true(number_at(task, "resumed") == 3);
	assert_true(number_at(task, "attempt") == 1);
	for (int i = 0; i < 12; i++)
		wait_file(w, file, quoted(w, "r %d\n", i));
	assert_in_range(lines_of(file), 12, 12 + 3);
	assert_revs_grow(w);
}

static void what_had_effects_is_not_run_again_by_itself(struct world *w)
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

	create(w, "r", "resume_count_task", counting(w, file, 6, 0.2));
	wait_file(w, file, "r 1");
	ask_ok(w, "task/pause", "r");
	wait_status(w, "r", "paused");
	create(w, "a", HELLO, SHORT_HELLO);
	size_t before = lines_of(file);

	world_restart_agent(w);
	deadline_let_pass(400);

	assert_status(w, "r", "paused");
	assert_status(w, "a", "pending");
	assert_int_equal(lines_of(file), before);
	ask_ok(w, "task/resume", "r");
	wait_status(w, "r", "completed");
	wait_status(w, "a", "completed");
	assert_int_equal(lines_of(file), 6);
}

static void a_cancel_under_way_is_kept(struct world *w)
{
	create(w, "s", "stubborn_task", "{'steps':5,'every':2}");
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
	     "'args':{'file':'%s','steps':9,'delay':0.3,'crash_at':2}}",
	     file);
	while (child_wait(&w->device.child, deadline_patient(3000)) && crashes < 9) {
		crashes++;
		assert_int_equal(device_start(&w->device), 0);
	}

	assert_int_equal(crashes, 3);
	const cJSON *task = wait_status(w, "k", "error");
	assert_string_equal(text_at(task, "error.code"), "crash_loop");
	create(w, "a", HELLO, SHORT_HELLO);
	wait_status(w, "a", "completed");
}

/* How many lines of the file are this one. */
static size_t count_line(const char *text, const char *line)
{
	size_t count = 0;

	for (const char *at_line = strstr(text, line); at_line;
	     at_line = strstr(at_line + 1, line))
		if (at_line == text || at_line[-1] == '\n')
			count++;
	return count;
}

/* The kills hit here and there in the life of a task.  One that is interrupted may have
 * been hit between its begin() and its line. */
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

static void a_second_agent_on_the_same_state_says_so_and_ends(struct world *w)
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

static void a_stop_in_order_keeps_what_can_go_on(struct world *w)
{
	char *file = below(w, "steps");

	create(w, "r", "resume_count_task", counting(w, file, 8, 0.2));
	create(w, "h", HELLO, LONG_HELLO);
	wait_file(w, file, "r 2");
	wait_status(w, "h", "running");
	int64_t asked = deadline_now();

	world_stop_agent(w);

	assert_true(deadline_now() - asked < deadline_patient(5000));
	assert_string_equal(retained(w, BASE "/status"), "offline");
	const cJSON *told = parsed(w, retained(w, BASE "/task/r"));
	assert_string_equal(text_at(told, "status"), "pending");
	told = parsed(w, retained(w, BASE "/task/h"));
	assert_string_equal(text_at(told, "status"), "interrupted");
	wait_event(w, 0, "agent.stopping", NULL);
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

static void a_killed_agent_is_told_to_be_lost(struct world *w)
{
	size_t mark = client_mark(w->client);

	world_kill_agent(w);

	wait_message(w, mark, BASE "/status", "lost");
}

/* ---- the broker ---- */

static const struct world_options persistent = {.persistence = true};

static void tasks_run_on_without_a_broker(struct world *w)
{
	char *file = below(w, "steps");

	create(w, "r", "resume_count_task", counting(w, file, 6, 0.1));
	wait_file(w, file, "r 1");
	broker_stop(&w->broker);
	wait_file(w, file, "r 5");

	assert_int_equal(broker_restart(&w->broker), 0);

	wait_status(w, "r", "completed");
	wait_event(w, 0, "task.completed", "r");
	assert_revs_grow(w);
}

static void a_broker_that_forgot_everything_is_told_again(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);
	wait_status(w, "a", "completed");
	broker_kill(&w->broker);
	size_t mark = client_mark(w->client);

	assert_int_equal(broker_restart(&w->broker), 0);

	wait_message(w, mark, BASE "/status", "online");
	wait_message(w, mark, BASE "/task/a", "completed");
	wait_message(w, mark, BASE "/types/scan_task", NULL);
	wait_message(w, mark, BASE "/motor/rotor", NULL);
	wait_message(w, mark, BASE "/settings", NULL);
	wait_message(w, mark, BASE "/info", NULL);
	wait_message(w, mark, BASE "/queue", NULL);
	ask_ok(w, "agent/ping", "{}");
}

/* What somebody else, or the will, wrote there while we were away does not stay. */
static void after_a_reconnect_the_status_is_true_again(struct world *w)
{
	struct publish how = {.qos = 1, .retain = true};

	client_publish(w->client, BASE "/status", "lost", 4, &how);
	broker_stop(&w->broker);
	size_t mark = client_mark(w->client);

	assert_int_equal(broker_restart(&w->broker), 0);

	wait_message(w, mark, BASE "/status", "online");
	assert_string_equal(retained(w, BASE "/status"), "online");
}

static void a_broker_that_is_killed_costs_nothing_that_was_accepted(struct world *w)
{
	char *file = below(w, "count");

	for (int i = 0; i < 4; i++) {
		ask_ok(w, "task/create", "{'id':'t%d','type':'count_task','args':%s}", i,
		       counting(w, file, 1, 0));
		broker_kill(&w->broker);
		size_t mark = client_mark(w->client);
		assert_int_equal(broker_restart(&w->broker), 0);
		/* It forgot the session: what comes before the agent is back goes
		 * nowhere. */
		wait_message(w, mark, BASE "/reply/_barrier", NULL);
	}

	for (int i = 0; i < 4; i++)
		wait_status(w, quoted(w, "t%d", i), "completed");
	assert_int_equal(lines_of(file), 4);
	assert_revs_grow(w);
}

static void copy_file(const char *from, const char *to)
{
	size_t size = 0;
	char *bytes = file_read(from, &size);

	assert_non_null(bytes);
	assert_int_equal(file_write(to, bytes, size), 0);
	free(bytes);
}

/* Retained topics and queued messages of a time that is over come back, and the agent's
 * acknowledgements since then never happened.  Only an id protects against that. */
static void a_broker_from_an_older_snapshot_is_told_the_truth_again(struct world *w)
{
	char *file = below(w, "count");
	char *now = quoted(w, "%s/mosquitto.db", w->broker.folder);
	char *then = below(w, "snapshot.db");

	create(w, "gone", HELLO, SHORT_HELLO);
	wait_status(w, "gone", "completed");
	world_stop_agent(w);
	tell(w, "task/create", "{'id':'once','type':'count_task','args':%s}",
	     counting(w, file, 1, 0));
	retained(w, BASE "/status"); /* the broker has what was sent before */
	broker_stop(&w->broker);
	copy_file(now, then);
	assert_int_equal(broker_restart(&w->broker), 0);
	world_start_agent(w);
	wait_status(w, "once", "completed");
	create(w, "later", "count_task", counting(w, file, 1, 0));
	wait_status(w, "later", "completed");
	ask_ok(w, "task/delete", "gone");
	wait_message(w, 0, BASE "/event", "task.deleted");
	broker_kill(&w->broker);
	copy_file(then, now);
	size_t mark = client_mark(w->client);

	assert_int_equal(broker_restart(&w->broker), 0);

	wait_message(w, mark, BASE "/status", "online");
	wait_message(w, mark, BASE "/reply/once", "\"duplicate\":true");
	/* All topics are told again once a minute at most. */
	wait_message_late(w, mark, BASE "/task/later", "completed", 60000);
	wait_cleared(w, mark, BASE "/task/gone");
	assert_string_equal(text_at(parsed(w, retained(w, BASE "/task/once")), "status"),
			    "completed");
	assert_int_equal(lines_of(file), 2);
}

/* ---- a rival ---- */

/* Another agent with our id and a state of its own: they push each other off the broker.
 */
static void start_rival(struct world *w, struct device *rival)
{
	assert_int_equal(
		device_init(rival, &w->folder, "rival", w->broker.port, NULL, NULL), 0);
	rival->id = DEVICE_ID;
	assert_int_equal(device_start(rival), 0);
}

static size_t lines_with(struct world *w, const char *path, const char *text)
{
	const char *found = wait_file(w, path, "");
	size_t count = 0;

	while ((found = strstr(found, text)) != NULL) {
		count++;
		found += strlen(text);
	}
	return count;
}

static void two_agents_with_one_id_say_so_and_do_not_fight(struct world *w)
{
	struct device rival;

	create(w, "mine", HELLO, SHORT_HELLO);
	wait_status(w, "mine", "completed");
	start_rival(w, &rival);

	/* Who is pushed off while it tells of it tells it after its back-off, of two minutes at
	 * most. */
	int64_t until = deadline_now() + 150000;
	while (!event_seen(w, 0, "duplicate_device", NULL)) {
		assert_true(deadline_now() < until);
		deadline_let_pass(100);
	}
	deadline_let_pass(5000);
	size_t ours = lines_with(w, w->device.log, "connected to ");
	size_t theirs = lines_with(w, rival.log, "connected to ");
	bool said = lines_with(w, w->device.log, "another agent") +
			    lines_with(w, rival.log, "another agent") >
		    0;
	device_kill(&rival);
	assert_true(said);
	assert_in_range(ours + theirs, 2, 8);
	/* nobody swept the other's tasks away */
	assert_non_null(retained(w, BASE "/task/mine"));
}

static const struct world_options later = {.agent_later = true};

static void the_agent_starts_without_a_broker(struct world *w)
{
	broker_stop(&w->broker);
	assert_int_equal(device_start(&w->device), 0);
	wait_file(w, w->device.log, "\n");
	assert_false(child_wait(&w->device.child, 500));
	size_t mark = client_mark(w->client);

	assert_int_equal(broker_restart(&w->broker), 0);

	wait_message(w, mark, BASE "/status", "online");
	ask_ok(w, "agent/ping", "{}");
}

static void an_agent_without_a_broker_stops_in_order(struct world *w)
{
	broker_stop(&w->broker);

	assert_int_equal(device_stop(&w->device), 0);
}

static void topics_of_tasks_that_nobody_knows_are_cleared(struct world *w)
{
	struct publish how = {.qos = 1, .retain = true};
	const char *ghost =
		"{\"id\":\"ghost\",\"status\":\"running\",\"rev\":7,\"store\":\"s\"}";

	client_publish(w->client, BASE "/task/ghost", ghost, strlen(ghost), &how);
	size_t mark = client_mark(w->client);

	world_start_agent(w);

	const struct message *cleared = wait_message(w, mark, BASE "/task/ghost", NULL);
	assert_int_equal(cleared->size, 0);
	assert_null(retained(w, BASE "/task/ghost"));
}

static void the_sweep_leaves_known_tasks_alone(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);
	wait_status(w, "a", "completed");

	world_restart_agent(w);
	ask_ok(w, "agent/ping", "{}");

	assert_non_null(retained(w, BASE "/task/a"));
	for (size_t i = 0; i < client_mark(w->client); i++)
		if (strcmp(client_at(w->client, i)->topic, BASE "/task/a") == 0)
			assert_int_not_equal(client_at(w->client, i)->size, 0);
}

static const struct test tests[] = {
	TEST(a_resumable_task_goes_on_where_it_was_killed),
	TEST(what_had_effects_is_not_run_again_by_itself),
	TEST_WITH(pending_tasks_keep_their_order, one_slot),
	TEST_WITH(a_paused_task_stays_paused_with_its_slot, one_slot),
	TEST(a_cancel_under_way_is_kept),
	TEST(on_interrupt_decides_what_a_crash_means),
	TEST(a_task_that_kills_the_agent_is_given_up),
	TEST(kills_at_any_moment_lose_and_repeat_nothing),
	TEST(a_second_agent_on_the_same_state_says_so_and_ends),
	TEST(a_stop_in_order_keeps_what_can_go_on),
	TEST(an_idle_agent_stops_at_once),
	TEST(a_killed_agent_is_told_to_be_lost),
	TEST_WITH(tasks_run_on_without_a_broker, persistent),
	TEST(a_broker_that_forgot_everything_is_told_again),
	TEST_WITH(after_a_reconnect_the_status_is_true_again, persistent),
	TEST_WITH(a_broker_that_is_killed_costs_nothing_that_was_accepted, persistent),
	TEST_WITH(a_broker_from_an_older_snapshot_is_told_the_truth_again, persistent),
	TEST(two_agents_with_one_id_say_so_and_do_not_fight),
	TEST_WITH(the_agent_starts_without_a_broker, later),
	TEST(an_agent_without_a_broker_stops_in_order),
	TEST_WITH(topics_of_tasks_that_nobody_knows_are_cleared, later),
	TEST(the_sweep_leaves_known_tasks_alone),
};

int main(int argc, char **argv)
{
	return world_run("restore", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
