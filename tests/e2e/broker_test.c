/* A broker that stops, forgets everything, or is restored from an older state. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "hello_world_async_task"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"

static char *counting(struct world *w, const char *file, int steps, double delay)
{
	return quoted(w, "{'file':'%s','steps':%d,'delay':%g}", file, steps, delay);
}

static const struct world_options persistent = {.persistence = true};

static void tasks_run_on_without_a_broker(struct world *w)
{
	char *file = below(w, "steps");

	create(w, "r", "resume_count_task", counting(w, file, 6, 0.1));
	wait_file(w, file, "r 1");
	broker_stop(&w->broker);
	wait_file(w, file, "r 5");

	world_restart_broker(w);

	wait_status(w, "r", "completed");
	wait_event(w, 0, "task.completed", "r");
	assert_revs_grow(w);
}

static void a_broker_that_forgot_everything_gets_everything_again(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);
	wait_status(w, "a", "completed");
	broker_kill(&w->broker);
	size_t mark = client_mark(w->client);

	world_restart_broker(w);

	wait_message(w, mark, BASE "/status", "online");
	wait_message(w, mark, BASE "/task/a", "completed");
	wait_message(w, mark, BASE "/types/scan_task", NULL);
	wait_message(w, mark, BASE "/motor/rotor", NULL);
	wait_message(w, mark, BASE "/settings", NULL);
	wait_message(w, mark, BASE "/info", NULL);
	wait_message(w, mark, BASE "/queue", NULL);
	ask_ok(w, "agent/ping", "{}");
}

/* What another client or the will has written there in the meantime is replaced. */
static void after_a_reconnect_the_status_is_online_again(struct world *w)
{
	struct publish how = {.qos = 1, .retain = true};

	client_publish(w->client, BASE "/status", "lost", 4, &how);
	broker_stop(&w->broker);
	size_t mark = client_mark(w->client);

	world_restart_broker(w);

	wait_message(w, mark, BASE "/status", "online");
	assert_string_equal(retained(w, BASE "/status"), "online");
}

static void a_killed_broker_loses_no_accepted_task(struct world *w)
{
	char *file = below(w, "count");

	for (int i = 0; i < 4; i++) {
		ask_ok(w, "task/create", "{'id':'t%d','type':'count_task','args':%s}", i,
		       counting(w, file, 1, 0));
		broker_kill(&w->broker);
		size_t mark = client_mark(w->client);
		world_restart_broker(w);
		/* The broker has forgotten the session, so messages sent before the agent
		 * is back are lost. */
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

/* Old retained topics and queued messages return, and the agent's later acknowledgements
 * are lost.  Only an id protects against that. */
static void a_broker_from_an_older_snapshot_gets_the_current_documents(struct world *w)
{
	char *file = below(w, "count");
	char *now = quoted(w, "%s/mosquitto.db", w->broker.folder);
	char *then = below(w, "snapshot.db");

	create(w, "gone", HELLO, SHORT_HELLO);
	wait_status(w, "gone", "completed");
	world_stop_agent(w);
	tell(w, "task/create", "{'id':'once','type':'count_task','args':%s}",
	     counting(w, file, 1, 0));
	retained(w, BASE "/status"); /* the broker has everything that was sent before */
	broker_stop(&w->broker);
	copy_file(now, then);
	world_restart_broker(w);
	world_start_agent(w);
	wait_status(w, "once", "completed");
	create(w, "later", "count_task", counting(w, file, 1, 0));
	wait_status(w, "later", "completed");
	ask_ok(w, "task/delete", "gone");
	wait_message(w, 0, BASE "/event", "task.deleted");
	broker_kill(&w->broker);
	copy_file(then, now);
	size_t mark = client_mark(w->client);

	world_restart_broker(w);

	wait_message(w, mark, BASE "/status", "online");
	wait_message(w, mark, BASE "/reply/once", "\"duplicate\":true");
	/* All topics are published again once a minute at most. */
	wait_message_late(w, mark, BASE "/task/later", "completed", 60000);
	wait_cleared(w, mark, BASE "/task/gone");
	assert_string_equal(text_at(parsed(w, retained(w, BASE "/task/once")), "status"),
			    "completed");
	assert_int_equal(lines_of(file), 2);
}

static const struct world_options later = {.agent_later = true};

static void the_agent_starts_without_a_broker(struct world *w)
{
	broker_stop(&w->broker);
	assert_int_equal(device_start(&w->device), 0);
	wait_file(w, w->device.log, "\n");
	assert_false(child_wait(&w->device.child, 500));
	size_t mark = client_mark(w->client);

	world_restart_broker(w);

	wait_message(w, mark, BASE "/status", "online");
	ask_ok(w, "agent/ping", "{}");
}

static void an_agent_without_a_broker_stops_in_order(struct world *w)
{
	broker_stop(&w->broker);

	assert_int_equal(device_stop(&w->device), 0);
}

static void topics_of_unknown_tasks_are_cleared(struct world *w)
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
	TEST_WITH(tasks_run_on_without_a_broker, persistent),
	TEST(a_broker_that_forgot_everything_gets_everything_again),
	TEST_WITH(after_a_reconnect_the_status_is_online_again, persistent),
	TEST_WITH(a_killed_broker_loses_no_accepted_task, persistent),
	TEST_WITH(a_broker_from_an_older_snapshot_gets_the_current_documents, persistent),
	TEST_WITH(the_agent_starts_without_a_broker, later),
	TEST(an_agent_without_a_broker_stops_in_order),
	TEST_WITH(topics_of_unknown_tasks_are_cleared, later),
	TEST(the_sweep_leaves_known_tasks_alone),
};

int main(int argc, char **argv)
{
	return world_run("broker", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
