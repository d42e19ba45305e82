/* The protocol: where replies go, what is refused and why, and what is done only once. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "hello_world_async_task"
#define LONG_HELLO "{'total_steps':10000,'delay':0.05}"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"

static void publish(struct world *w, const char *topic, const char *payload,
		    const struct publish *how)
{
	assert_int_equal(client_publish(w->client, topic, payload, strlen(payload), how),
			 0);
}

static const cJSON *reply_on(struct world *w, size_t mark, const char *topic)
{
	return document(w, wait_message(w, mark, topic, NULL));
}

/* ---- replies ---- */

static void a_reply_goes_to_the_response_topic_with_its_correlation(struct world *w)
{
	struct publish how = {
		.qos = 1,
		.response_topic = ROOT "/_reply/fleet/console",
		.correlation = "order 66",
	};

	publish(w, BASE "/cmd/agent/ping", "", &how);

	const struct message *m = wait_message(w, 0, ROOT "/_reply/fleet/console", NULL);
	assert_string_equal(m->correlation, "order 66");
	assert_false(m->retain);
	assert_int_equal(m->qos, 1);
	const cJSON *reply = document(w, m);
	assert_true(bool_at(reply, "ok"));
	assert_string_equal(text_at(reply, "code"), "ok");
	assert_string_equal(text_at(reply, "device"), DEVICE_ID);
	assert_string_equal(text_at(reply, "verb"), "agent/ping");
	assert_false(bool_at(reply, "duplicate"));
	assert_int_equal(strlen(text_at(reply, "ts")), 24);
	assert_true(strlen(text_at(reply, "data.agent")) > 0);
}

static void without_a_response_topic_the_payload_names_the_reply_topic(struct world *w)
{
	tell(w, "agent/ping",
	     "{'reply_to':'" BASE "/reply/desk','request':'q1','id':'i1'}");
	tell(w, "agent/ping", "{'request':'q2','id':'i2'}");
	tell(w, "task/get", "{'id':'i3'}");
	tell(w, "agent/ping", "{}");

	assert_string_equal(text_at(reply_on(w, 0, BASE "/reply/desk"), "request"), "q1");
	assert_string_equal(text_at(reply_on(w, 0, BASE "/reply/q2"), "request"), "q2");
	assert_string_equal(text_at(reply_on(w, 0, BASE "/reply/i3"), "code"),
			    "not_found");
	assert_true(bool_at(reply_on(w, 0, BASE "/reply/_"), "ok"));
}

static void a_reply_can_never_become_a_command(struct world *w)
{
	static const char *const denied[] = {
		BASE "/cmd/estop", ROOT "/rig2/reply/x", "somewhere/else",
		BASE "/reply",	   BASE "/status",
	};

	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		size_t mark = client_mark(w->client);
		struct publish how = {.qos = 1, .response_topic = denied[i]};

		publish(w, BASE "/cmd/agent/ping", "", &how);
		assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/_"), "code"),
				    "reply_to_denied");
		mark = client_mark(w->client);
		tell(w, "agent/ping", "{'reply_to':'%s'}", denied[i]);
		assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/_"), "code"),
				    "reply_to_denied");
	}
	assert_int_equal(client_count(w->client, 0, "somewhere/#"), 0);
	assert_string_equal(retained(w, BASE "/status"), "online");
}

/* ---- forms ---- */

static void short_forms_are_understood(struct world *w)
{
	const cJSON *made = ask_ok(w, "task/create", HELLO);
	const char *id = text_at(made, "id");

	assert_string_equal(text_at(made, "code"), "accepted");
	assert_string_equal(text_at(ask_ok(w, "task/get", "%s", id), "data.type"), HELLO);
	assert_string_equal(text_at(ask_ok(w, "light/set", "ON"), "data.state"), "ON");
	assert_true(number_at(ask_ok(w, "light/set", "40"), "data.brightness") == 40);
	assert_string_equal(text_at(ask_ok(w, "light/set", "OFF"), "data.state"), "OFF");
	ask_ok(w, "agent/sync", "PRESS");
	ask_ok(w, "task/list", "%s", "");
}

static void an_empty_payload_never_means_the_current_task(struct world *w)
{
	create(w, "a", HELLO, LONG_HELLO);
	wait_status(w, "a", "running");

	ask_refused(w, "task/cancel", "bad_request", "%s", "");

	assert_status(w, "a", "running");
}

static void bad_json_is_refused_with_a_sentence(struct world *w)
{
	static const char *const bad[] = {
		"{",
		"{\"type\":\"" HELLO "\"} and more",
		"{\"type\":\"" HELLO "\",\"type\":\"failing_task\"}",
		"{\"type\":\"\xff\"}",
		"{\"type\":\"a\\u0000b\"}",
		"{\"args\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
		"{'type':1}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const cJSON *reply =
			ask_topic(w, BASE "/cmd/task/create", bad[i], strlen(bad[i]));

		assert_false(bool_at(reply, "ok"));
		assert_string_equal(text_at(reply, "code"), "bad_json");
		assert_false(bool_at(reply, "retryable"));
	}
	assert_int_equal(count_at(ask_ok(w, "task/list", "{}"), "data.tasks"), 0);
}

static void a_wrongly_formed_command_is_a_bad_request(struct world *w)
{
	ask_refused(w, "task/create", "bad_request", "{}");
	ask_refused(w, "task/create", "bad_request", "[1,2]");
	ask_refused(w, "task/create", "bad_request", "{'id':'a b','type':'" HELLO "'}");
	ask_refused(w, "task/create", "bad_request",
		    "{'id':'current','type':'" HELLO "'}");
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'" HELLO "','priority':11}");
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'" HELLO "','retries':11}");
	ask_refused(w, "task/create", "bad_request",
		    "{'type':'" HELLO "','request':'a b'}");
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'" HELLO "','colour':'red'}");
	ask_refused(w, "task/get", "bad_request", "{}");
}

static void unknown_verbs_and_wrong_depths_are_answered(struct world *w)
{
	static const char *const deep[] = {"/cmd/task", "/cmd/task/create/now",
					   "/cmd/a/b/c/d"};

	ask_refused(w, "task/explode", "unknown_verb", "{}");
	ask_refused(w, "nothing/create", "unknown_verb", "{}");
	for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++) {
		const cJSON *reply = ask_topic(w, quoted(w, BASE "%s", deep[i]), "{}", 2);

		assert_false(bool_at(reply, "ok"));
		assert_string_equal(text_at(reply, "code"), "unknown_verb");
	}
}

static void a_payload_above_128_kib_is_refused(struct world *w)
{
	size_t size = 128 * 1024 + 1;
	char *big = quoted(w, "%*s", (int)size, "");

	memcpy(big, "{}", 2);
	const cJSON *refused = ask_topic(w, BASE "/cmd/agent/ping", big, size);
	const cJSON *fits = ask_topic(w, BASE "/cmd/agent/ping", big, size - 1);

	assert_string_equal(text_at(refused, "code"), "payload_too_large");
	assert_true(bool_at(fits, "ok"));
}

/* ---- codes ---- */

static void each_plain_refusal_has_its_code(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);
	const cJSON *a = wait_status(w, "a", "completed");

	ask_refused(w, "task/create", "unknown_type", "nonsense_task");
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'" HELLO "','args':{'delay':'x'}}");
	ask_refused(w, "task/create", "schema_mismatch",
		    "{'type':'" HELLO "','schema':'%064d'}", 0);
	ask_refused(w, "task/get", "not_found", "nobody");
	ask_refused(w, "task/pause", "invalid_state", "a");
	const cJSON *conflict = ask_refused(w, "task/delete", "rev_conflict",
					    "{'id':'a','if_rev':%d}", 1);
	assert_true(number_at(conflict, "current.rev") == number_at(a, "rev"));
	ask_refused(w, "gpio/read", "invalid_args", "{'line':5}");
	ask_refused(w, "motor/move", "invalid_args", "{'name':'rotor','degrees':170}");
	ask_refused(w, "motor/move", "not_found", "{'name':'wheel','degrees':1}");
	ask_ok(w, "agent/drain", "{}");
	const cJSON *draining = ask_refused(w, "task/create", "draining", HELLO);
	assert_true(bool_at(draining, "retryable"));
	ask_ok(w, "agent/undrain", "{}");
	ask_ok(w, "estop", "{}");
	ask_refused(w, "camera/capture", "estopped", "{}");
}

static void if_rev_protects_against_concurrent_changes(struct world *w)
{
	ask_ok(w, "queue/pause", "{}");
	double rev = number_at(create(w, "a", HELLO, SHORT_HELLO), "rev");

	ask_ok(w, "task/update", "{'id':'a','priority':1,'if_rev':%.0f}", rev);

	ask_refused(w, "task/update", "rev_conflict",
		    "{'id':'a','priority':2,'if_rev':%.0f}", rev);
	assert_true(number_at(task_now(w, "a"), "priority") == 1);
}

static void the_257th_live_task_is_refused(struct world *w)
{
	ask_ok(w, "queue/pause", "{}");
	for (int i = 0; i < 256; i++)
		tell(w, "task/create", "{'id':'t%d','type':'" HELLO "','args':%s}", i,
		     SHORT_HELLO);

	const cJSON *refused = ask_refused(w, "task/create", "queue_full", HELLO);

	assert_true(bool_at(refused, "retryable"));
	assert_true(number_at(refused, "retry_after_s") > 0);
	assert_status(w, "t255", "pending");
	const cJSON *queue = wait_value(w, BASE "/queue", "depth", "256");
	assert_int_equal(count_at(queue, "pending"), 32);
	ask_ok(w, "task/cancel", "t7");
	ask_ok(w, "task/create", HELLO);
	assert_int_equal(count_at(ask_ok(w, "queue/clear", "{}"), "data.cancelled"), 256);
}

/* ---- once ---- */

static void a_known_id_with_another_body_is_a_conflict(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);

	const cJSON *other = ask_refused(w, "task/create", "id_conflict",
					 "{'id':'a','type':'failing_task'}");
	const cJSON *same = create(w, "a", HELLO, "{'delay':0.01,'total_steps':1}");

	assert_string_equal(text_at(other, "current.type"), HELLO);
	assert_true(bool_at(same, "duplicate"));
}

static void an_id_outlives_its_task(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);
	wait_status(w, "a", "completed");
	ask_ok(w, "task/delete", "a");

	const cJSON *again = create(w, "a", HELLO, SHORT_HELLO);

	assert_true(bool_at(again, "duplicate"));
	assert_true(bool_at(again, "data.gone"));
	ask_refused(w, "task/get", "not_found", "a");
}

static void a_request_is_carried_out_once(struct world *w)
{
	ask_ok(w, "light/set", "OFF");

	const cJSON *first = ask_ok(w, "light/toggle", "{'request':'r1'}");
	const cJSON *second = ask_ok(w, "light/toggle", "{'request':'r1'}");

	assert_false(bool_at(first, "duplicate"));
	assert_true(bool_at(second, "duplicate"));
	assert_string_equal(text_at(second, "request"), "r1");
	wait_value(w, BASE "/light/ringlight", "state", "ON");
	ask_refused(w, "light/set", "id_conflict", "{'request':'r1','state':'OFF'}");
	world_restart_agent(w);
	assert_true(bool_at(ask_ok(w, "light/toggle", "{'request':'r1'}"), "duplicate"));
}

static void a_refused_request_may_be_accepted_later(struct world *w)
{
	ask_refused(w, "task/pause", "not_found", "{'id':'a','request':'r1'}");
	create(w, "a", HELLO, LONG_HELLO);
	wait_status(w, "a", "running");

	const cJSON *reply = ask_ok(w, "task/pause", "{'id':'a','request':'r1'}");

	assert_false(bool_at(reply, "duplicate"));
	wait_status(w, "a", "paused");
}

/* ---- retained, late ---- */

static void a_retained_command_is_refused_and_cleared(struct world *w)
{
	struct publish how = {.qos = 1, .retain = true};
	size_t mark = client_mark(w->client);

	ask_ok(w, "light/set", "OFF");
	publish(w, BASE "/cmd/light/set", "ON", &how);

	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/_"), "code"),
			    "retained_command");
	while (retained(w, BASE "/cmd/light/set"))
		wait_message(w, mark, BASE "/cmd/light/set", NULL);
	wait_event(w, mark, "retained.refused", NULL);
	wait_value(w, BASE "/light/ringlight", "state", "OFF");
}

static const struct world_options later = {.agent_later = true};

static void a_retained_command_found_at_start_is_refused(struct world *w)
{
	struct publish how = {.qos = 1, .retain = true};

	publish(w, BASE "/cmd/task/create", HELLO, &how);
	world_start_agent(w);

	assert_string_equal(text_at(reply_on(w, 0, BASE "/reply/_"), "code"),
			    "retained_command");
	assert_int_equal(count_at(ask_ok(w, "task/list", "{}"), "data.tasks"), 0);
}

static void stale_commands_create_tasks_but_move_nothing(struct world *w)
{
	create(w, "g", "generator_task", "{'total_steps':1000,'interval':0.1}");
	wait_status(w, "g", "running");
	world_kill_agent(w);
	size_t mark = client_mark(w->client);
	tell(w, "task/create", "{'id':'late','type':'" HELLO "','args':%s}", SHORT_HELLO);
	tell(w, "motor/move", "{'name':'rotor','degrees':20,'request':'m'}");
	tell(w, "light/set", "{'state':'ON','request':'l'}");
	tell(w, "queue/resume", "{'request':'q'}");
	tell(w, "task/cancel", "current");
	tell(w, "agent/ping", "{'request':'p'}");

	world_start_agent(w);

	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/late"), "code"),
			    "accepted");
	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/m"), "code"), "stale");
	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/l"), "code"), "stale");
	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/q"), "code"), "stale");
	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/_"), "code"), "stale");
	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/p"), "code"), "ok");
	wait_status(w, "late", "completed");
	wait_value(w, BASE "/light/ringlight", "state", "OFF");
	assert_status(w, "g", "running");
}

/* ---- fleet ---- */

static const struct world_options in_a_group = {
	.settings = "{'fleet':{'groups':['garage'],'reply_spread_ms':0}}",
};

static void a_group_and_the_fleet_reach_the_device(struct world *w)
{
	const char *create_body =
		quoted(w, "{'id':'a','type':'" HELLO "','args':%s}", SHORT_HELLO);

	const cJSON *group = ask_topic(w, ROOT "/_group/garage/cmd/task/create",
				       create_body, strlen(create_body));
	const cJSON *all = ask_topic(w, ROOT "/_all/cmd/task/list", "{}", 2);
	const cJSON *denied =
		ask_topic(w, ROOT "/_all/cmd/task/create", HELLO, strlen(HELLO));
	const cJSON *motion = ask_topic(w, ROOT "/_group/garage/cmd/motor/home", "{}", 2);

	assert_string_equal(text_at(group, "code"), "accepted");
	assert_true(bool_at(all, "ok"));
	assert_string_equal(text_at(denied, "code"), "not_broadcast");
	assert_string_equal(text_at(motion, "code"), "not_broadcast");
	wait_status(w, "a", "completed");
}

static void a_retained_broadcast_is_refused_and_left_alone(struct world *w)
{
	struct publish how = {.qos = 1, .retain = true};
	size_t mark = client_mark(w->client);

	publish(w, ROOT "/_all/cmd/agent/drain", "{}", &how);

	assert_string_equal(text_at(reply_on(w, mark, BASE "/reply/_"), "code"),
			    "retained_command");
	ask_ok(w, "agent/ping", "{}");
	assert_non_null(retained(w, ROOT "/_all/cmd/agent/drain"));
}

static void only_the_devices_own_topic_lifts_an_estop(struct world *w)
{
	ask_ok(w, "estop", "{}");

	const cJSON *all = ask_topic(w, ROOT "/_all/cmd/queue/resume", "{}", 2);
	const cJSON *still = ask_refused(w, "camera/capture", "estopped", "{}");
	ask_ok(w, "queue/resume", "{}");

	assert_false(bool_at(all, "ok"));
	assert_string_equal(text_at(still, "verb"), "camera/capture");
	ask_ok(w, "camera/capture", "{}");
}

/* ---- what the agent publishes about itself ---- */

static void a_list_is_read_page_by_page(struct world *w)
{
	char *seen = quoted(w, "%*s", 30, "");
	int pages = 0, count = 0;
	const char *next = NULL;

	ask_ok(w, "queue/pause", "{}");
	for (int i = 0; i < 30; i++)
		create(w, quoted(w, "t%d", i), HELLO, SHORT_HELLO);

	do {
		const cJSON *reply =
			next ? ask_ok(w, "task/list", "{'limit':7,'next':'%s'}", next)
			     : ask_ok(w, "task/list", "{'limit':7}");
		const cJSON *task;

		cJSON_ArrayForEach(task, at(reply, "data.tasks")) {
			int i = atoi(text_at(task, "id") + 1);

			assert_int_equal(seen[i], ' ');
			seen[i] = 'x';
			count++;
		}
		next = cJSON_IsString(at(reply, "data.next"))
			       ? text_at(reply, "data.next")
			       : NULL;
		pages++;
	} while (next);
	assert_int_equal(count, 30);
	assert_int_equal(pages, 5);
}

static void the_types_and_the_agent_describe_themselves(struct world *w)
{
	const cJSON *scan = parsed(w, retained(w, BASE "/types/scan_task"));
	const cJSON *info = parsed(w, retained(w, BASE "/info"));
	const cJSON *current = parsed(w, retained(w, BASE "/current"));
	const cJSON *queue = parsed(w, retained(w, BASE "/queue"));

	assert_true(bool_at(scan, "is_exclusive"));
	assert_true(bool_at(scan, "resumable"));
	assert_false(bool_at(scan, "is_blocking"));
	assert_string_equal(text_at(scan, "category"), "core");
	assert_string_equal(text_at(scan, "source"), "built-in");
	assert_string_equal(text_at(scan, "args.type"), "object");
	assert_int_equal(strlen(text_at(scan, "schema")), 64);
	assert_int_equal(count_at(scan, "uses"), 3);
	text_at(info, "store");
	text_at(info, "boot");
	assert_string_equal(text_at(current, "status"), "idle");
	assert_true(number_at(queue, "depth") == 0);
	assert_false(bool_at(queue, "draining"));
	assert_false(bool_at(queue, "paused"));
	assert_string_equal(retained(w, BASE "/status"), "online");
	wait_message(w, 0, BASE "/health", "uptime_s");
	wait_event(w, 0, "agent.started", NULL);
}

static const struct world_options other_values = {
	.settings = "{'agent':{'keep_tasks':50}}",
};

static void settings_are_published(struct world *w)
{
	const cJSON *published = document(w, wait_message(w, 0, BASE "/settings", NULL));

	assert_true(number_at(published, "rev") >= 1);
	assert_true(number_at(published, "values.agent.keep_tasks") == 50);
	assert_true(number_at(published, "values.scheduler.max_concurrent") == 3);
}

static const struct test tests[] = {
	TEST(a_reply_goes_to_the_response_topic_with_its_correlation),
	TEST(without_a_response_topic_the_payload_names_the_reply_topic),
	TEST(a_reply_can_never_become_a_command),
	TEST(short_forms_are_understood),
	TEST(an_empty_payload_never_means_the_current_task),
	TEST(bad_json_is_refused_with_a_sentence),
	TEST(a_wrongly_formed_command_is_a_bad_request),
	TEST(unknown_verbs_and_wrong_depths_are_answered),
	TEST(a_payload_above_128_kib_is_refused),
	TEST(each_plain_refusal_has_its_code),
	TEST(if_rev_protects_against_concurrent_changes),
	TEST(the_257th_live_task_is_refused),
	TEST(a_known_id_with_another_body_is_a_conflict),
	TEST(an_id_outlives_its_task),
	TEST(a_request_is_carried_out_once),
	TEST(a_refused_request_may_be_accepted_later),
	TEST(a_retained_command_is_refused_and_cleared),
	TEST_WITH(a_retained_command_found_at_start_is_refused, later),
	TEST(stale_commands_create_tasks_but_move_nothing),
	TEST_WITH(a_group_and_the_fleet_reach_the_device, in_a_group),
	TEST_WITH(a_retained_broadcast_is_refused_and_left_alone, in_a_group),
	TEST_WITH(only_the_devices_own_topic_lifts_an_estop, in_a_group),
	TEST(a_list_is_read_page_by_page),
	TEST(the_types_and_the_agent_describe_themselves),
	TEST_WITH(settings_are_published, other_values),
};

int main(int argc, char **argv)
{
	return world_run("protocol", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
