/* A broker that speaks only MQTT 3.1.1: no Response Topic, no Correlation Data, no
 * expiry, no Retain As Published, no No Local.  Everything else works. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/relay.h"

#define HELLO "hello_world_async_task"
#define GENERATOR "generator_task"
#define LONG_GENERATOR "{'total_steps':10000,'interval':0.02}"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"

/* The relay in front of the broker of the current test. */
static struct relay *old;

static void go_old(struct world *w, enum relay_manner manner)
{
	relay_close(old);
	old = NULL;
	if (relay_open(&old, w->broker.port, manner) < 0)
		fail_msg("the old broker could not be started");
	w->device.port = relay_port(old);
}

static void start_old(struct world *w, enum relay_manner manner)
{
	go_old(w, manner);
	world_start_agent(w);
}

static const cJSON *reply_on(struct world *w, size_t mark, const char *topic)
{
	return document(w, wait_message(w, mark, topic, NULL));
}

/* Sends a command with reply_to; members are those of the payload, or "". */
static const cJSON *asked(struct world *w, const char *verb, const char *members)
{
	char *topic = quoted(w, BASE "/reply/old-%u", ++w->asked);
	size_t mark = client_mark(w->client);

	tell(w, verb, "{'reply_to':'%s'%s%s}", topic, *members ? "," : "", members);
	return reply_on(w, mark, topic);
}

static const cJSON *asked_ok(struct world *w, const char *verb, const char *members)
{
	const cJSON *reply = asked(w, verb, members);

	if (!bool_at(reply, "ok"))
		fail_msg("%s was refused: %s", verb, text_at(reply, "message"));
	return reply;
}

static void make(struct world *w, const char *id, const char *type, const char *args)
{
	asked_ok(w, "task/create",
		 quoted(w, "'id':'%s','type':'%s','args':%s", id, type, args));
}

static void assert_version(struct world *w, const char *version)
{
	wait_value(w, BASE "/info", "mqtt_version", version);
}

/* ---- which version ---- */

static void a_broker_that_refuses_5_gets_3_1_1(struct world *w)
{
	start_old(w, RELAY_REFUSES);

	assert_version(w, "3.1.1");
	wait_file(w, w->device.log, "the broker does not speak MQTT 5");
	assert_int_equal(relay_asked(old), 1);
}

static void a_broker_that_answers_in_its_own_version_gets_3_1_1(struct world *w)
{
	start_old(w, RELAY_ANSWERS);

	assert_version(w, "3.1.1");
	assert_int_equal(relay_asked(old), 1);
}

static void a_broker_that_hangs_up_three_times_gets_3_1_1(struct world *w)
{
	start_old(w, RELAY_HANGS_UP);

	assert_version(w, "3.1.1");
	assert_int_equal(relay_asked(old), 3);
}

static void after_a_cut_3_1_1_is_kept_for_an_hour(struct world *w)
{
	start_old(w, RELAY_REFUSES);
	assert_version(w, "3.1.1");
	size_t mark = client_mark(w->client);

	relay_cut(old);

	wait_message(w, mark, BASE "/status", "lost");
	wait_message(w, mark, BASE "/status", "online");
	assert_int_equal(relay_asked(old), 1);
}

static void a_broker_that_is_upgraded_to_5_keeps_the_session(struct world *w)
{
	start_old(w, RELAY_REFUSES);
	assert_version(w, "3.1.1");
	world_kill_agent(w);
	size_t mark = client_mark(w->client);
	tell(w, "task/create", "{'id':'late','type':'" HELLO "','args':%s}", SHORT_HELLO);

	relay_manner(old, RELAY_NO_MORE);
	world_start_agent(w);

	assert_version(w, "5");
	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/late"), "code"),
			    "accepted");
	ask_ok(w, "agent/ping", "{}");
}

/* ---- features that must still work ---- */

static void tasks_can_be_created_paused_resumed_and_cancelled(struct world *w)
{
	start_old(w, RELAY_REFUSES);

	make(w, "a", GENERATOR, LONG_GENERATOR);
	wait_status(w, "a", "running");
	asked_ok(w, "task/pause", "'id':'a'");
	wait_status(w, "a", "paused");
	asked_ok(w, "task/resume", "'id':'a'");
	wait_status(w, "a", "running");
	asked_ok(w, "task/cancel", "'id':'a'");
	wait_status(w, "a", "cancelled");
	make(w, "b", HELLO, SHORT_HELLO);

	assert_string_equal(text_at(wait_status(w, "b", "completed"), "result"),
			    "Hello World! Completed 1 steps successfully.");
	assert_true(bool_at(asked(w, "task/create",
				  "'id':'b','type':'" HELLO "','args':" SHORT_HELLO),
			    "duplicate"));
	assert_revs_grow(w);
}

static void short_forms_are_answered_on_the_plain_topic(struct world *w)
{
	start_old(w, RELAY_REFUSES);
	size_t mark = client_mark(w->client);

	tell(w, "light/set", "ON");

	assert_true(bool_at(reply_on(w, mark, BASE "/reply/_"), "ok"));
	wait_value(w, BASE "/light/ringlight", "state", "ON");
}

static void an_estop_with_an_empty_payload_works(struct world *w)
{
	start_old(w, RELAY_REFUSES);
	size_t mark = client_mark(w->client);

	tell(w, "estop", "%s", "");

	assert_true(bool_at(reply_on(w, mark, BASE "/reply/_"), "ok"));
	assert_string_equal(text_at(asked(w, "camera/capture", ""), "code"), "estopped");
	wait_value(w, BASE "/queue", "paused", "estop");
	asked_ok(w, "queue/resume", "");
	asked_ok(w, "camera/capture", "");
}

static void an_empty_payload_only_reads(struct world *w)
{
	static const char *const reads[] = {"agent/ping", "agent/sync", "task/list",
					    "project/list"};
	static const char *const writes[] = {
		"light/toggle", "queue/pause", "queue/clear", "motor/stop",
		"agent/drain",	"motor/home",  "task/cancel", "camera/capture"};

	start_old(w, RELAY_REFUSES);
	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		size_t mark = client_mark(w->client);

		tell(w, reads[i], "%s", "");
		assert_true(bool_at(reply_on(w, mark, BASE "/reply/_"), "ok"));
	}
	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		size_t mark = client_mark(w->client);

		tell(w, writes[i], "%s", "");
		assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/_"), "code"),
				    "bad_request");
	}
	asked_ok(w, "light/toggle", "");
	wait_value(w, BASE "/light/ringlight", "state", "ON");
}

/* ---- retained ---- */

static void retain(struct world *w, const char *topic, const char *payload)
{
	struct publish how = {.qos = 1, .retain = true};

	assert_int_equal(client_publish(w->client, topic, payload, strlen(payload), &how),
			 0);
}

static void a_retained_command_is_refused_and_its_clearing_is_ignored(struct world *w)
{
	retain(w, BASE "/cmd/light/set", "ON");
	retain(w, BASE "/cmd/agent/ping", "{}");
	size_t mark = client_mark(w->client);

	start_old(w, RELAY_REFUSES);

	/* The first is the test's, the second is the agent's clearing. */
	const struct message *m = wait_message(w, mark, BASE "/cmd/light/set", NULL);
	assert_int_equal(m->size, 0);
	wait_message(w, mark, BASE "/cmd/agent/ping", NULL);
	asked_ok(w, "agent/sync", ""); /* after the messages that returned to the agent */
	asked_ok(w, "agent/sync", "");
	assert_null(retained(w, BASE "/cmd/light/set"));
	assert_null(retained(w, BASE "/cmd/agent/ping"));
	assert_int_equal(client_count(w->client, mark, BASE "/reply/_"), 2);
	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/_"), "code"),
			    "retained_command");
	wait_value(w, BASE "/light/ringlight", "state", "OFF");
}

static void a_retained_estop_stops_nothing_and_is_not_cleared(struct world *w)
{
	retain(w, BASE "/cmd/estop", "{}");

	start_old(w, RELAY_REFUSES);

	assert_string_equal(text_at(reply_on(w, 0, BASE "/reply/_"), "code"),
			    "retained_command");
	asked_ok(w, "agent/sync", "");
	asked_ok(w, "camera/capture", "");
	assert_non_null(retained(w, BASE "/cmd/estop"));
}

static void an_unknown_task_topic_is_swept(struct world *w)
{
	retain(w, BASE "/task/ghost", "{\"id\":\"ghost\",\"rev\":1,\"store\":\"x\"}");
	size_t mark = client_mark(w->client);

	start_old(w, RELAY_REFUSES);

	assert_int_equal(wait_message(w, mark, BASE "/task/ghost", NULL)->size, 0);
}

/* ---- away and back ---- */

static void commands_wait_while_the_agent_is_away(struct world *w)
{
	start_old(w, RELAY_REFUSES);
	assert_version(w, "3.1.1");
	world_kill_agent(w);
	size_t mark = client_mark(w->client);
	tell(w, "task/create", "{'id':'late','type':'" HELLO "','args':%s}", SHORT_HELLO);
	tell(w, "light/set", "{'state':'ON','request':'l'}");

	world_start_agent(w);

	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/late"), "code"),
			    "accepted");
	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/l"), "code"), "stale");
	wait_status(w, "late", "completed");
	wait_file(w, w->device.log, "the broker kept our session");
}

static void a_killed_agent_is_lost_and_a_stopped_one_offline(struct world *w)
{
	start_old(w, RELAY_REFUSES);
	size_t mark = client_mark(w->client);

	world_kill_agent(w);
	wait_message(w, mark, BASE "/status", "lost");
	world_start_agent(w);
	mark = client_mark(w->client);
	world_stop_agent(w);

	wait_message(w, mark, BASE "/status", "offline");
	assert_string_equal(retained(w, BASE "/status"), "offline");
}

static void an_agent_that_yields_to_a_rival_is_lost(struct world *w)
{
	static const char rival[] =
		"{\"boot\":\"0123456789abcdef\",\"store\":\"another\"}";

	start_old(w, RELAY_REFUSES);
	assert_version(w, "3.1.1");
	size_t mark = client_mark(w->client);

	client_publish(w->client, BASE "/info", rival, strlen(rival), NULL);

	wait_message(w, mark, BASE "/status", "lost");
	assert_string_equal(retained(w, BASE "/status"), "lost");
}

static void a_task_continues_after_a_kill(struct world *w)
{
	start_old(w, RELAY_REFUSES);
	make(w, "a", GENERATOR,
	     quoted(w, "{'total_steps':40,'interval':%g}", patient_s(50)));
	wait_step(w, "a", 5);

	world_restart_agent(w);

	assert_true(number_at(wait_status(w, "a", "completed"), "resumed") == 1);
	assert_revs_grow(w);
}

static const struct world_options later = {.agent_later = true};

static const struct test tests[] = {
	TEST_WITH(a_broker_that_refuses_5_gets_3_1_1, later),
	TEST_WITH(a_broker_that_answers_in_its_own_version_gets_3_1_1, later),
	TEST_WITH(a_broker_that_hangs_up_three_times_gets_3_1_1, later),
	TEST_WITH(after_a_cut_3_1_1_is_kept_for_an_hour, later),
	TEST_WITH(a_broker_that_is_upgraded_to_5_keeps_the_session, later),
	TEST_WITH(tasks_can_be_created_paused_resumed_and_cancelled, later),
	TEST_WITH(short_forms_are_answered_on_the_plain_topic, later),
	TEST_WITH(an_estop_with_an_empty_payload_works, later),
	TEST_WITH(an_empty_payload_only_reads, later),
	TEST_WITH(a_retained_command_is_refused_and_its_clearing_is_ignored, later),
	TEST_WITH(a_retained_estop_stops_nothing_and_is_not_cleared, later),
	TEST_WITH(an_unknown_task_topic_is_swept, later),
	TEST_WITH(commands_wait_while_the_agent_is_away, later),
	TEST_WITH(a_killed_agent_is_lost_and_a_stopped_one_offline, later),
	TEST_WITH(an_agent_that_yields_to_a_rival_is_lost, later),
	TEST_WITH(a_task_continues_after_a_kill, later),
};

int main(int argc, char **argv)
{
	int failed = world_run("old_broker", tests, sizeof(tests) / sizeof(tests[0]),
			       argc, argv);

	relay_close(old);
	return failed;
}
