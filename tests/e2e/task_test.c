/* Tasks over MQTT: every member of task/create, and every command on a task. */
#include "tests/support/world.h"

#include <stdio.h>
#include <string.h>

#define HELLO "hello_world_async_task"
#define EXCLUSIVE "exclusive_demo_task"
#define GENERATOR "generator_task"
#define LONG_HELLO "{'total_steps':10000,'delay':0.05}"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"

static const struct world_options one_slot = {
	.settings = "{'scheduler':{'max_concurrent':1}}",
};

static void a_task_waits_for_its_dependencies(struct world *w)
{
	create(w, "a", HELLO, LONG_HELLO);

	ask_ok(w, "task/create", "{'id':'b','type':'" HELLO "','after':['a'],'args':%s}",
	       SHORT_HELLO);

	wait_status(w, "a", "running");
	assert_status(w, "b", "pending");
	ask_ok(w, "task/cancel", "a");
	const cJSON *b = wait_status(w, "b", "error");
	assert_string_equal(text_at(b, "error.code"), "dependency_failed");
}

static void a_task_runs_when_its_dependencies_have_completed(struct world *w)
{
	create(w, "a", HELLO, "{'total_steps':3,'delay':0.1}");
	create(w, "b", HELLO, "{'total_steps':3,'delay':0.1}");

	ask_ok(w, "task/create",
	       "{'id':'c','type':'" HELLO "','after':['a','b'],'args':%s}", SHORT_HELLO);

	const cJSON *a = wait_status(w, "a", "completed");
	const cJSON *c = wait_status(w, "c", "completed");
	assert_true(strcmp(text_at(a, "completed_at"), text_at(c, "started_at")) <= 0);
	assert_string_equal(text_at(c, "after.1"), "b");
}

static void a_failure_fails_the_whole_chain(struct world *w)
{
	ask_ok(w, "queue/pause", "{}");
	create(w, "a", "failing_task", NULL);
	ask_ok(w, "task/create", "{'id':'b','type':'" HELLO "','after':['a']}");
	ask_ok(w, "task/create", "{'id':'c','type':'" HELLO "','after':['b']}");

	ask_ok(w, "queue/resume", "{}");

	assert_string_equal(text_at(wait_status(w, "a", "error"), "error.code"),
			    "task_failed");
	assert_string_equal(text_at(wait_status(w, "b", "error"), "error.code"),
			    "dependency_failed");
	assert_string_equal(text_at(wait_status(w, "c", "error"), "error.code"),
			    "dependency_failed");
}

static void dependencies_must_exist(struct world *w)
{
	const cJSON *reply =
		ask(w, "task/create", "{'type':'" HELLO "','after':['nobody']}");

	assert_false(bool_at(reply, "ok"));
	assert_non_null(strstr(text_at(reply, "message"), "nobody"));
}

static void a_completed_dependency_stays_satisfied_when_it_is_deleted(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);
	create(w, "hold", HELLO, LONG_HELLO);
	wait_status(w, "a", "completed");
	ask_ok(w, "task/create",
	       "{'id':'b','type':'" HELLO "','after':['a','hold'],'args':%s}",
	       SHORT_HELLO);

	ask_ok(w, "task/delete", "a");

	assert_status(w, "b", "pending");
	ask_ok(w, "task/create", "{'id':'c','type':'" HELLO "','args':%s}", SHORT_HELLO);
	wait_status(w, "c", "completed");
	assert_status(w, "b", "pending");
}

static void a_chain_is_created_at_once_and_runs_in_order(struct world *w)
{
	char *file = below(w, "order");
	char *args = quoted(w, "{'file':'%s'}", file);

	const cJSON *reply = ask_ok(w, "task/create",
				    "{'id':'c','type':'count_task','args':%s,'then':["
				    "{'type':'count_task','args':%s},"
				    "{'id':'last','type':'count_task','args':%s}]}",
				    args, args, args);

	char *text = cJSON_PrintUnformatted(reply);
	assert_non_null(strstr(text, "\"c-1\""));
	assert_non_null(strstr(text, "\"last\""));
	cJSON_free(text);
	wait_status(w, "last", "completed");
	assert_string_equal(wait_file(w, file, "last"), "c 1\nc-1 1\nlast 1\n");
}

static void a_chain_is_created_completely_or_not_at_all(struct world *w)
{
	ask_refused(w, "task/create", "unknown_type",
		    "{'id':'c','type':'" HELLO "','then':[{'type':'" HELLO "'},"
		    "{'type':'nonsense_task'}]}");

	ask_refused(w, "task/get", "not_found", "c");
	ask_refused(w, "task/get", "not_found", "c-1");
}

static void
a_chained_task_takes_missing_arguments_from_the_previous_result(struct world *w)
{
	ask_ok(w, "task/create",
	       "{'id':'c','type':'result_task','args':{'result':{'folder':'scan01'}},'"
	       "then':["
	       "{'type':'needs_task','args':{'note':'mine'}}]}");

	const cJSON *task = wait_status(w, "c-1", "completed");

	assert_string_equal(text_at(task, "args.folder"), "scan01");
	assert_string_equal(text_at(task, "args.note"), "mine");
}

static void a_task_that_takes_too_long_ends_with_timeout(struct world *w)
{
	ask_ok(w, "task/create", "{'id':'a','type':'" HELLO "','timeout_s':1,'args':%s}",
	       LONG_HELLO);

	const cJSON *task = wait_status(w, "a", "error");

	assert_string_equal(text_at(task, "error.code"), "timeout");
	assert_true(number_at(task, "elapsed_s") >= 1);
	assert_true(number_at(task, "elapsed_s") < 1 + (double)deadline_patient(2));
}

static void a_pause_does_not_count_as_running_time(struct world *w)
{
	double timeout = patient_s(2000);

	ask_ok(w, "task/create",
	       "{'id':'a','type':'" HELLO "','timeout_s':%g,"
	       "'args':{'total_steps':20,'delay':0.05}}",
	       timeout);
	wait_status(w, "a", "running");
	ask_ok(w, "task/pause", "a");
	wait_status(w, "a", "paused");

	deadline_let_pass(deadline_patient(2000) + 500);
	ask_ok(w, "task/resume", "a");

	const cJSON *task = wait_status(w, "a", "completed");
	assert_true(number_at(task, "elapsed_s") < timeout);
}

static void a_failed_attempt_is_retried(struct world *w)
{
	char *file = below(w, "count");

	ask_ok(w, "task/create",
	       "{'id':'a','type':'count_task','retries':3,'retry_delay_s':0,"
	       "'args':{'file':'%s','fail_attempts':2}}",
	       file);

	const cJSON *task = wait_status(w, "a", "completed");
	assert_true(number_at(task, "attempt") == 3);
	assert_true(cJSON_IsNull(at(task, "error")));
	assert_string_equal(wait_file(w, file, "a 3"), "a 1\na 2\na 3\n");
	wait_event(w, 0, "task.retry", "a");
}

static void the_last_failed_attempt_fails_the_task(struct world *w)
{
	char *file = below(w, "count");

	ask_ok(w, "task/create",
	       "{'id':'a','type':'count_task','retries':1,'retry_delay_s':0,"
	       "'args':{'file':'%s','fail_attempts':9}}",
	       file);
	ask_ok(w, "task/create", "{'id':'b','type':'" HELLO "','after':['a']}");

	const cJSON *task = wait_status(w, "a", "error");
	assert_string_equal(text_at(task, "error.code"), "task_failed");
	wait_status(w, "b", "error");
	assert_int_equal(lines_of(file), 2);
}

static void a_retry_waits_for_its_delay(struct world *w)
{
	char *file = below(w, "count");
	int64_t since = deadline_now();

	ask_ok(w, "task/create",
	       "{'id':'a','type':'count_task','retries':1,'retry_delay_s':1,"
	       "'args':{'file':'%s','fail_attempts':1}}",
	       file);

	wait_status(w, "a", "completed");
	assert_true(deadline_now() - since >= 1000);
}

static void a_higher_priority_runs_first_and_equals_in_order(struct world *w)
{
	char *file = below(w, "order");
	char *args = quoted(w, "{'file':'%s'}", file);

	create(w, "blocker", HELLO, LONG_HELLO);
	wait_status(w, "blocker", "running");
	ask_ok(w, "task/create",
	       "{'id':'low','type':'count_task','priority':-1,'args':%s}", args);
	create(w, "one", "count_task", args);
	create(w, "two", "count_task", args);
	ask_ok(w, "task/create",
	       "{'id':'high','type':'count_task','priority':5,'args':%s}", args);

	ask_ok(w, "task/cancel", "blocker");

	wait_status(w, "low", "completed");
	assert_string_equal(wait_file(w, file, "low"), "high 1\none 1\ntwo 1\nlow 1\n");
}

static void an_update_reorders_the_queue(struct world *w)
{
	char *file = below(w, "order");
	char *args = quoted(w, "{'file':'%s'}", file);

	create(w, "blocker", HELLO, LONG_HELLO);
	wait_status(w, "blocker", "running");
	create(w, "one", "count_task", args);
	create(w, "two", "count_task", args);

	const cJSON *reply = ask_ok(w, "task/update",
				    "{'id':'two','priority':3,'labels':{'why':'hurry'}}");

	assert_true(number_at(reply, "data.priority") == 3);
	assert_string_equal(text_at(reply, "data.labels.why"), "hurry");
	ask_ok(w, "task/cancel", "blocker");
	wait_status(w, "one", "completed");
	assert_string_equal(wait_file(w, file, "one"), "two 1\none 1\n");
	ask_refused(w, "task/update", "invalid_state", "{'id':'two','priority':1}");
}

static void a_dry_run_leaves_no_trace(struct world *w)
{
	size_t mark = client_mark(w->client);

	const cJSON *reply = ask_ok(w, "task/create",
				    "{'id':'a','type':'scan_task','dry_run':true,"
				    "'args':{'project':'p','settings':{'points':10}}}");

	assert_true(number_at(reply, "data.photos") == 10);
	assert_true(number_at(reply, "data.seconds") > 0);
	assert_true(number_at(reply, "data.bytes_free") > 0);
	assert_int_equal(count_at(reply, "data.problems"), 0);
	ask_refused(w, "task/get", "not_found", "a");
	ask_refused(w, "project/get", "not_found", "{'project':'p'}");
	assert_false(event_seen(w, mark, "task.created", "a"));
	assert_null(retained(w, BASE "/task/a"));
}

static void a_dry_run_refuses_what_a_create_would_refuse(struct world *w)
{
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'scan_task','dry_run':true,"
		    "'args':{'project':'p','settings':{'points':0}}}");
}

static void a_bad_argument_is_named(struct world *w)
{
	const cJSON *reply = ask_refused(
		w, "task/create", "invalid_args",
		"{'type':'scan_task','args':{'project':'p','settings':{'points':0}}}");

	assert_string_equal(text_at(reply, "message"), "points must be 1 to 999, not 0");
	assert_string_equal(text_at(reply, "errors.0.path"), "/args/settings/points");
	assert_string_equal(text_at(reply, "errors.0.message"),
			    "must be 1 to 999, not 0");
	assert_false(bool_at(reply, "retryable"));
}

static void an_unknown_argument_is_refused(struct world *w)
{
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'" HELLO "','args':{'total_stepps':1}}");
}

static void a_schema_of_another_version_is_refused(struct world *w)
{
	const cJSON *type = parsed(w, retained(w, BASE "/types/" HELLO));
	char *hash = quoted(w, "%s", text_at(type, "schema"));

	ask_ok(w, "task/create", "{'type':'" HELLO "','schema':'%s'}", hash);
	hash[0] = hash[0] == '0' ? '1' : '0';
	ask_refused(w, "task/create", "schema_mismatch",
		    "{'type':'" HELLO "','schema':'%s'}", hash);
}

static void the_document_is_complete(struct world *w)
{
	static const char *const strings[] = {"id",	    "type",	    "category",
					      "status",	    "store",	    "created_at",
					      "started_at", "completed_at", "boot"};
	static const char *const numbers[] = {"rev",	 "percent", "priority",
					      "attempt", "resumed", "elapsed_s"};

	ask_ok(w, "task/create",
	       "{'id':'a','type':'" HELLO "','labels':{'part':'cup'},'args':%s}",
	       SHORT_HELLO);
	const cJSON *task = wait_status(w, "a", "completed");

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		assert_true(strlen(text_at(task, strings[i])) > 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		number_at(task, numbers[i]);
	assert_true(number_at(task, "percent") == 100);
	assert_false(bool_at(task, "is_exclusive"));
	assert_false(bool_at(task, "is_blocking"));
	assert_false(bool_at(task, "resumable"));
	assert_true(cJSON_IsNull(at(task, "error")));
	assert_true(cJSON_IsNull(at(task, "stopping")));
	assert_string_equal(text_at(task, "labels.part"), "cup");
	assert_true(number_at(task, "args.total_steps") == 1);
	assert_non_null(at(task, "eta_s"));
	assert_non_null(at(task, "queue_position"));
	assert_int_equal(count_at(task, "after"), 0);
}

static void a_stopping_task_is_marked_until_it_has_stopped(struct world *w)
{
	create(w, "s", "ignores_cancel_task",
	       quoted(w, "{'steps':2,'every':0.1,%s}", held(w)));
	wait_status(w, "s", "running");

	const cJSON *pause = ask_ok(w, "task/pause", "s");
	const cJSON *again = ask_ok(w, "task/pause", "s");
	const cJSON *cancel = ask_ok(w, "task/cancel", "s");
	const cJSON *twice = ask_ok(w, "task/cancel", "s");

	assert_string_equal(text_at(pause, "code"), "accepted");
	assert_string_equal(text_at(again, "code"), "ok");
	assert_string_equal(text_at(cancel, "code"), "accepted");
	assert_string_equal(text_at(cancel, "data.stopping"), "cancel");
	assert_string_equal(text_at(twice, "code"), "ok");
	ask_refused(w, "task/resume", "invalid_state", "s");
	allow(w, 2);
	wait_status(w, "s", "cancelled");
}

static void a_pause_can_be_withdrawn_before_the_run_has_stopped(struct world *w)
{
	create(w, "s", "ignores_cancel_task",
	       quoted(w, "{'steps':2,'every':0.1,%s}", held(w)));
	wait_status(w, "s", "running");

	ask_ok(w, "task/pause", "s");
	ask_ok(w, "task/resume", "s");

	assert_true(cJSON_IsNull(at(task_now(w, "s"), "stopping")));
	allow(w, 2);
	wait_status(w, "s", "completed");
	assert_false(event_seen(w, 0, "task.paused", "s"));
}

static void each_state_allows_the_commands_of_the_contracts_table(struct world *w)
{
	ask_ok(w, "queue/pause", "{}");
	create(w, "p", HELLO, SHORT_HELLO);

	ask_refused(w, "task/pause", "invalid_state", "p");
	ask_refused(w, "task/resume", "invalid_state", "p");
	ask_refused(w, "task/restart", "invalid_state", "p");
	ask_refused(w, "task/delete", "invalid_state", "p");
	ask_ok(w, "queue/resume", "{}");
	wait_status(w, "p", "completed");
	ask_refused(w, "task/pause", "invalid_state", "p");
	ask_refused(w, "task/resume", "invalid_state", "p");
	ask_refused(w, "task/cancel", "invalid_state", "p");
	const cJSON *refused = ask_refused(w, "task/restart", "invalid_state", "p");
	assert_string_equal(text_at(refused, "current.status"), "completed");
	ask_refused(w, "task/pause", "not_found", "nobody");
}

static void a_restart_continues_from_the_checkpoint_or_from_the_start(struct world *w)
{
	char *file = below(w, "steps");

	create(w, "r", "resume_count_task",
	       quoted(w, "{'file':'%s','steps':6,%s}", file, held(w)));
	allow(w, 3);
	wait_file(w, file, "r 2");
	ask_ok(w, "task/cancel", "r");
	wait_status(w, "r", "cancelled");
	assert_int_equal(lines_of(file), 3);
	allow(w, 6);

	const cJSON *again = ask_ok(w, "task/restart", "r");

	assert_string_equal(text_at(again, "code"), "accepted");
	const cJSON *done = wait_status(w, "r", "completed");
	assert_true(number_at(done, "attempt") == 2);
	assert_true(number_at(done, "resumed") == 1);
	assert_int_equal(lines_of(file), 6);
}

static void labels_and_statuses_filter_the_list(struct world *w)
{
	ask_ok(w, "task/create",
	       "{'id':'a','type':'" HELLO "','labels':{'k':'v'},'args':%s}", SHORT_HELLO);
	create(w, "b", "failing_task", NULL);
	wait_status(w, "a", "completed");
	wait_status(w, "b", "error");

	const cJSON *failed = ask_ok(w, "task/list", "{'status':['error']}");
	const cJSON *hello = ask_ok(w, "task/list", "{'type':'" HELLO "'}");
	const cJSON *none = ask_ok(w, "task/list", "{'status':['running','paused']}");

	assert_int_equal(count_at(failed, "data.tasks"), 1);
	assert_string_equal(text_at(failed, "data.tasks.0.id"), "b");
	assert_int_equal(count_at(hello, "data.tasks"), 1);
	assert_string_equal(text_at(hello, "data.tasks.0.id"), "a");
	assert_int_equal(count_at(none, "data.tasks"), 0);
}

static void the_current_task_can_be_addressed_without_its_id(struct world *w)
{
	create(w, "g", GENERATOR, "{'total_steps':1000,'interval':0.05}");
	wait_status(w, "g", "running");

	ask_ok(w, "task/pause", "current");
	wait_status(w, "g", "paused");
	ask_ok(w, "task/resume", "PRESS");
	wait_status(w, "g", "running");
	ask_ok(w, "task/cancel", "PRESS");
	wait_status(w, "g", "cancelled");
}

static void a_large_result_is_not_in_the_document(struct world *w)
{
	char *big = quoted(w, "%*s", 20000, "");

	memset(big, 'x', 20000);
	create(w, "a", "result_task", quoted(w, "{'result':'%s'}", big));
	const cJSON *published = wait_status(w, "a", "completed");
	const cJSON *whole = task_now(w, "a");

	assert_true(client_last(w->client, BASE "/task/a")->size <= 16 * 1024);
	assert_false(cJSON_IsString(at(published, "result")));
	assert_int_equal(strlen(text_at(whole, "args.result")), 20000);
}

static void revisions_never_go_back(struct world *w)
{
	for (int i = 0; i < 3; i++)
		create(w, quoted(w, "t%d", i), GENERATOR,
		       "{'total_steps':10,'interval':0.05}");
	for (int i = 0; i < 3; i++) {
		tell(w, "task/pause", "t%d", i);
		tell(w, "task/resume", "t%d", i);
	}
	for (int i = 0; i < 3; i++)
		wait_status(w, quoted(w, "t%d", i), "completed");

	assert_revs_grow(w);
}

static void the_log_of_a_task_can_be_read(struct world *w)
{
	create(w, "f", "failing_task", NULL);
	wait_status(w, "f", "error");

	const cJSON *reply = ask_ok(w, "task/log", "f");

	count_at(reply, "data.lines");
}

static const struct test tests[] = {
	TEST(a_task_waits_for_its_dependencies),
	TEST(a_task_runs_when_its_dependencies_have_completed),
	TEST(a_failure_fails_the_whole_chain),
	TEST(dependencies_must_exist),
	TEST(a_completed_dependency_stays_satisfied_when_it_is_deleted),
	TEST(a_chain_is_created_at_once_and_runs_in_order),
	TEST(a_chain_is_created_completely_or_not_at_all),
	TEST(a_chained_task_takes_missing_arguments_from_the_previous_result),
	TEST(a_task_that_takes_too_long_ends_with_timeout),
	TEST(a_pause_does_not_count_as_running_time),
	TEST(a_failed_attempt_is_retried),
	TEST(the_last_failed_attempt_fails_the_task),
	TEST(a_retry_waits_for_its_delay),
	TEST_WITH(a_higher_priority_runs_first_and_equals_in_order, one_slot),
	TEST_WITH(an_update_reorders_the_queue, one_slot),
	TEST(a_dry_run_leaves_no_trace),
	TEST(a_dry_run_refuses_what_a_create_would_refuse),
	TEST(a_bad_argument_is_named),
	TEST(an_unknown_argument_is_refused),
	TEST(a_schema_of_another_version_is_refused),
	TEST(the_document_is_complete),
	TEST(a_stopping_task_is_marked_until_it_has_stopped),
	TEST(a_pause_can_be_withdrawn_before_the_run_has_stopped),
	TEST(each_state_allows_the_commands_of_the_contracts_table),
	TEST(a_restart_continues_from_the_checkpoint_or_from_the_start),
	TEST(labels_and_statuses_filter_the_list),
	TEST(the_current_task_can_be_addressed_without_its_id),
	TEST(a_large_result_is_not_in_the_document),
	TEST(revisions_never_go_back),
	TEST(the_log_of_a_task_can_be_read),
};

int main(int argc, char **argv)
{
	return world_run("task", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
