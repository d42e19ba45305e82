/* Tests the core with a clock that the test advances: sections 4 to 8 of the contract. */
#include "tests/unit/fake_core.h"

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

/* ---- the queue, contract 5 ---- */

static void at_most_three_async_tasks_run(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	make(s, "b", "plain_task", "");
	make(s, "c", "plain_task", "");
	make(s, "d", "plain_task", "");

	assert_true(runs(s, "a") && runs(s, "b") && runs(s, "c"));
	assert_false(runs(s, "d"));
	finish(s, "b", "'done'");
	assert_true(runs(s, "d"));
}

static void a_paused_task_keeps_its_slot(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	make(s, "b", "plain_task", "");
	make(s, "c", "plain_task", "");
	ask_code(s, "task/pause", "a", "accepted");
	parked(s, "a");

	make(s, "d", "plain_task", "");

	assert_status(s, "a", "paused");
	assert_false(runs(s, "d"));
}

static void blocking_tasks_have_slots_of_their_own(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	make(s, "b", "plain_task", "");
	make(s, "c", "plain_task", "");
	make(s, "x", "block_task", "");
	make(s, "y", "block_task", "");
	make(s, "z", "block_task", "");

	assert_true(runs(s, "x") && runs(s, "y"));
	assert_false(runs(s, "z"));
}

static void the_queue_is_in_order_of_priority_then_arrival(void **state)
{
	struct fake_core *s = *state;
	const cJSON *queue;

	make(s, "hold", "alone_task", "");
	make(s, "first", "plain_task", "");
	make(s, "second", "plain_task", "");
	make(s, "urgent", "plain_task", "'priority':5");
	make(s, "whenever", "plain_task", "'priority':-5");
	pass(s, SECOND);

	queue = published(s, "queue");
	assert_string_equal(text_at(queue, "pending/0"), "urgent");
	assert_string_equal(text_at(queue, "pending/1"), "first");
	assert_string_equal(text_at(queue, "pending/2"), "second");
	assert_string_equal(text_at(queue, "pending/3"), "whenever");
	assert_string_equal(text_at(queue, "blocked_by"), "hold");
	assert_int_equal(number_at(get(s, "first"), "queue_position"), 1);
}

static void a_new_priority_reorders_the_queue_and_keeps_the_arrival(void **state)
{
	struct fake_core *s = *state;

	make(s, "hold", "alone_task", "");
	make(s, "first", "plain_task", "");
	make(s, "second", "plain_task", "");
	make(s, "third", "plain_task", "'priority':1");

	ask_code(s, "task/update", "{'id':'first','priority':1}", "ok");

	assert_int_equal(number_at(get(s, "first"), "queue_position"), 0);
	assert_int_equal(number_at(get(s, "third"), "queue_position"), 1);
	assert_int_equal(number_at(get(s, "second"), "queue_position"), 2);
}

static void an_exclusive_task_holds_back_everything_behind_it(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	make(s, "x", "alone_task", "");
	make(s, "b", "plain_task", "");

	assert_false(runs(s, "x") || runs(s, "b"));
	make(s, "before", "plain_task", "'priority':1");
	assert_true(runs(s, "before"));
	finish(s, "a", NULL);
	assert_false(runs(s, "x"));
	finish(s, "before", NULL);
	assert_true(runs(s, "x"));
	assert_false(runs(s, "b"));
	finish(s, "x", NULL);
	assert_true(runs(s, "b"));
}

static void
an_exclusive_task_with_an_open_dependency_does_not_block_the_queue(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	make(s, "x", "alone_task", "'after':['a']");
	make(s, "b", "plain_task", "");

	assert_true(runs(s, "b"));
}

static void cancelling_a_pending_exclusive_task_lets_those_behind_it_start(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	make(s, "x", "alone_task", "");
	make(s, "b", "plain_task", "");

	ask_code(s, "task/cancel", "x", "ok");

	assert_status(s, "x", "cancelled");
	assert_true(runs(s, "b"));
}

static void two_tasks_never_hold_one_device(void **state)
{
	struct fake_core *s = *state;

	make(s, "m1", "move_task", "");
	make(s, "m2", "move_task", "");
	make(s, "photo", "photo_task", "");

	assert_true(runs(s, "m1"));
	assert_false(runs(s, "m2"));
	assert_true(
		runs(s, "photo")); /* a task that waits for a device blocks no other */
	finish(s, "m1", NULL);
	assert_true(runs(s, "m2"));
}

static void a_direct_command_to_a_held_device_is_busy(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "m1", "move_task", "");

	reply = ask_code(s, "motor/move", "{'name':'rotor','degrees':10}", "device_busy");

	assert_true(cJSON_IsTrue(at(reply, "retryable")));
	assert_non_null(strstr(text_at(reply, "message"), "m1"));
	ask_code(s, "task/get", "m1", "ok");
	assert_null(ask(s, "motor/stop", ""));
	assert_true(runs(s, "motor/stop"));
	assert_int_equal(s->motion_stops, 1);
}

static void no_task_starts_while_the_rig_is_reloaded(void **state)
{
	struct fake_core *s = *state;

	assert_null(ask(s, "device/reload", ""));
	assert_true(runs(s, "device/reload"));

	make(s, "m1", "move_task", "");
	make(s, "p1", "plain_task", "");

	assert_false(runs(s, "m1"));
	assert_true(runs(s, "p1"));
	ask_code(s, "light/set", "ON", "device_busy");
	ask_code(s, "device/reload", "{}", "device_busy");
	ask_code(s, "motor/stop", "{}", "ok");
	ask_code(s, "gpio/read", "{'line':4}", "device_busy");
	ask_code(s, "gpio/set", "{'line':4,'value':1}", "device_busy");
	ask_code(s, "task/create", "{'type':'plain_task','dry_run':true}", "device_busy");
	command_ends(s, "device/reload", false, "invalid_args", "motors.rotor: no");
	assert_true(runs(s, "m1"));
}

static void a_reloaded_rig_publishes_its_devices(void **state)
{
	struct fake_core *s = *state;

	make(s, "hold", "alone_task", "");
	make(s, "m1", "move_task", "");
	make(s, "c1", "photo_task", "");
	assert_null(ask(s, "device/reload", ""));

	command_ends(s, "device/reload", true, "",
		     "{'backend':'new','devices':[{'kind':'motor','name':'arm'},"
		     "{'kind':'camera','name':'sim'}]}");

	assert_string_equal(text_at(published(s, "info"), "hal"), "new");
	ask_code(s, "motor/move", "{'name':'rotor','degrees':1}", "not_found");
	finish(s, "hold", NULL);
	assert_true(runs(s, "m1") && runs(s, "c1"));
	ask_code(s, "motor/move", "{'name':'arm','degrees':1}", "device_busy");
	ask_code(s, "camera/capture", "{}", "device_busy");
}

/* Each takes a thread, and on a slow disk it takes long. */
static void direct_commands_are_bounded_and_stops_are_exempt(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	for (int i = 0; i < 64; i++)
		assert_null(ask(s, "project/list", "{}"));

	reply = ask_code(s, "project/list", "{}", "queue_full");
	assert_true(cJSON_IsTrue(at(reply, "retryable")));
	ask_code(s, "task/create", "{'type':'plain_task','dry_run':true}", "queue_full");
	assert_null(ask(s, "motor/stop", "{}"));
	assert_true(runs(s, "motor/stop"));
	command_ends(s, "project/list", true, "", "{'projects':[]}");
	command_ends(s, "project/list", true, "", "{'projects':[]}");
	assert_null(ask(s, "project/get", "{'project':'cup'}"));
	assert_true(runs(s, "project/get"));
}

static void a_direct_command_claims_its_device(void **state)
{
	struct fake_core *s = *state;
	size_t from;

	assert_null(ask(s, "motor/move", "{'name':'rotor','degrees':10,'request':'r1'}"));
	make(s, "m1", "move_task", "");
	ask_code(s, "motor/move", "{'name':'rotor','degrees':20}", "device_busy");
	assert_null(ask(s, "motor/move", "{'name':'turntable','degrees':20}"));

	assert_false(runs(s, "m1"));
	from = s->message_count;
	command_ends(s, "motor/move", true, "", "{'name':'turntable'}");
	assert_string_equal(text_at(reply_from(s, from), "data/name"), "turntable");
	assert_false(runs(s, "m1"));
	command_ends(s, "motor/move", true, "", "{'name':'rotor'}");
	assert_string_equal(text_at(published(s, "reply/r1"), "code"), "ok");
	assert_true(runs(s, "m1"));
}

/* Ends the only running task. */
static void light_is_set(struct fake_core *s)
{
	assert_true(runs(s, "light/set"));
	command_ends(s, "light/set", true, "", "{'name':'ringlight'}");
}

static void of_two_light_commands_the_later_wins(void **state)
{
	struct fake_core *s = *state;

	assert_null(ask(s, "light/set", "{'brightness':60,'request':'r1'}"));
	assert_null(ask(s, "light/set", "{'state':'OFF','request':'r2'}"));
	assert_null(ask(s, "light/toggle", "{'request':'r3'}"));

	light_is_set(s);
	assert_null(newest(s, "reply/r2"));
	light_is_set(s);
	assert_string_equal(text_at(published(s, "reply/r2"), "code"), "ok");
	command_ends(s, "light/toggle", true, "", "{'name':'ringlight'}");
	assert_string_equal(text_at(published(s, "reply/r3"), "code"), "ok");
}

static void a_task_does_not_start_before_a_command_that_came_first(void **state)
{
	struct fake_core *s = *state;

	assert_null(ask(s, "camera/settings", "{'settings':{'gain':1}}"));
	assert_null(ask(s, "camera/settings", "{'settings':{'gain':2}}"));
	make(s, "p1", "photo_task", "");

	command_ends(s, "camera/settings", true, "", "{'name':'sim'}");
	assert_false(runs(s, "p1"));
	command_ends(s, "camera/settings", true, "", "{'name':'sim'}");
	assert_true(runs(s, "p1"));
}

static void a_waiting_light_command_is_dropped_by_an_emergency_stop(void **state)
{
	struct fake_core *s = *state;

	assert_null(ask(s, "light/set", "OFF"));
	assert_null(ask(s, "light/set", "{'state':'ON','request':'r1'}"));

	ask(s, "estop", "");

	assert_string_equal(text_at(published(s, "reply/r1"), "code"), "estopped");
	light_is_set(s);
	assert_false(runs(s, "light/set"));
}

static void the_number_of_waiting_light_commands_is_bounded(void **state)
{
	struct fake_core *s = *state;

	for (int i = 0; i < 33; i++)
		assert_null(ask(s, "light/set", "ON"));

	ask_code(s, "light/set", "ON", "device_busy");
}

static void the_current_task_is_the_exclusive_one_or_the_last_started(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	make(s, "b", "plain_task", "");
	assert_string_equal(text_at(ask_code(s, "task/get", "current", "ok"), "id"), "b");
	finish(s, "b", NULL);
	assert_string_equal(text_at(ask_code(s, "task/get", "PRESS", "ok"), "id"), "a");
	finish(s, "a", NULL);
	ask_code(s, "task/pause", "current", "not_found");

	make(s, "x", "alone_task", "");
	ask_code(s, "task/pause", "current", "accepted");
	parked(s, "x");
	assert_string_equal(
		text_at(ask_code(s, "task/resume", "current", "accepted"), "id"), "x");
}

static void a_paused_queue_starts_nothing_even_after_a_restart(void **state)
{
	struct fake_core *s = *state;

	ask_code(s, "queue/pause", "", "ok");
	make(s, "a", "plain_task", "");
	assert_false(runs(s, "a"));

	crash(s);
	assert_false(runs(s, "a"));
	session_up(s);
	assert_string_equal(text_at(published(s, "queue"), "paused"), "person");
	ask_code(s, "queue/resume", "", "ok");

	assert_true(runs(s, "a"));
	pass(s, SECOND);
	assert_true(cJSON_IsFalse(at(published(s, "queue"), "paused")));
}

static void queue_clear_cancels_all_pending_tasks_and_chains(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "x", "alone_task", "");
	make(s, "a", "plain_task",
	     "'then':[{'type':'plain_task'},{'type':'plain_task'}]");
	make(s, "b", "plain_task", "'after':['x']");

	reply = ask_code(s, "queue/clear", "", "ok");

	assert_int_equal(cJSON_GetArraySize(at(reply, "data/cancelled")), 4);
	assert_status(s, "a", "cancelled");
	assert_status(s, "a-1", "cancelled");
	assert_status(s, "a-2", "cancelled");
	assert_status(s, "b", "cancelled");
	assert_status(s, "x", "running");
}

/* ---- statuses, contract 4 ---- */

static void a_task_is_created_started_and_completed(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply = ask_code(s, "task/create",
				      "{'id':'a','type':'plain_task','args':{'n':3},"
				      "'labels':{'who':'me'}}",
				      "accepted");
	const cJSON *doc;

	assert_string_equal(text_at(reply, "id"), "a");
	assert_int_equal(number_at(reply, "rev"), 1);
	assert_true(cJSON_IsFalse(at(reply, "duplicate")));
	assert_non_null(newest(s, "reply/a"));
	assert_string_equal(text_at(document(s, "a"), "status"), "running");
	progress(s, "a", 1, 4);
	finish(s, "a", "{'x':1}");

	doc = document(s, "a");
	assert_string_equal(text_at(doc, "status"), "completed");
	assert_int_equal(number_at(doc, "result/x"), 1);
	assert_int_equal(number_at(doc, "percent"), 100);
	assert_int_equal(number_at(doc, "args/n"), 3);
	assert_string_equal(text_at(doc, "labels/who"), "me");
	assert_true(null_at(doc, "error"));
	assert_true(happened(s, "task.created", "a"));
	assert_true(happened(s, "task.started", "a"));
	assert_true(happened(s, "task.completed", "a"));
}

static void generated_ids_sort_by_age(void **state)
{
	struct fake_core *s = *state;
	char first[80];

	snprintf(first, sizeof(first), "%s",
		 text_at(ask_code(s, "task/create", "plain_task", "accepted"), "id"));

	assert_true(strcmp(first,
			   text_at(ask_code(s, "task/create", "plain_task", "accepted"),
				   "id")) < 0);
}

static void a_cancelled_run_keeps_its_slot_until_it_has_stopped(void **state)
{
	struct fake_core *s = *state;

	make(s, "m", "move_task", "");
	make(s, "next", "move_task", "");

	ask_code(s, "task/cancel", "m", "accepted");

	assert_true(run_of(s, "m")->stop);
	assert_string_equal(text_at(document(s, "m"), "status"), "running");
	assert_string_equal(text_at(document(s, "m"), "stopping"), "cancel");
	assert_false(runs(s, "next"));
	ask_code(s, "task/cancel", "m", "ok");
	ask_code(s, "task/pause", "m", "invalid_state");
	ask_code(s, "task/resume", "m", "invalid_state");
	stops(s, "m");
	assert_string_equal(text_at(document(s, "m"), "status"), "cancelled");
	assert_true(null_at(document(s, "m"), "stopping"));
	assert_true(runs(s, "next"));
	ask_code(s, "task/cancel", "m", "ok");
}

static void a_task_is_published_as_paused_when_its_run_is_parked(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	ask_code(s, "task/resume", "a", "ok");

	ask_code(s, "task/pause", "a", "accepted");
	assert_true(run_of(s, "a")->pause);
	assert_string_equal(text_at(document(s, "a"), "status"), "running");
	assert_string_equal(text_at(document(s, "a"), "stopping"), "pause");
	ask_code(s, "task/pause", "a", "ok");

	parked(s, "a");
	assert_string_equal(text_at(document(s, "a"), "status"), "paused");
	assert_true(null_at(document(s, "a"), "stopping"));
	ask_code(s, "task/pause", "a", "ok");
	assert_true(happened(s, "task.paused", "a"));
	ask_code(s, "task/resume", "a", "accepted");
	assert_false(run_of(s, "a")->pause);
	assert_string_equal(text_at(document(s, "a"), "status"), "running");
	assert_true(happened(s, "task.resumed", "a"));
}

static void a_resume_withdraws_an_unfinished_pause(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	ask_code(s, "task/pause", "a", "accepted");

	ask_code(s, "task/resume", "a", "accepted");
	parked(s, "a"); /* it parked before it saw the cancel */

	assert_int_equal(run_of(s, "a")->went_on, 1);
	assert_string_equal(text_at(document(s, "a"), "status"), "running");
	assert_true(null_at(document(s, "a"), "stopping"));
}

static void a_cancel_beats_a_pause(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	ask_code(s, "task/pause", "a", "accepted");

	ask_code(s, "task/cancel", "a", "accepted");
	parked(s, "a");
	assert_string_equal(text_at(document(s, "a"), "stopping"), "cancel");
	assert_string_equal(text_at(document(s, "a"), "status"), "running");
	stops(s, "a");

	assert_status(s, "a", "cancelled");
}

static void a_run_that_ends_before_it_sees_a_request_keeps_its_outcome(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	ask_code(s, "task/cancel", "a", "accepted");
	finish(s, "a", "'done'");
	make(s, "b", "plain_task", "");
	ask_code(s, "task/pause", "b", "accepted");
	fails(s, "b", "task_failed", "it broke");

	assert_status(s, "a", "completed");
	assert_status(s, "b", "error");
	assert_true(null_at(document(s, "b"), "stopping"));
}

static void a_cancelled_task_is_not_tried_again(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "'retries':3");
	ask_code(s, "task/cancel", "a", "accepted");
	fails(s, "a", "task_failed", "it broke");

	assert_false(runs(s, "a"));
	assert_status(s, "a", "cancelled");
}

static void each_state_allows_the_commands_of_the_contracts_table(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "x", "alone_task", "");
	make(s, "pending", "plain_task", "");
	reply = ask_code(s, "task/pause", "pending", "invalid_state");
	assert_string_equal(text_at(reply, "current/status"), "pending");
	assert_true(cJSON_IsFalse(at(reply, "retryable")));
	ask_code(s, "task/resume", "pending", "invalid_state");
	ask_code(s, "task/restart", "pending", "invalid_state");
	ask_code(s, "task/delete", "pending", "invalid_state");
	ask_code(s, "task/delete", "x", "invalid_state");
	finish(s, "x", NULL);
	finish(s, "pending", NULL);
	ask_code(s, "task/pause", "x", "invalid_state");
	ask_code(s, "task/resume", "x", "invalid_state");
	ask_code(s, "task/cancel", "x", "invalid_state");
	ask_code(s, "task/restart", "x", "invalid_state");
	ask_code(s, "task/update", "{'id':'x','priority':1}", "invalid_state");
	ask_code(s, "task/delete", "x", "ok");
	reply = ask_code(s, "task/delete", "x", "ok");
	assert_true(cJSON_IsTrue(at(reply, "data/gone")));
	assert_int_equal(newest(s, "task/x")->size, 0);
	ask_code(s, "task/get", "x", "not_found");
}

static void
rev_grows_with_every_change_and_progress_is_stored_every_two_seconds(void **state)
{
	struct fake_core *s = *state;
	double rev;

	make(s, "a", "plain_task", "");
	rev = number_at(document(s, "a"), "rev");

	progress(s, "a", 1, 10);
	progress(s, "a", 2, 10);
	pass(s, 1900);
	assert_int_equal(number_at(document(s, "a"), "rev"), rev);
	pass(s, 200);

	assert_int_equal(number_at(document(s, "a"), "rev"), rev + 1);
	assert_int_equal(number_at(document(s, "a"), "progress/current"), 2);
}

static void if_rev_ignores_progress_and_nothing_else(void **state)
{
	struct fake_core *s = *state;
	char body[80];
	double rev;
	const cJSON *reply;

	make(s, "a", "plain_task", "");
	rev = number_at(document(s, "a"), "rev");
	progress(s, "a", 1, 10);
	pass(s, 3 * SECOND);
	snprintf(body, sizeof(body), "{'id':'a','if_rev':%.0f,'priority':2}", rev);

	ask_code(s, "task/update", body, "ok");
	reply = ask_code(s, "task/update", body, "rev_conflict");

	assert_int_equal(number_at(reply, "current/priority"), 2);
	ask_code(s, "task/update", "{'id':'a','if_rev':999,'priority':3}",
		 "rev_conflict");
}

static void the_newest_progress_is_published_five_times_a_second(void **state)
{
	struct fake_core *s = *state;
	size_t before;

	make(s, "a", "plain_task", "");
	before = count_of(s, "task/a/progress");

	for (int i = 1; i <= 50; i++) {
		progress(s, "a", i, 50);
		pass(s, 20);
	}
	pass(s, SECOND);

	assert_in_range(count_of(s, "task/a/progress") - before, 5, 7);
	assert_int_equal(number_at(published(s, "task/a/progress"), "current"), 50);
	assert_false(newest(s, "task/a/progress")->retain);
	assert_int_equal(newest(s, "task/a/progress")->qos, 0);
}

static void the_current_task_is_published_once_a_second_and_then_as_idle(void **state)
{
	struct fake_core *s = *state;
	size_t before;

	make(s, "a", "plain_task", "");
	before = count_of(s, "current");
	for (int i = 1; i <= 50; i++) {
		progress(s, "a", i, 50);
		pass(s, 40);
	}
	assert_in_range(count_of(s, "current") - before, 1, 3);
	assert_string_equal(text_at(published(s, "current"), "id"), "a");

	finish(s, "a", NULL);
	pass(s, 2 * SECOND);

	assert_string_equal(text_at(published(s, "current"), "status"), "idle");
}

static void elapsed_does_not_count_pauses(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	pass(s, 10 * SECOND);
	ask_code(s, "task/pause", "a", "accepted");
	parked(s, "a");
	pass(s, HOUR);
	ask_code(s, "task/resume", "a", "accepted");
	pass(s, 5 * SECOND);
	finish(s, "a", NULL);

	assert_int_equal(number_at(document(s, "a"), "elapsed_s"), 15);
}

static void a_log_line_is_published_and_stored_for_task_log(void **state)
{
	struct fake_core *s = *state;
	struct event *event;
	const cJSON *reply;

	make(s, "a", "plain_task", "");
	event = run_event(s, "a", EVENT_LOG);
	event->number = LOG_LEVEL_WARN;
	event->text = strdup("the lamp flickers");
	post(s, event);
	settle(s);

	assert_string_equal(text_at(published(s, "task/a/log"), "message"),
			    "the lamp flickers");
	reply = ask_code(s, "task/log", "a", "ok");
	assert_string_equal(text_at(reply, "data/lines/0/level"), "warn");
	assert_string_equal(text_at(reply, "data/lines/0/message"), "the lamp flickers");
}

static bool no_room(void *context)
{
	(void)context;
	return false;
}

/* A transaction that cannot be committed stays in memory until it can. */
static void on_a_full_disk_a_log_line_is_published_and_not_stored(void **state)
{
	struct fake_core *s = *state;
	struct event *event;
	const cJSON *reply;

	make(s, "a", "step_task", "");
	s->options.reserve.acquire = no_room;
	crash(s);
	session_up(s);
	assert_string_equal(text_at(published(s, "health"), "storage"), "full");
	event = run_event(s, "a", EVENT_LOG);
	event->number = LOG_LEVEL_WARN;
	event->text = strdup("the lamp flickers");
	post(s, event);
	settle(s);

	assert_string_equal(text_at(published(s, "task/a/log"), "message"),
			    "the lamp flickers");
	reply = ask_code(s, "task/log", "a", "ok");
	assert_int_equal(cJSON_GetArraySize(at(reply, "data/lines")), 0);
}

/* ---- after, then ---- */

static void a_task_runs_when_its_dependencies_have_completed(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	make(s, "b", "plain_task", "");
	make(s, "c", "plain_task", "'after':['a','b']");

	assert_false(runs(s, "c"));
	finish(s, "a", NULL);
	assert_false(runs(s, "c"));
	finish(s, "b", NULL);
	assert_true(runs(s, "c"));
}

static void a_dependency_that_does_not_exist_is_refused(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply =
		ask_code(s, "task/create",
			 "{'id':'b','type':'plain_task','after':['ghost']}", "not_found");

	assert_non_null(strstr(text_at(reply, "message"), "ghost"));
	ask_code(s, "task/get", "b", "not_found");
}

static void a_completed_dependency_stays_satisfied_when_it_is_deleted(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	finish(s, "a", NULL);
	ask_code(s, "task/delete", "a", "ok");

	make(s, "b", "plain_task", "'after':['a']");

	assert_true(runs(s, "b"));
}

static void a_failed_dependency_fails_the_whole_chain_at_once(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	make(s, "b", "plain_task", "'after':['a']");
	make(s, "c", "plain_task", "'after':['b']");
	make(s, "d", "plain_task", "'after':['c'],'priority':9");

	fails(s, "a", "task_failed", "it broke");

	assert_string_equal(text_at(document(s, "b"), "error/code"), "dependency_failed");
	assert_string_equal(text_at(document(s, "c"), "error/code"), "dependency_failed");
	assert_string_equal(text_at(document(s, "d"), "error/code"), "dependency_failed");
	assert_non_null(strstr(text_at(document(s, "c"), "error/message"), "'b'"));
	assert_status(s, "d", "error");
}

static void a_task_whose_dependency_has_failed_fails_at_once(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	fails(s, "a", "task_failed", "it broke");

	make(s, "b", "plain_task", "'after':['a']");

	assert_status(s, "b", "error");
}

static void restarting_a_dependency_does_not_restart_failed_dependents(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	make(s, "b", "plain_task", "'after':['a']");
	fails(s, "a", "task_failed", "it broke");

	ask_code(s, "task/restart", "a", "accepted");
	assert_status(s, "b", "error");
	ask_code(s, "task/restart", "b", "accepted");
	assert_status(s, "b", "pending");
	finish(s, "a", NULL);

	assert_true(runs(s, "b"));
}

static void dependencies_are_decided_after_a_restart(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	make(s, "b", "plain_task", "'after':['a']");
	crash(s);
	session_up(s);

	assert_false(runs(s, "b"));
	finish(s, "a", NULL);
	assert_true(runs(s, "b"));
}

static void then_makes_a_chain_with_generated_ids(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply =
		ask_code(s, "task/create",
			 "{'id':'a','type':'plain_task','then':[{'type':'plain_task'},"
			 "{'id':'mine','type':'plain_task'}]}",
			 "accepted");

	assert_string_equal(text_at(reply, "data/then/0"), "a-1");
	assert_string_equal(text_at(reply, "data/then/1"), "mine");
	assert_string_equal(text_at(get(s, "mine"), "after/0"), "a-1");
	finish(s, "a", NULL);
	assert_true(runs(s, "a-1"));
	assert_false(runs(s, "mine"));
	finish(s, "a-1", NULL);
	assert_true(runs(s, "mine"));
}

static void a_chain_is_created_completely_or_not_at_all(void **state)
{
	struct fake_core *s = *state;
	const cJSON *reply;

	make(s, "a-2", "plain_task", "");

	ask_code(
		s, "task/create",
		"{'id':'a','type':'plain_task','then':[{'type':'plain_task'},{'type':'plain_task'}]}",
		"id_conflict");
	reply = ask_code(
		s, "task/create",
		"{'id':'b','type':'plain_task','then':[{'type':'plain_task','args':{'n':0}}]}",
		"invalid_args");

	assert_string_equal(text_at(reply, "errors/0/path"), "/then/0/args/n");
	ask_code(s, "task/get", "a", "not_found");
	ask_code(s, "task/get", "a-1", "not_found");
	ask_code(s, "task/get", "b", "not_found");
	ask_code(
		s, "task/create",
		"{'id':'c','type':'plain_task','then':[{'type':'plain_task','then':[]}]}",
		"invalid_args");
}

static void a_chained_task_takes_missing_arguments_from_the_previous_result(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "'then':[{'type':'needy_task'}]");

	finish(s, "a", "{'input':42,'other':1}");

	assert_string_equal(run_of(s, "a-1")->args, "{\"input\":42}");
	ask_code(s, "task/create", "{'type':'needy_task'}", "invalid_args");
}

static void a_chained_task_without_its_required_arguments_fails(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "'then':[{'type':'needy_task'}]");

	finish(s, "a", "{'else':1}");

	assert_string_equal(text_at(document(s, "a-1"), "error/code"), "invalid_args");
}

/* ---- retries, timeouts, pauses too long ---- */

static void a_failed_attempt_is_retried_after_its_delay(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "'retries':1,'retry_delay_s':30");
	make(s, "b", "plain_task", "'after':['a']");
	checkpoint(s, "a", "{\"at\":3}");
	fails(s, "a", "task_failed", "it broke");

	assert_string_equal(text_at(document(s, "a"), "status"), "pending");
	assert_string_equal(text_at(document(s, "a"), "error/code"), "task_failed");
	assert_int_equal(number_at(document(s, "a"), "attempt"), 2);
	assert_true(happened(s, "task.retry", "a"));
	pass(s, 29 * SECOND);
	assert_false(runs(s, "a"));
	pass(s, 2 * SECOND);
	assert_true(runs(s, "a"));
	assert_string_equal(run_of(s, "a")->saved, "{\"at\":3}");
	assert_int_equal(run_of(s, "a")->attempt, 2);
	assert_int_equal(number_at(document(s, "a"), "resumed"), 1);
	assert_status(s, "b", "pending");
	fails(s, "a", "task_failed", "it broke again");
	assert_status(s, "a", "error");
	assert_status(s, "b", "error");
}

static void a_paused_task_is_not_retried_before_it_is_resumed(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "'retries':1");
	ask_code(s, "task/pause", "a", "accepted");
	parked(s, "a");

	fails(s, "a", "task_failed", "it broke");

	assert_status(s, "a", "paused");
	assert_int_equal(number_at(document(s, "a"), "attempt"), 2);
	pass(s, 60 * SECOND);
	assert_false(runs(s, "a"));
	ask_code(s, "task/resume", "a", "accepted");
	assert_true(runs(s, "a"));
	assert_int_equal(run_of(s, "a")->attempt, 2);

	/* Also when the attempt fails before the pause takes effect. */
	make(s, "b", "plain_task", "'retries':1");
	ask_code(s, "task/pause", "b", "accepted");
	fails(s, "b", "task_failed", "it broke");
	assert_status(s, "b", "paused");
	assert_false(runs(s, "b"));
}

static void only_transient_failures_are_retried(void **state)
{
	static const char *const codes[] = {"task_failed", "hardware_fault",
					    "hal_unavailable", "timeout"};
	struct fake_core *s = *state;

	for (int i = 0; i < 4; i++) {
		char id[16];

		snprintf(id, sizeof(id), "r%d", i);
		make(s, id, "plain_task", "'retries':1");
		fails(s, id, codes[i], "it broke");
		assert_true(runs(s, id));
		finish(s, id, NULL);
	}
	make(s, "a", "plain_task", "'retries':1");
	fails(s, "a", "storage_full", "no room");

	assert_status(s, "a", "error");
	assert_string_equal(text_at(document(s, "a"), "error/code"), "storage_full");
}

static void a_restart_command_resets_the_count_of_retries(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "'retries':1");
	fails(s, "a", "task_failed", "1");
	fails(s, "a", "task_failed", "2");
	assert_status(s, "a", "error");

	ask_code(s, "task/restart", "a", "accepted");
	assert_int_equal(run_of(s, "a")->attempt, 3);
	fails(s, "a", "task_failed", "3");

	assert_true(runs(s, "a"));
}

static void a_timeout_counts_the_running_time_of_one_attempt(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "'timeout_s':10,'retries':1");
	pass(s, 8 * SECOND);
	ask_code(s, "task/pause", "a", "accepted");
	parked(s, "a");
	pass(s, MINUTE);
	ask_code(s, "task/resume", "a", "accepted");
	assert_false(run_of(s, "a")->stop);
	pass(s, 3 * SECOND);
	assert_true(run_of(s, "a")->stop);
	stops(s, "a");
	assert_true(runs(s, "a"));

	pass(s, 9 * SECOND);
	assert_false(run_of(s, "a")->stop);
	pass(s, 2 * SECOND);
	stops(s, "a");

	assert_status(s, "a", "error");
	assert_string_equal(text_at(document(s, "a"), "error/code"), "timeout");
}

static void a_task_paused_too_long_is_interrupted_with_its_checkpoint(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":3}");
	ask_code(s, "task/pause", "a", "accepted");
	parked(s, "a");
	pass(s, DAY - SECOND);
	assert_false(run_of(s, "a")->stop);

	pass(s, 2 * SECOND);
	stops(s, "a");

	assert_status(s, "a", "interrupted");
	ask_code(s, "task/restart", "a", "accepted");
	assert_string_equal(run_of(s, "a")->saved, "{\"at\":3}");
}

/* A restored paused task has no run; its end also ends dependent tasks, wherever they are
 * in the queue. */
static void a_paused_task_without_a_run_times_out_with_its_chain(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":3}");
	ask_code(s, "task/pause", "a", "accepted");
	parked(s, "a");
	make(s, "b", "plain_task", "'after':['a'],'priority':3");
	make(s, "c", "plain_task", "'after':['b'],'priority':4");
	crash(s);

	pass(s, DAY + SECOND);
	session_up(s);

	assert_status(s, "a", "interrupted");
	assert_status(s, "b", "error");
	assert_status(s, "c", "error");
}

/* ---- restart ---- */

static void a_restart_continues_from_the_checkpoint_or_from_the_start(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":7}");
	fails(s, "a", "storage_full", "no room");

	ask_code(s, "task/restart", "a", "accepted");
	assert_string_equal(run_of(s, "a")->saved, "{\"at\":7}");
	assert_int_equal(number_at(document(s, "a"), "attempt"), 2);
	assert_true(null_at(document(s, "a"), "error"));
	fails(s, "a", "storage_full", "no room");
	ask_code(s, "task/restart", "{'id':'a','from':'start'}", "accepted");

	assert_null(run_of(s, "a")->saved);
	assert_int_equal(number_at(document(s, "a"), "resumed"), 1);
}

/* ---- restore, contract 7 ---- */

static void pending_tasks_keep_their_place(void **state)
{
	struct fake_core *s = *state;

	ask_code(s, "queue/pause", "", "ok");
	make(s, "a", "plain_task", "");
	make(s, "b", "alone_task", "'priority':2");
	make(s, "c", "plain_task", "");
	crash(s);
	session_up(s);

	assert_int_equal(number_at(get(s, "b"), "queue_position"), 0);
	assert_int_equal(number_at(get(s, "a"), "queue_position"), 1);
	assert_int_equal(number_at(get(s, "c"), "queue_position"), 2);
	assert_status(s, "c", "pending");
}

static void after_a_crash_a_resumable_task_continues_from_its_checkpoint(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":5}");
	crash(s);
	session_up(s);

	assert_true(runs(s, "a"));
	assert_string_equal(run_of(s, "a")->saved, "{\"at\":5}");
	assert_int_equal(number_at(document(s, "a"), "resumed"), 1);
	assert_string_equal(text_at(document(s, "a"), "status"), "running");
}

static void after_a_crash_a_task_that_cannot_resume_is_interrupted(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	progress(s, "a", 1, 10);
	make(s, "b", "plain_task", "'retries':5");
	begin(s, "b");
	make(s, "c", "step_task", "'on_interrupt':'interrupt'");
	checkpoint(s, "c", "{\"at\":5}");
	crash(s);
	session_up(s);

	assert_status(s, "a", "interrupted");
	assert_status(s, "b", "interrupted");
	assert_status(s, "c", "interrupted");
	ask_code(s, "task/restart", "c", "accepted");
	assert_string_equal(run_of(s, "c")->saved, "{\"at\":5}");
}

static void after_a_crash_a_run_without_effects_is_pending_again(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	crash(s);

	assert_true(runs(s, "a"));
	session_up(s);
	assert_int_equal(number_at(document(s, "a"), "resumed"), 0);
}

static void a_paused_resumable_task_stays_paused_with_its_devices(void **state)
{
	struct fake_core *s = *state;

	make(s, "m", "move_task", "");
	checkpoint(s, "m", "{\"at\":5}");
	ask_code(s, "task/pause", "m", "accepted");
	parked(s, "m");
	make(s, "n", "move_task", "");
	crash(s);
	session_up(s);

	assert_status(s, "m", "paused");
	assert_false(runs(s, "m") || runs(s, "n"));
	ask_code(s, "task/resume", "m", "accepted");
	assert_string_equal(run_of(s, "m")->saved, "{\"at\":5}");
	assert_string_equal(text_at(document(s, "m"), "status"), "running");
	assert_int_equal(number_at(document(s, "m"), "resumed"), 1);
	assert_false(runs(s, "n"));
}

static void after_a_crash_a_task_with_an_unfinished_pause_is_paused(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":5}");
	ask_code(s, "task/pause", "a", "accepted");
	crash(s);
	session_up(s);

	assert_status(s, "a", "paused");
	assert_false(runs(s, "a"));
}

static void after_a_crash_a_paused_task_that_cannot_resume_is_interrupted(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "plain_task", "");
	ask_code(s, "task/pause", "a", "accepted");
	parked(s, "a");
	crash(s);
	session_up(s);

	assert_status(s, "a", "interrupted");
}

static void after_a_crash_a_task_with_an_unfinished_cancel_is_cancelled(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":5}");
	ask_code(s, "task/cancel", "a", "accepted");
	crash(s);
	session_up(s);

	assert_status(s, "a", "cancelled");
	assert_false(runs(s, "a"));
}

static void three_crashes_at_one_checkpoint_are_a_crash_loop(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":5}");
	crash(s);
	crash(s);
	assert_true(runs(s, "a"));
	crash(s);
	session_up(s);

	assert_status(s, "a", "error");
	assert_string_equal(text_at(document(s, "a"), "error/code"), "crash_loop");
}

static void a_new_checkpoint_resets_the_count_of_crashes(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":5}");
	crash(s);
	crash(s);
	checkpoint(s, "a", "{\"at\":6}");
	crash(s);
	crash(s);
	assert_true(runs(s, "a"));
	crash(s);

	assert_false(runs(s, "a"));
}

static void a_task_of_a_missing_type_fails_with_the_name_of_the_type(void **state)
{
	struct fake_core *s = *state;

	make(s, "x", "alone_task", "");
	make(s, "a", "needy_task", "'args':{'input':1,'password':'hunter2'}");
	core_end(s);
	registry_close(s->registry);
	s->registry = fake_registry(1);
	s->options.registry = s->registry;
	core_start(s);
	session_up(s);

	assert_string_equal(text_at(document(s, "a"), "error/code"), "unknown_type");
	assert_string_equal(text_at(document(s, "a"), "error/message"),
			    "Task type 'needy_task' is not registered. Cannot restore.");
	assert_null(strstr(newest(s, "task/a")->text, "hunter2"));
	ask_code(s, "task/restart", "a", "unknown_type");
}

static void running_time_survives_a_crash(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "'timeout_s':30");
	pass(s, 20 * SECOND);
	checkpoint(s, "a", "{\"at\":5}");
	crash(s);
	session_up(s);

	assert_int_equal(number_at(document(s, "a"), "elapsed_s"), 20);
	pass(s, 11 * SECOND);
	assert_true(run_of(s, "a")->stop);
}

static void
an_unfinished_direct_command_is_answered_as_interrupted_after_a_crash(void **state)
{
	struct fake_core *s = *state;

	assert_null(ask(s, "motor/move", "{'name':'rotor','degrees':10,'request':'r1'}"));
	crash(s);
	session_up(s);

	assert_string_equal(text_at(published(s, "reply/r1"), "code"), "interrupted");
	assert_false(runs(s, "motor/move"));
	pass(s, 2 * SECOND);
	crash(s);
	session_up(s);
	assert_int_equal(count_of(s, "reply/r1"), 1);
}

/* ---- an orderly stop ---- */

static void stop_in_order(struct fake_core *s)
{
	post(s, event_of(s, EVENT_STOP));
	settle(s);
}

static void an_orderly_stop_is_not_counted_as_a_crash(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":5}");
	make(s, "b", "plain_task", "");
	progress(s, "b", 1, 2);
	for (int i = 0; i < 4; i++) {
		stop_in_order(s);
		ask_code(s, "task/create", "plain_task", "draining");
		assert_false(s->stopped);
		stops(s, "a");
		if (i == 0)
			stops(s, "b");
		assert_true(s->stopped);
		assert_status(s, "a", "pending");
		assert_status(s, "b", "interrupted");
		crash(s);
		session_up(s);
	}

	assert_true(runs(s, "a"));
	assert_int_equal(number_at(document(s, "a"), "resumed"), 4);
	assert_true(happened(s, "agent.stopping", NULL));
	assert_true(happened(s, "agent.started", NULL));
}

static void a_paused_task_stays_paused_over_an_orderly_stop(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":5}");
	ask_code(s, "task/pause", "a", "accepted");
	parked(s, "a");
	stop_in_order(s);
	stops(s, "a");
	assert_true(s->stopped);
	assert_status(s, "a", "paused");
	crash(s);
	session_up(s);

	assert_status(s, "a", "paused");
}

static void an_unfinished_pause_stays_paused_over_an_orderly_stop(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":5}");
	ask_code(s, "task/pause", "a", "accepted");
	stop_in_order(s);
	stops(s, "a");
	crash(s);
	session_up(s);

	assert_status(s, "a", "paused");
	assert_false(runs(s, "a"));
}

static void an_unfinished_cancel_is_finished_by_an_orderly_stop(void **state)
{
	struct fake_core *s = *state;

	make(s, "a", "step_task", "");
	checkpoint(s, "a", "{\"at\":5}");
	ask_code(s, "task/cancel", "a", "accepted");
	stop_in_order(s);
	stops(s, "a");

	assert_status(s, "a", "cancelled");
	assert_true(s->stopped);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fake_core, close_fake_core)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(at_most_three_async_tasks_run),
		TEST(a_paused_task_keeps_its_slot),
		TEST(blocking_tasks_have_slots_of_their_own),
		TEST(the_queue_is_in_order_of_priority_then_arrival),
		TEST(a_new_priority_reorders_the_queue_and_keeps_the_arrival),
		TEST(an_exclusive_task_holds_back_everything_behind_it),
		TEST(an_exclusive_task_with_an_open_dependency_does_not_block_the_queue),
		TEST(cancelling_a_pending_exclusive_task_lets_those_behind_it_start),
		TEST(two_tasks_never_hold_one_device),
		TEST(a_direct_command_to_a_held_device_is_busy),
		TEST(a_direct_command_claims_its_device),
		TEST(of_two_light_commands_the_later_wins),
		TEST(a_task_does_not_start_before_a_command_that_came_first),
		TEST(a_waiting_light_command_is_dropped_by_an_emergency_stop),
		TEST(the_number_of_waiting_light_commands_is_bounded),
		TEST(no_task_starts_while_the_rig_is_reloaded),
		TEST(direct_commands_are_bounded_and_stops_are_exempt),
		TEST(a_reloaded_rig_publishes_its_devices),
		TEST(the_current_task_is_the_exclusive_one_or_the_last_started),
		TEST(a_paused_queue_starts_nothing_even_after_a_restart),
		TEST(queue_clear_cancels_all_pending_tasks_and_chains),
		TEST(a_task_is_created_started_and_completed),
		TEST(generated_ids_sort_by_age),
		TEST(a_cancelled_run_keeps_its_slot_until_it_has_stopped),
		TEST(a_task_is_published_as_paused_when_its_run_is_parked),
		TEST(a_resume_withdraws_an_unfinished_pause),
		TEST(a_cancel_beats_a_pause),
		TEST(a_run_that_ends_before_it_sees_a_request_keeps_its_outcome),
		TEST(a_cancelled_task_is_not_tried_again),
		TEST(each_state_allows_the_commands_of_the_contracts_table),
		TEST(rev_grows_with_every_change_and_progress_is_stored_every_two_seconds),
		TEST(if_rev_ignores_progress_and_nothing_else),
		TEST(the_newest_progress_is_published_five_times_a_second),
		TEST(the_current_task_is_published_once_a_second_and_then_as_idle),
		TEST(elapsed_does_not_count_pauses),
		TEST(a_log_line_is_published_and_stored_for_task_log),
		TEST(on_a_full_disk_a_log_line_is_published_and_not_stored),
		TEST(a_task_runs_when_its_dependencies_have_completed),
		TEST(a_dependency_that_does_not_exist_is_refused),
		TEST(a_completed_dependency_stays_satisfied_when_it_is_deleted),
		TEST(a_failed_dependency_fails_the_whole_chain_at_once),
		TEST(a_task_whose_dependency_has_failed_fails_at_once),
		TEST(restarting_a_dependency_does_not_restart_failed_dependents),
		TEST(dependencies_are_decided_after_a_restart),
		TEST(then_makes_a_chain_with_generated_ids),
		TEST(a_chain_is_created_completely_or_not_at_all),
		TEST(a_chained_task_takes_missing_arguments_from_the_previous_result),
		TEST(a_chained_task_without_its_required_arguments_fails),
		TEST(a_failed_attempt_is_retried_after_its_delay),
		TEST(a_paused_task_is_not_retried_before_it_is_resumed),
		TEST(only_transient_failures_are_retried),
		TEST(a_restart_command_resets_the_count_of_retries),
		TEST(a_timeout_counts_the_running_time_of_one_attempt),
		TEST(a_task_paused_too_long_is_interrupted_with_its_checkpoint),
		TEST(a_paused_task_without_a_run_times_out_with_its_chain),
		TEST(a_restart_continues_from_the_checkpoint_or_from_the_start),
		TEST(pending_tasks_keep_their_place),
		TEST(after_a_crash_a_resumable_task_continues_from_its_checkpoint),
		TEST(after_a_crash_a_task_that_cannot_resume_is_interrupted),
		TEST(after_a_crash_a_run_without_effects_is_pending_again),
		TEST(a_paused_resumable_task_stays_paused_with_its_devices),
		TEST(after_a_crash_a_task_with_an_unfinished_pause_is_paused),
		TEST(after_a_crash_a_paused_task_that_cannot_resume_is_interrupted),
		TEST(after_a_crash_a_task_with_an_unfinished_cancel_is_cancelled),
		TEST(three_crashes_at_one_checkpoint_are_a_crash_loop),
		TEST(a_new_checkpoint_resets_the_count_of_crashes),
		TEST(a_task_of_a_missing_type_fails_with_the_name_of_the_type),
		TEST(running_time_survives_a_crash),
		TEST(an_unfinished_direct_command_is_answered_as_interrupted_after_a_crash),
		TEST(an_orderly_stop_is_not_counted_as_a_crash),
		TEST(a_paused_task_stays_paused_over_an_orderly_stop),
		TEST(an_unfinished_pause_stays_paused_over_an_orderly_stop),
		TEST(an_unfinished_cancel_is_finished_by_an_orderly_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
