/* Tests what the core publishes and how it connects: sections 2, 3, 6, 7 and 8 of the
 * contract. */
#include "tests/unit/fake_core.h"

#include <signal.h>
#include <sys/resource.h>

static int open_fake_core(void **state)
{
	struct fake_core *s = fake_core_open();

	session_up(s);
	*state = s;
	return 0;
}

static int close_fake_core(void **state)
{
	fake_core_close(*state);
	return 0;
}

/* ---- ids and requests, contract 6 ---- */

static void a_repeated_create_does_nothing_and_is_marked_duplicate(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "a", "plain_task", "'args':{'n':1,'text':'x'}");
	finish(s, "a", NULL);

	reply = ask_code(
		s, "task/create",
		"{'request':'other','args':{'text':'x','n':1},'type':'plain_task','id':'a'}",
		"accepted");

	assert_true(cJSON_IsTrue(at(reply, "duplicate")));
	assert_int_equal(number_at(reply, "rev"), 1);
	assert_string_equal(text_at(reply, "data/status"), "completed");
	assert_false(runs(s, "a"));
}

static void a_different_create_with_a_known_id_is_a_conflict(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "a", "plain_task", "'args':{'n':1}");

	reply = ask_code(s, "task/create",
			 "{'id':'a','type':'plain_task','args':{'n':2}}", "id_conflict");

	assert_int_equal(number_at(reply, "current/args/n"), 1);
}

static void ids_outlive_their_tasks_for_seven_days(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "a", "plain_task", "");
	finish(s, "a", NULL);
	ask_code(s, "task/delete", "a", "ok");
	reply = ask_code(s, "task/create", "{'id':'a','type':'plain_task'}", "accepted");
	assert_true(cJSON_IsTrue(at(reply, "duplicate")));
	assert_true(cJSON_IsTrue(at(reply, "data/gone")));
	assert_string_equal(text_at(reply, "data/status"), "completed");
	ask_code(s, "task/create", "{'id':'a','type':'block_task'}", "id_conflict");

	pass(s, 7 * (int64_t)DAY - HOUR);
	reply = ask_code(s, "task/create", "{'id':'a','type':'plain_task'}", "accepted");
	assert_true(cJSON_IsTrue(at(reply, "duplicate")));
	pass(s, 2 * HOUR);
	reply = ask_code(s, "task/create", "{'id':'a','type':'plain_task'}", "accepted");

	assert_true(cJSON_IsFalse(at(reply, "duplicate")));
	assert_true(runs(s, "a"));
}

/* A board without a clock battery starts in 1970 and jumps. */
static void ages_do_not_follow_the_wall_clock(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "a", "plain_task", "");
	finish(s, "a", NULL);
	s->wall += 3650 * (int64_t)DAY;
	pass(s, 3 * MINUTE);

	reply = ask_code(s, "task/create", "{'id':'a','type':'plain_task'}", "accepted");

	assert_true(cJSON_IsTrue(at(reply, "duplicate")));
	assert_string_equal(text_at(reply, "data/status"), "completed");
}

static void ages_add_up_the_running_time_over_restarts(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "a", "plain_task", "");
	finish(s, "a", NULL);
	ask_code(s, "task/delete", "a", "ok");
	pass(s, 5 * (int64_t)DAY);
	core_end(s);
	s->now = SECOND; /* the host was off for weeks and has just started */
	core_start(s);
	session_up(s);
	pass(s, 2 * (int64_t)DAY - HOUR);
	reply = ask_code(s, "task/create", "{'id':'a','type':'plain_task'}", "accepted");
	assert_true(cJSON_IsTrue(at(reply, "duplicate")));

	pass(s, 2 * HOUR);
	reply = ask_code(s, "task/create", "{'id':'a','type':'plain_task'}", "accepted");

	assert_true(cJSON_IsFalse(at(reply, "duplicate")));
}

static void a_request_makes_any_command_idempotent(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "a", "plain_task", "");
	fails(s, "a", "task_failed", "it broke");
	ask_code(s, "task/restart", "{'id':'a','request':'r1'}", "accepted");
	fails(s, "a", "task_failed", "it broke");
	crash(s);
	session_up(s);

	reply = ask_code(s, "task/restart", "{'request':'r1','id':'a'}", "accepted");

	assert_true(cJSON_IsTrue(at(reply, "duplicate")));
	assert_string_equal(text_at(reply, "request"), "r1");
	assert_false(runs(s, "a"));
	ask_code(s, "task/delete", "{'request':'r1','id':'a'}", "id_conflict");
	assert_status(s, "a", "error");
}

static void a_refused_command_may_be_accepted_later(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "a", "plain_task", "");
	ask_code(s, "task/restart", "{'id':'a','request':'r1'}", "invalid_state");
	fails(s, "a", "task_failed", "it broke");

	reply = ask_code(s, "task/restart", "{'id':'a','request':'r1'}", "accepted");

	assert_true(cJSON_IsFalse(at(reply, "duplicate")));
}

static void a_direct_command_repeated_while_it_runs_runs_once(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;
	size_t orders;

	assert_null(ask(s, "motor/move", "{'name':'rotor','degrees':10,'request':'r1'}"));
	orders = s->run_count;
	reply = ask(s, "motor/move", "{'name':'rotor','degrees':10,'request':'r1'}");
	assert_true(cJSON_IsTrue(at(reply, "duplicate")));
	ask_code(s, "motor/move", "{'name':'rotor','degrees':11,'request':'r1'}",
		 "id_conflict");
	command_ends(s, "motor/move", true, "", "{}");

	reply = ask_code(s, "motor/move", "{'name':'rotor','degrees':10,'request':'r1'}",
			 "ok");

	assert_true(cJSON_IsTrue(at(reply, "duplicate")));
	assert_int_equal(s->run_count, orders);
}

static void a_direct_command_that_failed_can_be_repeated(void **state)
{
	struct fake_core *s = *state;

	assert_null(ask(s, "motor/move", "{'name':'rotor','degrees':10,'request':'r1'}"));
	command_ends(s, "motor/move", false, "hardware_fault",
		     "the endstop did not open");
	assert_string_equal(text_at(published(s, "reply/r1"), "message"),
			    "the endstop did not open");
	assert_true(cJSON_IsTrue(at(published(s, "reply/r1"), "retryable")));

	assert_null(ask(s, "motor/move", "{'name':'rotor','degrees':10,'request':'r1'}"));

	assert_true(runs(s, "motor/move"));
}

static void a_dry_run_leaves_no_trace_in_queue_or_store(void **state)
{
	struct fake_core *s = *state;
	size_t from = s->message_count;

	assert_null(ask(s, "task/create",
			"{'id':'a','type':'plain_task','dry_run':true,'request':'r1'}"));
	command_ends(s, "task/create", true, "", "{'photos':3}");

	assert_int_equal(number_at(reply_from(s, from), "data/photos"), 3);
	ask_code(s, "task/get", "a", "not_found");
	make(s, "a", "plain_task", "'request':'r1'");
	assert_true(runs(s, "a"));
}

static void an_emergency_stop_is_never_a_repetition(void **state)
{
	struct fake_core *s = *state;

	ask_code(s, "estop", "{'request':'r1'}", "ok");
	ask_code(s, "queue/resume", "", "ok");
	make(s, "m", "move_task", "");

	ask_code(s, "estop", "{'request':'r1'}", "ok");

	assert_true(run_of(s, "m")->stop);
	ask_code(s, "motor/move", "{'name':'rotor','degrees':10}", "estopped");
}

/* ---- replies, contract 2 ---- */

static void a_reply_goes_to_the_requested_topic(void **state)
{
	struct fake_core *s = *state;
	struct event *event;

	ask_code(s, "agent/ping", "{'reply_to':'" OURS "reply/me'}", "ok");
	assert_non_null(newest(s, "reply/me"));
	ask_code(s, "agent/ping", "{'request':'r1','id':'x'}", "ok");
	assert_non_null(newest(s, "reply/r1"));
	ask_code(s, "task/get", "x", "not_found");
	assert_non_null(newest(s, "reply/x"));
	ask_code(s, "agent/ping", "", "ok");
	assert_non_null(newest(s, "reply/_"));

	event = command_event(s, "agent/ping", "{'reply_to':'" OURS "reply/other'}");
	event->response_topic = strdup(ROOT "/_reply/console");
	event->correlation = (uint8_t *)strdup("c0");
	event->correlation_size = 2;
	post(s, event);
	settle(s);

	assert_string_equal(newest(s, "/" ROOT "/_reply/console")->correlation, "c0");
	assert_false(newest(s, "/" ROOT "/_reply/console")->retain);
	assert_int_equal(newest(s, "/" ROOT "/_reply/console")->qos, 1);
	assert_null(newest(s, "reply/other"));
}

static void a_reply_can_never_become_a_command(void **state)
{
	static const char *const elsewhere[] = {
		ROOT "/rig2/cmd/estop", OURS "cmd/estop",
		OURS "reply/#",		"somewhere",
		ROOT "/rig2/reply/x",	OURS "reply/_barrier",
		OURS "reply/",
	};
	struct fake_core *s = *state;
	char body[200], topic[200];

	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		size_t from = s->message_count;

		snprintf(body, sizeof(body),
			 "{'id':'a','type':'plain_task','reply_to':'%s'}", elsewhere[i]);
		snprintf(topic, sizeof(topic), "/%s", elsewhere[i]);

		ask_code(s, "task/create", body, "reply_to_denied");

		assert_null(newest_from(s, topic, from));
		assert_non_null(newest_from(s, "reply/_", from));
	}
	ask_code(s, "task/get", "a", "not_found");
}

static void a_refused_retained_command_is_answered_below_reply_only(void **state)
{
	struct fake_core *s = *state;
	struct event *event = command_event(s, "task/create",
					    "{'type':'plain_task','reply_to':'" ROOT
					    "/rig2/cmd/estop'}");

	event->retained = true;
	post(s, event);
	settle(s);

	assert_null(newest(s, "/" ROOT "/rig2/cmd/estop"));
	assert_non_null(newest(s, "reply/_"));
	assert_int_equal(newest(s, "cmd/task/create")->size, 0);
}

static void every_invalid_command_is_answered(void **state)
{
	struct fake_core *s = *state;

	ask_code(s, "task/create", "{nonsense", "bad_json");
	ask_code(s, "task/create", "", "bad_request");
	ask_code(s, "task/create", "{}", "bad_request");
	ask_code(s, "task/dance", "", "unknown_verb");
	ask_code(s, "a/b/c/d", "", "unknown_verb");
	ask_code(s, "task/create", "nobody_task", "unknown_type");
	ask_code(s, "task/create", "{'type':'plain_task','args':{'n':0}}",
		 "invalid_args");
	ask_code(s, "task/create", "{'type':'plain_task','schema':'00'}",
		 "schema_mismatch");
	ask_code(s, "task/create", "{'type':'plain_task','id':'current'}", "bad_request");
	ask_code(s, "task/create", "{'type':'plain_task','wrong':1}", "invalid_args");
	ask_code(s, "task/pause", "nobody", "not_found");
}

static void a_mistyped_name_is_answered_with_the_nearest(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply = ask_code(s, "task/create", "plian_task", "unknown_type");

	assert_string_equal(
		text_at(reply, "message"),
		"there is no task type 'plian_task' (did you mean 'plain_task'?)");
	assert_string_equal(text_at(cJSON_GetArrayItem(at(reply, "errors"), 0), "path"),
			    "/type");
	reply = ask_code(s, "motor/move", "{'name':'turntabel','degrees':1}",
			 "not_found");
	assert_string_equal(text_at(reply, "message"),
			    "there is no motor 'turntabel' (did you mean 'turntable'?)");
	assert_string_equal(text_at(cJSON_GetArrayItem(at(reply, "errors"), 0), "path"),
			    "/name");
}

static void a_reply_still_comes_after_a_crash(void **state)
{
	struct fake_core *s = *state;

	s->deaf = true;
	make(s, "a", "plain_task", "");
	crash(s);
	s->deaf = false;
	session_up(s);

	assert_int_equal(count_of(s, "reply/a"), 2);
	pass(s, 2 * SECOND);
	crash(s);
	session_up(s);
	assert_int_equal(count_of(s, "reply/a"), 2);
}

static void a_reply_older_than_an_hour_is_dropped(void **state)
{
	struct fake_core *s = *state;

	s->deaf = true;
	make(s, "a", "plain_task", "");
	session_lost(s);
	pass(s, HOUR + MINUTE);
	s->deaf = false;
	session_up(s);

	assert_int_equal(count_of(s, "reply/a"), 1);
}

static void reads_write_nothing(void **state)
{
	struct fake_core *s = *state;
	size_t from;

	make(s, "a", "plain_task", "");
	s->deaf = true;
	ask_code(s, "task/list", "", "ok");
	ask_code(s, "task/get", "{'id':'a','request':'r1'}", "ok");
	ask_code(s, "agent/ping", "", "ok");
	crash(s);
	s->deaf = false;
	from = s->message_count;
	session_up(s);

	assert_null(newest_from(s, "reply/_", from));
	assert_null(newest_from(s, "reply/r1", from));
}

static void replies_to_a_broadcast_are_spread_over_time(void **state)
{
	struct fake_core *s = *state;
	int64_t before = s->now;
	size_t from = s->message_count;

	for (int i = 0; i < 8; i++)
		post(s, command_event(s, "/" ROOT "/_all/cmd/agent/ping", ""));
	settle(s);
	pass(s, 499);

	int64_t first = -1, last = -1;
	for (size_t i = from; i < s->message_count; i++) {
		if (strcmp(s->messages[i].topic, OURS "reply/_") != 0)
			continue;
		if (first < 0)
			first = s->messages[i].at;
		last = s->messages[i].at;
	}
	assert_true(first >= before && last > first);
	assert_int_equal(count_of(s, "reply/_"), 8);
}

static void a_broadcast_allows_only_some_verbs(void **state)
{
	struct fake_core *s = *state;
	size_t from = s->message_count;

	post(s, command_event(s, "/" ROOT "/_all/cmd/task/create", "plain_task"));
	post(s, command_event(s, "/" ROOT "/_group/g/cmd/motor/move",
			      "{'name':'rotor','degrees':1}"));
	settle(s);
	pass(s, SECOND);

	assert_string_equal(text_at(reply_from(s, from), "code"), "not_broadcast");
	assert_string_equal(text_at(published(s, "reply/_"), "code"), "not_broadcast");
	assert_int_equal(s->run_count, 0);
}

/* ---- stale and retained commands ---- */

static void commands_queued_before_the_connection_are_stale(void **state)
{
	struct fake_core *s = *state;

	make(s, "x", "alone_task", "");
	session_lost(s);
	s->silent = true;
	session_up(s);

	ask_code(s, "motor/move", "{'name':'rotor','degrees':10}", "stale");
	ask_code(s, "light/set", "ON", "stale");
	ask_code(s, "queue/resume", "", "stale");
	ask_code(s, "task/pause", "current", "stale");
	ask_code(s, "task/pause", "PRESS", "stale");
	ask_code(s, "task/create", "plain_task", "accepted");
	ask_code(s, "task/pause", "x", "accepted");
	ask_code(s, "queue/pause", "", "ok");
	assert_null(ask(s, "motor/stop", ""));
	ask_code(s, "estop", "", "ok");
}

static void a_lost_barrier_is_sent_again_after_five_seconds(void **state)
{
	struct fake_core *s = *state;
	size_t before;

	session_lost(s);
	before = count_of(s, "reply/_barrier");
	s->silent = true;
	session_up(s);
	assert_int_equal(count_of(s, "reply/_barrier"), before + 1);
	pass(s, 4900);
	assert_int_equal(count_of(s, "reply/_barrier"), before + 1);
	s->silent = false;
	pass(s, 200);

	assert_int_equal(count_of(s, "reply/_barrier"), before + 2);
	assert_null(ask(s, "motor/move", "{'name':'rotor','degrees':10}"));
	assert_true(runs(s, "motor/move"));
}

static void a_barrier_of_an_earlier_process_is_ignored(void **state)
{
	struct fake_core *s = *state;

	session_lost(s);
	s->silent = true;
	session_up(s);
	post(s, message_event(s, OURS "reply/_barrier", "b000000000000000 1"));
	settle(s);

	ask_code(s, "queue/resume", "", "stale");
}

static void a_retained_command_is_refused_and_taken_off_the_broker(void **state)
{
	struct fake_core *s = *state;
	struct event *event =
		command_event(s, "task/create", "{'id':'a','type':'plain_task'}");

	event->retained = true;
	post(s, event);
	settle(s);

	assert_string_equal(text_at(published(s, "reply/a"), "code"), "retained_command");
	assert_int_equal(newest(s, "cmd/task/create")->size, 0);
	assert_true(newest(s, "cmd/task/create")->retain);
	assert_true(happened(s, "retained.refused", NULL));
	ask_code(s, "task/get", "a", "not_found");
}

static void a_retained_broadcast_is_reported_and_not_cleared(void **state)
{
	struct fake_core *s = *state;
	struct event *event = command_event(s, "/" ROOT "/_all/cmd/estop", "");

	event_set_data(event, "{}", 2);
	event->retained = true;
	post(s, event);
	settle(s);

	assert_null(newest(s, "/" ROOT "/_all/cmd/estop"));
	assert_true(happened(s, "retained.refused", NULL));
	assert_int_equal(s->estops, 0);
}

static void an_empty_retained_message_is_never_a_command(void **state)
{
	struct fake_core *s = *state;
	struct event *event = command_event(s, "estop", "");
	size_t from = s->message_count;

	event->retained = true;
	post(s, event);
	settle(s);

	assert_int_equal(s->message_count, from);
	assert_int_equal(s->estops, 0);
}

/* ---- estop, drain, prune ---- */

static void an_emergency_stop_interrupts_and_stays_until_it_is_lifted(void **state)
{
	struct fake_core *s = *state;

	make(s, "m", "move_task", "'retries':3");
	make(s, "p", "plain_task", "");
	make(s, "n", "move_task", "");

	ask_code(s, "estop", "", "ok");

	assert_int_equal(s->estops, 1);
	assert_true(run_of(s, "m")->stop && run_of(s, "m")->estopped);
	assert_false(run_of(s, "p")->stop); /* it holds no hardware */
	assert_true(happened(s, "estop", NULL));
	stops(s, "m");
	assert_status(s, "m", "interrupted");
	assert_false(runs(s, "n"));
	pass(s, SECOND);
	assert_string_equal(text_at(published(s, "queue"), "paused"), "estop");
	ask_code(s, "motor/move", "{'name':'rotor','degrees':10}", "estopped");
	ask_code(s, "motor/home", "", "estopped");
	ask_code(s, "camera/capture", "", "estopped");
	ask_code(s, "trigger/fire", "", "estopped");

	ask_code(s, "queue/resume", "", "ok");
	assert_int_equal(s->estop_releases, 1);
	assert_true(runs(s, "n"));
}

static void an_emergency_stop_lasts_over_a_restart(void **state)
{
	struct fake_core *s = *state;

	make(s, "m", "move_task", "");
	checkpoint(s, "m", "{\"at\":1}");
	ask_code(s, "estop", "", "ok");
	crash(s);

	assert_int_equal(s->estops, 2);
	assert_false(runs(s, "m"));
	session_up(s);
	assert_status(s, "m", "interrupted");
	ask_code(s, "motor/move", "{'name':'rotor','degrees':10}", "estopped");
	make(s, "n", "plain_task", "");
	assert_false(runs(s, "n"));
	ask_code(s, "queue/resume", "", "ok");
	assert_true(runs(s, "n"));
}

static void a_paused_task_that_holds_hardware_is_interrupted_too(void **state)
{
	struct fake_core *s = *state;

	make(s, "m", "move_task", "");
	checkpoint(s, "m", "{\"at\":1}");
	ask_code(s, "task/pause", "m", "accepted");
	parked(s, "m");
	ask_code(s, "estop", "", "ok");
	crash(s); /* before the run could end */
	session_up(s);

	assert_status(s, "m", "interrupted");
}

static void a_broadcast_does_not_lift_an_emergency_stop(void **state)
{
	struct fake_core *s = *state;

	ask_code(s, "estop", "", "ok");
	post(s, command_event(s, "/" ROOT "/_all/cmd/queue/resume", ""));
	settle(s);
	pass(s, SECOND);

	assert_string_equal(text_at(published(s, "reply/_"), "code"), "estopped");
	assert_int_equal(s->estop_releases, 0);
}

static void an_emergency_stop_takes_any_form(void **state)
{
	struct fake_core *s = *state;

	ask_code(s, "estop", "{broken", "ok");
	ask_code(s, "estop", "{'reply_to':'" ROOT "/rig2/cmd/estop'}", "ok");

	assert_int_equal(s->estops, 2);
	assert_null(newest(s, "/" ROOT "/rig2/cmd/estop"));
}

static void draining_finishes_runs_and_retries_and_refuses_new_tasks(void **state)
{
	struct fake_core *s = *state;

	make(s, "x", "alone_task", "'retries':1");
	make(s, "p", "plain_task", "");

	ask_code(s, "agent/drain", "", "ok");

	assert_string_equal(newest(s, "status")->text, "draining");
	ask_code(s, "task/create", "plain_task", "draining");
	fails(s, "x", "task_failed", "once");
	assert_true(runs(s, "x"));
	assert_false(happened(s, "agent.drained", NULL));
	fails(s, "x", "task_failed", "twice");
	assert_true(happened(s, "agent.drained", NULL));
	assert_false(runs(s, "p"));
	ask_code(s, "task/restart", "x", "draining");
	crash(s);
	session_up(s);
	assert_false(runs(s, "p"));
	assert_string_equal(newest(s, "status")->text, "draining");
	ask_code(s, "agent/undrain", "", "ok");
	assert_true(runs(s, "p"));
	assert_string_equal(newest(s, "status")->text, "online");
}

static void prune_deletes_acknowledged_tasks_that_ended_a_minute_ago(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "a", "plain_task", "");
	finish(s, "a", NULL);
	reply = ask_code(s, "agent/prune", "{'keep':0}", "ok");
	assert_int_equal(number_at(reply, "data/pruned"), 0);
	pass(s, MINUTE + SECOND);
	s->deaf = true;
	make(s, "b", "plain_task", "");
	finish(s, "b", NULL);
	make(s, "live", "plain_task", "");
	pass(s, MINUTE + SECOND);

	reply = ask_code(s, "agent/prune", "{'keep':0}", "ok");

	assert_int_equal(number_at(reply, "data/pruned"), 1);
	ask_code(s, "task/get", "a", "not_found");
	ask_code(s, "task/get", "b", "ok");
	ask_code(s, "task/get", "live", "ok");
	s->deaf = false;
	broker_ack_all(s);
	settle(s);
	assert_int_equal(newest(s, "task/a")->size, 0);
	assert_true(happened(s, "task.pruned", "a"));
}

static void finished_tasks_are_kept_up_to_a_number_and_an_age(void **state)
{
	struct fake_core *s = *state;

	s->core->options.tunables.keep_tasks = 3;
	for (int i = 0; i < 5; i++) {
		char id[16];

		snprintf(id, sizeof(id), "t%d", i);
		make(s, id, "plain_task", "");
		finish(s, id, NULL);
	}

	pass(s, 3 * MINUTE);

	ask_code(s, "task/get", "t0", "not_found");
	ask_code(s, "task/get", "t1", "not_found");
	ask_code(s, "task/get", "t2", "ok");
	ask_code(s, "task/get", "t4", "ok");
	pass(s, 31 * (int64_t)DAY);
	ask_code(s, "task/get", "t4", "not_found");
}

/* ---- bounds, contract 8 ---- */

static void at_most_256_tasks_are_live(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	for (int i = 0; i < 250; i++)
		post(s, command_event(s, "task/create", "plain_task"));
	settle(s);
	reply = ask_code(
		s, "task/create",
		"{'type':'plain_task','then':[{'type':'plain_task'},{'type':'plain_task'},"
		"{'type':'plain_task'},{'type':'plain_task'},{'type':'plain_task'},"
		"{'type':'plain_task'}]}",
		"queue_full");
	assert_true(number_at(reply, "retry_after_s") > 0);
	for (int i = 0; i < 6; i++)
		ask_code(s, "task/create", "plain_task", "accepted");

	ask_code(s, "task/create", "plain_task", "queue_full");

	pass(s, SECOND);
	assert_int_equal(cJSON_GetArraySize(at(published(s, "queue"), "pending")), 32);
	assert_int_equal(number_at(published(s, "queue"), "depth"), 253);
	crash(s);
	session_up(s);
	ask_code(s, "task/create", "plain_task", "queue_full");
}

static void at_most_a_thousand_replies_wait_and_the_oldest_are_dropped(void **state)
{
	struct fake_core *s = *state;
	size_t from, n = 0;

	make(s, "x", "alone_task", "");
	s->deaf = true;
	for (int i = 0; i < 1100; i++) {
		char body[80];

		snprintf(body, sizeof(body), "{'id':'x','priority':1,'request':'r%d'}",
			 i);
		post(s, command_event(s, "task/update", body));
	}
	settle(s);
	assert_true(outbox_dropped(s->core->outbox) >= 100);
	crash(s);
	s->deaf = false;
	from = s->message_count;
	session_up(s);

	for (size_t i = from; i < s->message_count; i++)
		n += !strncmp(s->messages[i].topic, OURS "reply/r",
			      strlen(OURS "reply/r"));
	assert_in_range(n, 990, 1000);
	assert_null(newest_from(s, "reply/r99", from));
	assert_non_null(newest_from(s, "reply/r200", from));
	assert_non_null(newest_from(s, "reply/r1099", from));
}

static void at_most_five_thousand_events_wait_and_skipped_ones_stay_stored(void **state)
{
	struct fake_core *s = *state;
	size_t from;
	double first = -1, last = -1, newest_seq;
	const cJSON *reply;

	make(s, "x", "plain_task", "");
	session_lost(s);
	for (int i = 0; i < 5100; i++) {
		struct event *event = run_event(s, "x", EVENT_EMIT);

		event->topic = strdup("scan.photo");
		event->text = strdup("{\"done\":1}");
		post(s, event);
	}
	settle(s);
	from = s->message_count;
	newest_seq = (double)outbox_last_seq(s->core->outbox);
	session_up(s);

	for (size_t i = from; i < s->message_count; i++) {
		if (strcmp(s->messages[i].topic, OURS "event") != 0)
			continue;
		double seq = number_at(keep_parsed(s, s->messages[i].text), "seq");
		if (first < 0)
			first = seq;
		else
			assert_true(seq == last + 1);
		last = seq;
	}
	assert_true(first == newest_seq - 4999);
	assert_true(last == newest_seq);
	reply = ask_code(s, "task/events", "{'since':10,'limit':2}", "ok");
	assert_int_equal(number_at(reply, "data/events/0/seq"), 11);
	assert_int_equal(number_at(reply, "data/next"), 12);
	assert_int_equal(number_at(reply, "data/oldest"), 1);
}

static void labels_are_bounded_in_number_and_size(void **state)
{
	struct fake_core *s = *state;
	char body[2048], *end = body;

	end += sprintf(end, "{'type':'plain_task','labels':{'l':'");
	for (int i = 0; i < 128; i++)
		end += sprintf(end, "ü");
	strcpy(end, "'}}");
	ask_code(s, "task/create", body, "accepted");
	strcpy(end, "ü'}}");
	ask_code(s, "task/create", body, "invalid_args");

	end = body + sprintf(body, "{'type':'plain_task','labels':{");
	for (int i = 0; i < 17; i++)
		end += sprintf(end, "%s'l%d':'x'", i ? "," : "", i);
	strcpy(end, "}}");
	ask_code(s, "task/create", body, "invalid_args");

	sprintf(body, "{'type':'plain_task','labels':{'%064d':'x'}}", 1);
	ask_code(s, "task/create", body, "accepted");
	sprintf(body, "{'type':'plain_task','labels':{'%065d':'x'}}", 1);
	ask_code(s, "task/create", body, "invalid_args");
}

static void a_document_never_exceeds_16_kib(void **state)
{
	struct fake_core *s = *state;
	char *body = malloc(64 * 1024), *end = body;
	char text[1024], id[80];

	/* Everything at its limit, in characters that JSON writes with six bytes.
	 */
	for (int i = 0; i < 31; i++) {
		snprintf(id, sizeof(id), "%064d", i);
		make(s, id, "plain_task", "");
	}
	memset(text, 'x', sizeof(text));
	end += sprintf(end, "{'id':'big','type':'plain_task','args':{'text':'");
	for (int i = 0; i < 660; i++)
		end += sprintf(end, "\\u0001");
	end += sprintf(end, "'},'labels':{");
	for (int i = 0; i < 16; i++) {
		end += sprintf(end, "%s'%064d':'", i ? "," : "", i);
		for (int k = 0; k < 256; k++)
			end += sprintf(end, "\\u0001");
		end += sprintf(end, "'");
	}
	end += sprintf(end, "},'after':[");
	for (int i = 0; i < 31; i++)
		end += sprintf(end, "%s'%064d'", i ? "," : "", i);
	sprintf(end, "]}");
	ask_code(s, "task/create", body, "accepted");
	free(body);

	assert_true(newest(s, "task/big")->size <= 16 * 1024);
	assert_string_equal(text_at(document(s, "big"), "status"), "pending");
	assert_int_equal(cJSON_GetArraySize(at(get(s, "big"), "labels")), 16);
}

static void large_arguments_are_only_shown_by_task_get(void **state)
{
	struct fake_core *s = *state;
	char body[6000], long_text[5000];

	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	snprintf(body, sizeof(body),
		 "{'id':'a','type':'plain_task','args':{'text':'%s'}}", long_text);
	ask_code(s, "task/create", body, "accepted");

	assert_null(at(document(s, "a"), "args"));
	assert_string_equal(text_at(get(s, "a"), "args/text"), long_text);
	snprintf(body, sizeof(body), "['%s','%.4000s']", "", long_text);
	finish(s, "a", body);
	assert_string_equal(text_at(document(s, "a"), "result/1") + 3990, "xxxxxxxxxx");
}

static void secrets_are_masked_everywhere(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "needy_task", "'args':{'input':1,'password':'hunter2'}");
	get(s, "a");
	ask_code(s, "task/list", "", "ok");
	ask_code(
		s, "task/create",
		"{'id':'b','type':'needy_task','args':{'input':'x','password':'hunter2'}}",
		"invalid_args");
	ask_code(s, "task/create", "{'id':'a','type':'needy_task','args':{'input':2}}",
		 "id_conflict");

	assert_non_null(strstr(run_of(s, "a")->args, "hunter2"));
	for (size_t i = 0; i < s->message_count; i++)
		assert_null(strstr(s->messages[i].text, "hunter2"));
}

/* ---- out: order, versions, commits ---- */

/* fake_core checks every message; here the broker is slow on purpose. */
static void a_slow_broker_sees_revisions_grow_and_one_message_of_a_topic(void **state)
{
	struct fake_core *s = *state;

	s->deaf = true;
	make(s, "a", "plain_task", "");
	for (int i = 0; i < 20; i++) {
		char body[40];

		snprintf(body, sizeof(body), "{'id':'a','priority':%d}", i % 7);
		post(s, command_event(s, "task/update", body));
		settle(s);
		if (i % 3 == 0)
			broker_ack_all(s);
		if (i % 5 == 4) {
			session_lost(s);
			session_up(s);
		}
	}
	s->deaf = false;
	broker_ack_all(s);
	settle(s);

	assert_true(number_at(document(s, "a"), "rev") == number_at(get(s, "a"), "rev"));
}

static void
a_document_is_sent_again_until_its_newest_version_is_acknowledged(void **state)
{
	struct fake_core *s = *state;
	size_t from;

	s->deaf = true;
	make(s, "a", "plain_task", "");
	finish(s, "a", NULL);
	assert_string_equal(text_at(document(s, "a"), "status"), "running");
	s->deaf = false;
	broker_ack_all(s);
	settle(s);
	assert_string_equal(text_at(document(s, "a"), "status"), "completed");

	pass(s, 2 * SECOND);
	from = s->message_count;
	session_lost(s);
	session_up(s);
	assert_null(newest_from(s, "task/a", from));
}

static void a_delete_and_its_clearing_survive_a_crash(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	finish(s, "a", NULL);
	s->deaf = true;
	ask_code(s, "task/delete", "a", "ok");
	crash(s);
	s->deaf = false;
	session_up(s);

	assert_int_equal(newest(s, "task/a")->size, 0);
	assert_true(newest(s, "task/a")->retain);
}

static void events_are_numbered_without_gaps_and_sent_in_order(void **state)
{
	struct fake_core *s = *state;
	double last = 0;

	make(s, "a", "plain_task", "");
	session_lost(s);
	finish(s, "a", NULL);
	crash(s);
	session_up(s);

	for (size_t i = 0; i < s->message_count; i++) {
		if (strcmp(s->messages[i].topic, OURS "event") != 0)
			continue;
		double seq = number_at(keep_parsed(s, s->messages[i].text), "seq");
		assert_true(seq <= last + 1);
		if (seq > last)
			last = seq;
	}
	assert_true(last == (double)outbox_last_seq(s->core->outbox));
}

/* The database may not grow, so the commit fails; the pages that a test writes are few
 * and stay in memory until then. */
static void nothing_is_published_and_no_sender_released_before_the_commit(void **state)
{
	struct fake_core *s = *state;
	struct rlimit before, none;
	struct event *event;
	struct err err;
	size_t messages = s->message_count, orders = s->run_count;
	int released = s->released;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	none = before;
	none.rlim_cur = 0;
	event = command_event(s, "task/create", "{'id':'a','type':'plain_task'}");
	event->completion = (struct completion *)s;
	post(s, event);

	setrlimit(RLIMIT_FSIZE, &none);
	int ret = fake_core_turn(s, &err);
	setrlimit(RLIMIT_FSIZE, &before);

	assert_true(ret < 0);
	assert_int_equal(s->message_count, messages);
	assert_int_equal(s->run_count, orders);
	assert_int_equal(s->released, released);
	crash(s);
	session_up(s);
	ask_code(s, "task/get", "a", "not_found");
	make(s, "a", "plain_task", "");
	assert_true(runs(s, "a"));
}

static void a_commit_releases_the_threads_that_wait_for_it(void **state)
{
	struct fake_core *s = *state;
	struct event *event =
		command_event(s, "task/create", "{'id':'a','type':'plain_task'}");
	int released = s->released;

	event->completion = (struct completion *)s;
	post(s, event);
	settle(s);

	assert_int_equal(s->released, released + 1);
}

/* ---- connecting, contract 7 ---- */

static void the_agent_works_without_a_broker(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	session_lost(s);
	progress(s, "a", 1, 2);
	finish(s, "a", "'done'");
	pass(s, HOUR);
	session_up(s);

	assert_string_equal(text_at(document(s, "a"), "status"), "completed");
}

static void every_retained_topic_is_published_at_a_connect(void **state)
{
	static const char *const topics[] = {"status",	"info",	    "queue",
					     "current", "settings", "types/plain_task",
					     "task/a"};
	struct fake_core *s = *state;
	size_t from;

	make(s, "a", "plain_task", "");
	finish(s, "a", NULL);
	pass(s, 2 * MINUTE);
	session_lost(s);
	from = s->message_count;
	session_up(s);

	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		const struct message *m = newest_from(s, topics[i], from);

		if (!m)
			fail_msg("%s was not published again", topics[i]);
		assert_true(m->retain);
		assert_int_equal(m->qos, 1);
	}
	assert_string_equal(newest(s, "status")->text, "online");
	assert_string_equal(text_at(published(s, "info"), "store"), "5707e00000000001");
}

static void the_status_is_published_at_every_connect_the_rest_once_a_minute(void **state)
{
	struct fake_core *s = *state;
	size_t from;

	make(s, "a", "plain_task", "");
	pass(s, 2 * SECOND);
	session_lost(s);
	from = s->message_count;
	session_up(s);
	assert_string_equal(newest_from(s, "status", from)->text, "online");
	assert_null(newest_from(s, "types/plain_task", from));

	pass(s, MINUTE);

	assert_non_null(newest_from(s, "types/plain_task", from));
	assert_non_null(newest_from(s, "task/a", from));
}

static void agent_sync_publishes_everything_again(void **state)
{
	struct fake_core *s = *state;
	size_t from;

	make(s, "a", "plain_task", "");
	pass(s, 2 * SECOND);
	from = s->message_count;

	ask_code(s, "agent/sync", "", "ok");

	assert_non_null(newest_from(s, "types/plain_task", from));
	assert_non_null(newest_from(s, "task/a", from));
	assert_non_null(newest_from(s, "status", from));
}

static void post_retained(struct fake_core *s, const char *topic, const char *text,
			  bool retained)
{
	struct event *event = message_event(s, topic, text);

	event->retained = retained;
	post(s, event);
	settle(s);
}

static void the_sweep_clears_unknown_tasks(void **state)
{
	struct fake_core *s = *state;

	make(s, "known", "plain_task", "");
	pass(s, 2 * MINUTE);
	session_lost(s);
	s->one_barrier = true;
	s->subscribed[0] = '\0';
	session_up(s);
	assert_non_null(strstr(s->subscribed, OURS "task/+"));

	post_retained(s, OURS "task/ghost", "{\"id\":\"ghost\"}", true);
	post_retained(s, OURS "task/known", "{\"id\":\"known\"}", true);
	post_retained(s, OURS "task/live", "{\"id\":\"live\"}", false);

	assert_int_equal(newest(s, "task/ghost")->size, 0);
	assert_true(newest(s, "task/ghost")->retain);
	assert_true(newest(s, "task/known")->size > 0);
	assert_null(newest(s, "task/live"));
}

static void the_sweep_runs_at_every_connect_and_ends_at_its_barrier(void **state)
{
	struct fake_core *s = *state;
	const char *filter = OURS "task/+ ";

	assert_non_null(strstr(s->unsubscribed, filter));
	assert_non_null(strstr(strstr(s->unsubscribed, filter) + 1, filter));
	post_retained(s, OURS "task/ghost", "{\"id\":\"ghost\"}", true);
	assert_null(newest(s, "task/ghost"));
	s->unsubscribed[0] = '\0';
	session_lost(s);
	session_up(s);

	assert_non_null(strstr(s->unsubscribed, filter));
}

static void a_group_that_was_left_is_unsubscribed(void **state)
{
	struct fake_core *s = *state;

	cJSON_AddItemToArray((cJSON *)(uintptr_t)s->options.groups,
			     cJSON_CreateString("left"));
	cJSON_AddItemToArray((cJSON *)(uintptr_t)s->options.groups,
			     cJSON_CreateString("kept"));
	session_lost(s);
	session_up(s);
	assert_non_null(strstr(s->subscribed, ROOT "/_group/left/cmd/# "));
	cJSON_DeleteItemFromArray((cJSON *)(uintptr_t)s->options.groups, 0);
	crash(s);
	s->subscribed[0] = '\0';
	s->unsubscribed[0] = '\0';
	session_up(s);

	assert_non_null(strstr(s->unsubscribed, ROOT "/_group/left/cmd/# "));
	assert_null(strstr(s->unsubscribed, "kept"));
	assert_null(strstr(s->subscribed, "left"));
	assert_non_null(strstr(s->subscribed, ROOT "/_group/kept/cmd/# "));
}

static void info_from(struct fake_core *s, const char *boot, const char *store,
		      bool retained)
{
	char text[200];
	struct event *event;

	snprintf(text, sizeof(text), "{\"boot\":\"%s\",\"store\":\"%s\"}", boot, store);
	event = message_event(s, OURS "info", text);
	event->retained = retained;
	post(s, event);
	settle(s);
}

static void a_live_info_of_another_boot_is_a_rival(void **state)
{
	struct fake_core *s = *state;

	info_from(s, s->boot, s->core->store_name, false);
	assert_int_equal(s->restart_after, -1);

	info_from(s, "badbadbadbadbad0", "0000000000000000", false);

	assert_true(s->restart_after >= 60 * SECOND);
	assert_true(happened(s, "duplicate_device", NULL));
	session_lost(s);
	pass(s, 2 * MINUTE);
	s->subscribed[0] = '\0';
	session_up(s);
	assert_non_null(
		strstr(text_at(published(s, "info"), "problems/0"), "badbadbadbadbad0"));
	assert_null(strstr(s->subscribed, OURS "task/+"));
	pass(s, 4 * MINUTE);
	assert_non_null(strstr(s->subscribed, OURS "task/+"));
}

static void our_own_info_of_an_earlier_boot_is_no_rival(void **state)
{
	struct fake_core *s = *state;

	crash(s);
	session_up(s);
	info_from(s, "b000000000000001", s->core->store_name, true);

	assert_int_equal(s->restart_after, -1);
}

/* Its info is older than ours: the database is new, or the rig is. */
static void a_stored_info_of_another_store_delays_the_sweep(void **state)
{
	struct fake_core *s = *state;

	fake_core_close(s);
	*state = s = fake_core_open();
	s->silent = true;
	session_up(s);
	info_from(s, "badbadbadbadbad0", "0000000000000000", true);
	s->silent = false;
	pass(s, 6 * SECOND);
	assert_string_equal(newest(s, "status")->text, "online");
	assert_int_equal(s->restart_after, -1);
	pass(s, 4 * MINUTE);
	assert_null(strstr(s->subscribed, OURS "task/+"));

	pass(s, MINUTE);

	assert_non_null(strstr(s->subscribed, OURS "task/+"));
}

static void a_message_of_a_lost_connection_is_left_for_redelivery(void **state)
{
	struct fake_core *s = *state;
	struct event *event =
		command_event(s, "task/create", "{'id':'a','type':'plain_task'}");

	post(s, event_of(s, EVENT_DISCONNECTED));
	s->epoch++;
	event->epoch = s->epoch - 1;
	post(s, event_of(s, EVENT_CONNECTED));
	s->first->next->number = 64;
	s->first->next->version = 5;
	post(s, event);
	settle(s);

	ask_code(s, "task/get", "a", "not_found");
}

static void an_idle_agent_sleeps(void **state)
{
	struct fake_core *s = *state;
	size_t messages;
	int turns;

	pass(s, 10 * MINUTE);
	messages = s->message_count;
	turns = s->turns;
	pass(s, 10 * MINUTE);

	assert_in_range(s->turns - turns, 1, 40);
	assert_in_range(s->message_count - messages, 0, 10);
}

static void health_is_telemetry_that_expires(void **state)
{
	struct fake_core *s = *state;
	struct event *event = event_of(s, EVENT_HEALTH);

	event->data = strdup("{\"uptime_s\":17}");
	post(s, event);
	settle(s);

	assert_int_equal(number_at(published(s, "health"), "uptime_s"), 17);
	assert_int_equal(newest(s, "health")->qos, 0);
	assert_true(newest(s, "health")->expiry_s > 60);
}

static void health_counts_refusals_and_names_tasks_that_do_not_stop(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	ask_code(s, "task/cancel", "a", "accepted");
	ask_code(s, "task/pause", "nobody", "not_found");
	ask_code(s, "task/pause", "nobody", "not_found");
	pass(s, 2 * MINUTE);

	assert_int_equal(number_at(published(s, "health"), "refused/not_found"), 2);
	assert_string_equal(text_at(published(s, "health"), "stuck/0"), "a");
}

static void a_device_is_published_at_most_twice_a_second(void **state)
{
	struct fake_core *s = *state;
	size_t before = count_of(s, "motor/rotor");

	for (int i = 0; i < 40; i++) {
		struct event *event = event_of(s, EVENT_DEVICE);
		char text[40];

		event->topic = strdup("motor/rotor");
		snprintf(text, sizeof(text), "{\"angle\":%d}", i);
		event->data = strdup(text);
		post(s, event);
		settle(s);
		pass(s, 50);
	}
	pass(s, SECOND);

	assert_in_range(count_of(s, "motor/rotor") - before, 4, 6);
	assert_int_equal(number_at(published(s, "motor/rotor"), "angle"), 39);
	assert_true(newest(s, "motor/rotor")->retain);
}

static void on_3_1_1_an_empty_payload_reads_and_changes_nothing(void **state)
{
	struct fake_core *s = *state;

	session_lost(s);
	go_up(s, 3);

	ask_code(s, "agent/ping", "", "ok");
	ask_code(s, "agent/sync", "", "ok");
	ask_code(s, "task/list", "", "ok");
	ask_code(s, "queue/pause", "", "bad_request");
	ask_code(s, "queue/pause", "{}", "ok");
	ask_code(s, "estop", "", "ok");
}

static void post_retained_command(struct fake_core *s, const char *verb)
{
	struct event *event = command_event(s, verb, "{}");

	event->retained = true;
	post(s, event);
	settle(s);
}

static void on_3_1_1_the_agents_own_clearing_is_not_taken_for_a_command(void **state)
{
	struct fake_core *s = *state;
	size_t from;

	session_lost(s);
	go_up(s, 3);
	post_retained_command(s, "queue/pause");
	assert_int_equal(newest(s, "cmd/queue/pause")->size, 0);
	from = s->message_count;

	assert_null(ask(s, "queue/pause", ""));

	assert_int_equal(s->message_count, from);
	ask_code(s, "queue/pause", "", "bad_request");
}

static void on_3_1_1_an_empty_emergency_stop_is_never_ignored(void **state)
{
	struct fake_core *s = *state;

	session_lost(s);
	go_up(s, 3);
	post_retained_command(s, "estop");
	assert_null(newest(s, "cmd/estop"));
	assert_int_equal(s->estops, 0);

	ask_code(s, "estop", "", "ok");

	assert_int_equal(s->estops, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fake_core, close_fake_core)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_repeated_create_does_nothing_and_is_marked_duplicate),
		TEST(a_different_create_with_a_known_id_is_a_conflict),
		TEST(ids_outlive_their_tasks_for_seven_days),
		TEST(ages_do_not_follow_the_wall_clock),
		TEST(ages_add_up_the_running_time_over_restarts),
		TEST(a_request_makes_any_command_idempotent),
		TEST(a_refused_command_may_be_accepted_later),
		TEST(a_direct_command_repeated_while_it_runs_runs_once),
		TEST(a_direct_command_that_failed_can_be_repeated),
		TEST(a_dry_run_leaves_no_trace_in_queue_or_store),
		TEST(an_emergency_stop_is_never_a_repetition),
		TEST(a_reply_goes_to_the_requested_topic),
		TEST(a_reply_can_never_become_a_command),
		TEST(a_refused_retained_command_is_answered_below_reply_only),
		TEST(every_invalid_command_is_answered),
		TEST(a_mistyped_name_is_answered_with_the_nearest),
		TEST(a_reply_still_comes_after_a_crash),
		TEST(a_reply_older_than_an_hour_is_dropped),
		TEST(reads_write_nothing),
		TEST(replies_to_a_broadcast_are_spread_over_time),
		TEST(a_broadcast_allows_only_some_verbs),
		TEST(commands_queued_before_the_connection_are_stale),
		TEST(a_lost_barrier_is_sent_again_after_five_seconds),
		TEST(a_barrier_of_an_earlier_process_is_ignored),
		TEST(a_retained_command_is_refused_and_taken_off_the_broker),
		TEST(a_retained_broadcast_is_reported_and_not_cleared),
		TEST(an_empty_retained_message_is_never_a_command),
		TEST(an_emergency_stop_interrupts_and_stays_until_it_is_lifted),
		TEST(an_emergency_stop_lasts_over_a_restart),
		TEST(a_paused_task_that_holds_hardware_is_interrupted_too),
		TEST(a_broadcast_does_not_lift_an_emergency_stop),
		TEST(an_emergency_stop_takes_any_form),
		TEST(draining_finishes_runs_and_retries_and_refuses_new_tasks),
		TEST(prune_deletes_acknowledged_tasks_that_ended_a_minute_ago),
		TEST(finished_tasks_are_kept_up_to_a_number_and_an_age),
		TEST(at_most_256_tasks_are_live),
		TEST(at_most_a_thousand_replies_wait_and_the_oldest_are_dropped),
		TEST(at_most_five_thousand_events_wait_and_skipped_ones_stay_stored),
		TEST(labels_are_bounded_in_number_and_size),
		TEST(a_document_never_exceeds_16_kib),
		TEST(large_arguments_are_only_shown_by_task_get),
		TEST(secrets_are_masked_everywhere),
		TEST(a_slow_broker_sees_revisions_grow_and_one_message_of_a_topic),
		TEST(a_document_is_sent_again_until_its_newest_version_is_acknowledged),
		TEST(a_delete_and_its_clearing_survive_a_crash),
		TEST(events_are_numbered_without_gaps_and_sent_in_order),
		TEST(nothing_is_published_and_no_sender_released_before_the_commit),
		TEST(a_commit_releases_the_threads_that_wait_for_it),
		TEST(the_agent_works_without_a_broker),
		TEST(every_retained_topic_is_published_at_a_connect),
		TEST(the_status_is_published_at_every_connect_the_rest_once_a_minute),
		TEST(agent_sync_publishes_everything_again),
		TEST(the_sweep_clears_unknown_tasks),
		TEST(the_sweep_runs_at_every_connect_and_ends_at_its_barrier),
		TEST(a_group_that_was_left_is_unsubscribed),
		TEST(a_live_info_of_another_boot_is_a_rival),
		TEST(our_own_info_of_an_earlier_boot_is_no_rival),
		TEST(a_stored_info_of_another_store_delays_the_sweep),
		TEST(a_message_of_a_lost_connection_is_left_for_redelivery),
		TEST(an_idle_agent_sleeps),
		TEST(health_is_telemetry_that_expires),
		TEST(health_counts_refusals_and_names_tasks_that_do_not_stop),
		TEST(a_device_is_published_at_most_twice_a_second),
		TEST(on_3_1_1_an_empty_payload_reads_and_changes_nothing),
		TEST(on_3_1_1_the_agents_own_clearing_is_not_taken_for_a_command),
		TEST(on_3_1_1_an_empty_emergency_stop_is_never_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
