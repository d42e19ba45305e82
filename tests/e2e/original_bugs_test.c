/* The bugs of OpenScan3's task manager, by number, shown to be absent. */
#include "tests/support/world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO "hello_world_async_task"
#define BLOCKING "hello_world_blocking_task"
#define EXCLUSIVE "exclusive_demo_task"
#define GENERATOR "generator_task"
#define LONG_HELLO "{'total_steps':10000,'delay':0.05}"

static const struct world_options one_slot = {
	.settings = "{'scheduler':{'max_concurrent':1}}",
};

/* held by: restore_tasks() giving every live task to the scheduler, pending ones too */
static void bug_01_pending_tasks_run_and_can_be_cancelled_after_a_restart(struct world *w)
{
	create(w, "hold", HELLO, LONG_HELLO);
	wait_progress(w, "hold", 1);
	create(w, "x", EXCLUSIVE, "{'duration':0.1}");
	create(w, "a", HELLO, "{'total_steps':1,'delay':0.01}");
	create(w, "y", EXCLUSIVE, "{'duration':60}");
	create(w, "b", HELLO, "{'total_steps':1,'delay':0.01}");

	world_restart_agent(w);

	wait_status(w, "hold", "interrupted");
	wait_status(w, "x", "completed");
	wait_status(w, "a", "completed");
	ask_ok(w, "task/cancel", "y");
	wait_status(w, "y", "cancelled");
	ask_ok(w, "task/delete", "y");
	wait_status(w, "b", "completed");
}

/* held by: lifecycle_cancel() leaving a task that has a run to outcome_of_run() */
static void bug_02_a_blocking_task_is_only_cancelled_when_it_stopped(struct world *w)
{
	create(w, "s", "ignores_cancel_task",
	       quoted(w, "{'steps':3,'every':0.3,%s}", held(w)));
	wait_status(w, "s", "running");
	create(w, "x", EXCLUSIVE, "{'duration':0.1}");

	ask_ok(w, "task/cancel", "s");

	const cJSON *asked = task_now(w, "s");
	assert_string_equal(text_at(asked, "status"), "running");
	assert_string_equal(text_at(asked, "stopping"), "cancel");
	assert_status(w, "x", "pending");
	allow(w, 3);
	const cJSON *s = wait_status(w, "s", "cancelled");
	const cJSON *x = wait_status(w, "x", "completed");
	assert_true(strcmp(text_at(s, "completed_at"), text_at(x, "started_at")) <= 0);
}

/* held by: lifecycle_pause() leaving the state to handle_parked() */
static void bug_02_a_blocking_task_is_only_paused_when_it_stopped(struct world *w)
{
	create(w, "s", "ignores_cancel_task",
	       quoted(w, "{'steps':2,'every':0.3,%s}", held(w)));
	wait_status(w, "s", "running");

	ask_ok(w, "task/pause", "s");

	assert_string_equal(text_at(task_now(w, "s"), "stopping"), "pause");
	assert_status(w, "s", "running");
	allow(w, 2);
	const cJSON *paused = wait_status(w, "s", "paused");
	assert_true(cJSON_IsNull(at(paused, "stopping")));
	ask_ok(w, "task/resume", "s");
	wait_status(w, "s", "completed");
}

/* held by: core_turn() calling lifecycle_schedule() after all events */
static void bug_03_a_cancelled_pending_exclusive_task_frees_those_behind(struct world *w)
{
	create(w, "a", HELLO, LONG_HELLO);
	wait_status(w, "a", "running");
	create(w, "x", EXCLUSIVE, "{'duration':60}");
	create(w, "b", HELLO, LONG_HELLO);
	assert_status(w, "b", "pending");

	ask_ok(w, "task/cancel", "x");

	wait_status(w, "b", "running");
	assert_status(w, "a", "running");
}

/* held by: scheduler_remove() closing the gap in order */
static void
bug_04_cancelling_a_pending_task_keeps_the_order_of_the_others(struct world *w)
{
	char *file = below(w, "order");

	create(w, "blocker", HELLO, LONG_HELLO);
	wait_status(w, "blocker", "running");
	for (int i = 0; i < 6; i++)
		create(w, quoted(w, "t%d", i), "count_task",
		       quoted(w, "{'file':'%s'}", file));

	ask_ok(w, "task/cancel", "t2");
	ask_ok(w, "task/cancel", "t4");
	ask_ok(w, "task/cancel", "blocker");

	wait_status(w, "t5", "completed");
	assert_string_equal(wait_file(w, file, "t5"), "t0 1\nt1 1\nt3 1\nt5 1\n");
}

/* held by: lifecycle_restart() giving a new arrival, scheduler_next() stopping at an
 * exclusive task */
static void bug_05_a_restarted_task_waits_behind_a_pending_exclusive_one(struct world *w)
{
	create(w, "b", HELLO, LONG_HELLO);
	ask_ok(w, "task/cancel", "b");
	wait_status(w, "b", "cancelled");
	create(w, "a", HELLO, LONG_HELLO);
	wait_status(w, "a", "running");
	create(w, "x", EXCLUSIVE, "{'duration':0.1}");

	ask_ok(w, "task/restart", "b");

	assert_status(w, "b", "pending");
	ask_ok(w, "task/cancel", "a");
	const cJSON *x = wait_status(w, "x", "completed");
	const cJSON *b = wait_status(w, "b", "running");
	assert_true(strcmp(text_at(x, "completed_at"), text_at(b, "started_at")) <= 0);
}

/* held by: task_restart() checking whether the type exists */
static void bug_05_a_restart_of_a_type_that_is_gone_is_refused(struct world *w)
{
	ask_ok(w, "queue/pause", "{}");
	create(w, "a", "count_task", quoted(w, "{'file':'%s'}", below(w, "count")));
	ask_ok(w, "task/cancel", "a");
	world_kill_agent(w);
	device_settings(&w->device,
			"{'task_autodiscovery_ignore_modules':['count_task']}");
	world_start_agent(w);

	ask_refused(w, "task/restart", "unknown_type", "a");

	assert_status(w, "a", "cancelled");
}

/* held by: core_turn() committing before a reply leaves */
static void bug_06_an_accepted_task_is_never_lost(struct world *w)
{
	ask_ok(w, "queue/pause", "{}");

	for (int i = 0; i < 8; i++) {
		create(w, quoted(w, "t%d", i), HELLO, "{'total_steps':1,'delay':0}");
		world_restart_agent(w);
	}

	for (int i = 0; i < 8; i++)
		assert_status(w, quoted(w, "t%d", i), "pending");
	ask_ok(w, "queue/resume", "{}");
	for (int i = 0; i < 8; i++)
		wait_status(w, quoted(w, "t%d", i), "completed");
}

/* held by: restore_tasks() leaving ended tasks alone, store_task_save() storing
 * results */
static void bug_07_results_survive_a_restart(struct world *w)
{
	create(w, "a", "result_task", "{'result':{'answer':[42,'yes']}}");
	wait_status(w, "a", "completed");

	world_restart_agent(w);

	assert_true(number_at(task_now(w, "a"), "result.answer.0") == 42);
	const cJSON *published = parsed(w, retained(w, BASE "/task/a"));
	assert_string_equal(text_at(published, "result.answer.1"), "yes");
}

/* held by: dispatch_verb() asking dedup_answers() for the id */
static void bug_08_a_repeated_create_runs_once(struct world *w)
{
	char *file = below(w, "count");
	char *body =
		quoted(w, "{'id':'a','type':'count_task','args':{'file':'%s'}}", file);
	const char *topic = BASE "/cmd/task/create";

	const cJSON *first = ask_topic(w, topic, body, strlen(body));
	wait_status(w, "a", "completed");
	const cJSON *second = ask_topic(w, topic, body, strlen(body));
	world_restart_agent(w);
	const cJSON *third = ask_topic(w, topic, body, strlen(body));

	assert_false(bool_at(first, "duplicate"));
	assert_true(bool_at(second, "ok") && bool_at(second, "duplicate"));
	assert_true(bool_at(third, "ok") && bool_at(third, "duplicate"));
	assert_int_equal(lines_of(file), 1);
}

/* held by: dispatch_verb() asking dedup_answers() for the request */
static void bug_08_a_repeated_request_without_an_id_runs_once(struct world *w)
{
	char *file = below(w, "count");
	char *body = quoted(
		w, "{'request':'r1','type':'count_task','args':{'file':'%s'}}", file);
	const char *topic = BASE "/cmd/task/create";

	const cJSON *first = ask_topic(w, topic, body, strlen(body));
	wait_status(w, text_at(first, "id"), "completed");
	const cJSON *second = ask_topic(w, topic, body, strlen(body));
	world_restart_agent(w);
	const cJSON *third = ask_topic(w, topic, body, strlen(body));

	assert_string_equal(text_at(second, "id"), text_at(first, "id"));
	assert_string_equal(text_at(third, "id"), text_at(first, "id"));
	assert_true(bool_at(second, "duplicate") && bool_at(third, "duplicate"));
	assert_int_equal(lines_of(file), 1);
}

/* held by: document_put_args() calling schema_mask() */
static void bug_09_a_secret_argument_is_seen_nowhere(struct world *w)
{
	create(w, "a", "secret_task", "{'token':'open-sesame-7','steps':2}");
	wait_status(w, "a", "completed");
	ask_ok(w, "task/list", "{}");
	ask_ok(w, "task/log", "a");
	ask_refused(w, "task/create", "id_conflict", "{'id':'a','type':'secret_task'}");

	for (size_t i = 0; i < client_mark(w->client); i++)
		assert_null(strstr(client_at(w->client, i)->payload, "open-sesame"));
	char *log = file_read(w->device.log, NULL);
	bool logged = log && strstr(log, "open-sesame");
	free(log);
	assert_false(logged);
	assert_string_equal(text_at(task_now(w, "a"), "args.token"), "***");
}

/* held by: scheduler_next() looking past a task without a slot */
static void bug_10_a_blocking_task_does_not_wait_behind_an_async_one(struct world *w)
{
	create(w, "a", HELLO, LONG_HELLO);
	wait_status(w, "a", "running");
	create(w, "b", HELLO, LONG_HELLO);

	create(w, "block", BLOCKING, "{'duration':0.2}");

	wait_status(w, "block", "completed");
	assert_status(w, "b", "pending");
}

/* Subscribes to everything and never reads; returns the socket. */
static int sleepy_subscriber(int port)
{
	static const unsigned char connect_packet[] = {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T',
						       4,    2,	 0, 0, 0,   1,	 's'};
	static const unsigned char subscribe_packet[] = {0x82, 6, 0, 1, 0, 1, '#', 0};
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 1024;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, connect_packet, sizeof(connect_packet), 0),
			 sizeof(connect_packet));
	assert_int_equal(send(fd, subscribe_packet, sizeof(subscribe_packet), 0),
			 sizeof(subscribe_packet));
	return fd;
}

/* held by: host_progress() storing the newest value without waiting */
static void bug_11_a_subscriber_that_never_reads_slows_nothing(struct world *w)
{
	int fd = sleepy_subscriber(w->broker.port);
	int64_t since = deadline_now();

	create(w, "a", HELLO, "{'total_steps':200,'delay':0.002}");
	wait_status(w, "a", "completed");

	close(fd);
	assert_true(deadline_now() - since < deadline_patient(5000));
}

/* held by: connection_publish() only queueing, even when the broker does not read */
static void bug_11_a_broker_that_never_reads_slows_no_task(struct world *w)
{
	char *file = below(w, "steps");

	create(w, "r", "resume_count_task",
	       quoted(w, "{'file':'%s','steps':100,'delay':0.02}", file));
	wait_file(w, file, "r 1\n");

	child_signal(&w->broker.child, SIGSTOP);
	wait_file(w, file, "r 99\n");
	child_signal(&w->broker.child, SIGCONT);

	wait_status(w, "r", "completed");
}

/* held by: lifecycle_delete() emitting it, outbox_open() and event_log_send() leaving
 * none out
 */
static void bug_12_events_have_no_gaps_and_include_deletes(struct world *w)
{
	create(w, "a", HELLO, "{'total_steps':1,'delay':0.01}");
	wait_status(w, "a", "completed");
	ask_ok(w, "task/delete", "a");
	world_restart_agent(w);
	create(w, "b", HELLO, "{'total_steps':1,'delay':0.01}");
	wait_event(w, 0, "task.deleted", "a");
	wait_event(w, 0, "task.completed", "b");

	const cJSON *events = at(ask_ok(w, "task/events", "{'since':0}"), "data.events");

	assert_true(cJSON_GetArraySize(events) >= 6);
	for (int i = 1; i < cJSON_GetArraySize(events); i++)
		assert_true(number_at(cJSON_GetArrayItem(events, i), "seq") ==
			    number_at(cJSON_GetArrayItem(events, i - 1), "seq") + 1);
	double last = 0;
	for (size_t i = 0; i < client_mark(w->client); i++) {
		const struct message *m = client_at(w->client, i);

		if (strcmp(m->topic, BASE "/event") != 0)
			continue;
		double seq = number_at(document(w, m), "seq");
		if (seq > last + 1)
			fail_msg("event %g came after %g", seq, last);
		if (seq > last)
			last = seq;
	}
}

static const struct world_options short_pause = {
	.settings = "{'scheduler':{'max_pause_s':1}}",
	.sim_speed = "20",
};

/* held by: paused_too_long(), asked by lifecycle_tick() */
static void bug_13_a_paused_exclusive_task_does_not_block_for_ever(struct world *w)
{
	ask_ok(w, "project/create", "{'project':'p'}");
	create(w, "x", "scan_task", "{'project':'p','settings':{'points':200}}");
	wait_message(w, 0, BASE "/task/x/progress", NULL);
	create(w, "a", HELLO, "{'total_steps':1,'delay':0.01}");

	ask_ok(w, "task/pause", "x");
	wait_status(w, "x", "paused");

	wait_message(w, 0, BASE "/queue", "\"blocked_by\":\"x\"");
	wait_status(w, "x", "interrupted");
	wait_status(w, "a", "completed");
}

static const struct world_options slow_rig = {.sim_speed = "5"};

static const char *scan_status(struct world *w)
{
	const char *path = quoted(w, "%s/p/scan01/scan.json", w->device.project_dir);

	return text_at(parsed(w, wait_file(w, path, "{")), "status");
}

/* held by: lifecycle_cancel() waiting for the end of a run that is paused, too */
static void bug_14_a_cancelled_scan_cleans_up_before_the_next_task_starts(struct world *w)
{
	create(w, "scan", "scan_task",
	       "{'project':'p','settings':{'points':50,'max_theta':20}}");
	wait_event(w, 0, "scan.photo", "scan");
	ask_ok(w, "task/pause", "scan");
	wait_status(w, "scan", "paused");
	create(w, "x", EXCLUSIVE, "{'duration':0.1}");

	ask_ok(w, "task/cancel", "scan");

	const cJSON *scan = wait_status(w, "scan", "cancelled");
	/* It is written last, when the axes are home. */
	assert_string_equal(scan_status(w), "cancelled");
	const cJSON *x = wait_status(w, "x", "completed");
	assert_true(strcmp(text_at(scan, "completed_at"), text_at(x, "started_at")) <= 0);
	wait_value(w, BASE "/motor/rotor", "angle", "90");
	assert_false(
		bool_at(wait_value(w, BASE "/motor/rotor", "busy", "false"), "busy"));
}

static const struct test tests[] = {
	TEST(bug_01_pending_tasks_run_and_can_be_cancelled_after_a_restart),
	TEST(bug_02_a_blocking_task_is_only_cancelled_when_it_stopped),
	TEST(bug_02_a_blocking_task_is_only_paused_when_it_stopped),
	TEST(bug_03_a_cancelled_pending_exclusive_task_frees_those_behind),
	TEST_WITH(bug_04_cancelling_a_pending_task_keeps_the_order_of_the_others,
		  one_slot),
	TEST(bug_05_a_restarted_task_waits_behind_a_pending_exclusive_one),
	TEST(bug_05_a_restart_of_a_type_that_is_gone_is_refused),
	TEST(bug_06_an_accepted_task_is_never_lost),
	TEST(bug_07_results_survive_a_restart),
	TEST(bug_08_a_repeated_create_runs_once),
	TEST(bug_08_a_repeated_request_without_an_id_runs_once),
	TEST(bug_09_a_secret_argument_is_seen_nowhere),
	TEST_WITH(bug_10_a_blocking_task_does_not_wait_behind_an_async_one, one_slot),
	TEST(bug_11_a_subscriber_that_never_reads_slows_nothing),
	TEST(bug_11_a_broker_that_never_reads_slows_no_task),
	TEST(bug_12_events_have_no_gaps_and_include_deletes),
	TEST_WITH(bug_13_a_paused_exclusive_task_does_not_block_for_ever, short_pause),
	TEST_WITH(bug_14_a_cancelled_scan_cleans_up_before_the_next_task_starts,
		  slow_rig),
};

int main(int argc, char **argv)
{
	return world_run("original bugs", tests, sizeof(tests) / sizeof(tests[0]), argc,
			 argv);
}
