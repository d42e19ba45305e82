/* Tests the task and its document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "agent/model/task.h"

#define NOON 1000000

static struct schema *schema;
static struct registered_type type;

static int open_task(void **state)
{
	static const struct task_type plain = {.name = "plain_task"};
	struct task *task = task_new();
	struct err err;

	if (schema_compile(&schema,
			   "{\"type\":\"object\",\"properties\":{\"token\":"
			   "{\"type\":\"string\",\"writeOnly\":true}}}",
			   &err) < 0)
		return -1;
	type = (struct registered_type){.type = &plain, .schema = schema};
	task->type = &type;
	strcpy(task->id, "cup");
	strcpy(task->type_name, "plain_task");
	strcpy(task->category, "core");
	task_set_text(&task->args, "{\"n\":1,\"token\":\"hunter2\"}");
	task_set_text(&task->labels, "{\"who\":\"me\"}");
	*state = task;
	return 0;
}

static int close_task(void **state)
{
	task_free(*state);
	schema_free(schema);
	return 0;
}

static cJSON *document(const struct task *task, int place, bool whole)
{
	return task_document(task, "5707e", place, NOON, whole);
}

static const cJSON *member(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void the_seven_status_names_match_the_original_software(void **state)
{
	static const char *const names[] = {"pending",	  "running",   "paused",
					    "completed",  "cancelled", "error",
					    "interrupted"};

	(void)state;
	for (int i = 0; i < 7; i++) {
		assert_string_equal(task_status_name((enum task_status)i), names[i]);
		assert_int_equal(task_status_parse(names[i]), i);
	}
	assert_int_equal(task_status_parse("done"), -1);
}

static void pending_running_and_paused_tasks_live(void **state)
{
	struct task *task = *state;

	for (int i = 0; i < 7; i++) {
		task->status = (enum task_status)i;
		assert_int_equal(task_is_live(task), i <= TASK_PAUSED);
		assert_int_equal(task_is_active(task),
				 i == TASK_RUNNING || i == TASK_PAUSED);
	}
}

static void a_new_task_has_revision_one(void **state)
{
	struct task *task = *state;

	assert_int_equal(task->rev, 1);
	assert_int_equal(task->attempt, 1);
	assert_int_equal(task->status, TASK_PENDING);
	assert_int_equal(task->photos, -1);
}

static void running_time_includes_the_current_run(void **state)
{
	struct task *task = *state;

	task->elapsed_ms = 500;
	assert_int_equal(task_elapsed(task, NOON), 500);
	task->running_since = NOON - 200;
	assert_int_equal(task_elapsed(task, NOON), 700);
}

static void the_eta_is_computed_from_the_start_of_this_run(void **state)
{
	struct task *task = *state;

	task->status = TASK_RUNNING;
	task->total = 100;
	task->current = 50;
	task->first_current = 40; /* it resumed there, 90 s into the task */
	task->first_ms = 90000;
	task->elapsed_ms = 90000;
	task->running_since = NOON - 20000;
	task->step_ms = 110000; /* the tenth step ended now */

	assert_true(task_eta(task, NOON) == 100); /* 10 steps took 20 s, 50 are left */
	assert_true(task_eta(task, NOON + 2000) == 98);
	assert_true(task_eta(task, NOON + 200000) == 0);
	task->total =
		1e300; /* of a community task; its end could not be written as a time */
	assert_true(task_eta(task, NOON) < 0);
	task->total = 60;
	task->status = TASK_PAUSED;
	assert_true(task_eta(task, NOON) < 0);
	task->status = TASK_RUNNING;
	task->current = 40;
	assert_true(task_eta(task, NOON) < 0);
}

static void percent_is_bounded_and_unknown_without_a_total(void **state)
{
	struct task *task = *state;

	assert_true(task_percent(task) < 0);
	task->total = 3;
	task->current = 1;
	assert_true(task_percent(task) == 33.3);
	task->current = 5;
	assert_true(task_percent(task) == 100);
	task->total = 0;
	task->status = TASK_COMPLETED;
	assert_true(task_percent(task) == 100);
}

static void an_error_longer_than_its_field_is_cut(void **state)
{
	struct task *task = *state;

	task_set_error(task, "a_code_that_is_much_longer_than_any_of_the_contract", NULL);

	assert_int_equal(strlen(task->error_code), sizeof(task->error_code) - 1);
	assert_null(task->error_message);
	task_set_error(task, "", NULL);
	assert_string_equal(task->error_code, "");
}

static void the_document_has_every_field_of_the_contract(void **state)
{
	static const char *const keys[] = {
		"id",	       "type",	     "category",     "is_exclusive",
		"is_blocking", "status",     "rev",	     "store",
		"progress",    "percent",    "eta_s",	     "queue_position",
		"priority",    "attempt",    "args",	     "result",
		"error",       "stopping",   "resumable",    "resumed",
		"created_at",  "started_at", "completed_at", "elapsed_s",
		"labels",      "after",	     "boot"};
	cJSON *doc = document(*state, 4, false);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!member(doc, keys[i]))
			fail_msg("no %s", keys[i]);
	assert_int_equal(cJSON_GetArraySize(doc), (int)(sizeof(keys) / sizeof(keys[0])));
	assert_true(member(doc, "queue_position")->valuedouble == 4);
	assert_true(cJSON_IsNull(member(doc, "error")));
	assert_true(cJSON_IsNull(member(doc, "started_at")));
	assert_true(cJSON_IsNull(member(doc, "stopping")));
	cJSON_Delete(doc);
	doc = document(*state, -1, false);
	assert_true(cJSON_IsNull(member(doc, "queue_position")));
	cJSON_Delete(doc);
}

static void secrets_are_masked_and_unknown_types_show_no_arguments(void **state)
{
	struct task *task = *state;
	cJSON *doc = document(task, -1, true);
	char *text = json_text(doc);

	assert_null(strstr(text, "hunter2"));
	assert_true(cJSON_HasObjectItem(member(doc, "args"), "token"));
	free(text);
	cJSON_Delete(doc);
	task->type = NULL;
	doc = document(task, -1, true);
	assert_null(member(doc, "args"));
	cJSON_Delete(doc);
}

/* A JSON text {"text":"xxx…"} of about size bytes. */
static void set_large(char **place, size_t size)
{
	char *text = malloc(size + 16);

	strcpy(text, "{\"text\":\"");
	memset(text + 9, 'x', size);
	strcpy(text + 9 + size, "\"}");
	task_set_text(place, text);
	free(text);
}

static void large_fields_are_omitted_unless_requested(void **state)
{
	struct task *task = *state;
	cJSON *doc;

	set_large(&task->args, 5000);
	set_large(&task->result, 9000);

	doc = document(task, -1, false);
	assert_null(member(doc, "args"));
	const cJSON *file = cJSON_GetArrayItem(member(member(doc, "result"), "files"), 0);
	assert_int_equal(member(file, "bytes")->valuedouble, strlen(task->result));
	assert_int_equal(strlen(member(file, "sha256")->valuestring), 64);
	cJSON_Delete(doc);
	doc = document(task, -1, true);
	assert_int_equal(strlen(member(member(doc, "args"), "text")->valuestring), 5000);
	assert_int_equal(strlen(member(member(doc, "result"), "text")->valuestring),
			 9000);
	cJSON_Delete(doc);
}

static void fields_that_fit_only_alone_are_omitted(void **state)
{
	struct task *task = *state;
	cJSON *doc;
	char *text;

	set_large(&task->args, 4000);
	set_large(&task->result, 8000);
	set_large(&task->labels, 5000);

	doc = document(task, -1, false);
	text = json_text(doc);

	assert_true(strlen(text) <= TASK_DOCUMENT_MAX);
	assert_null(member(doc, "args"));
	assert_non_null(member(member(doc, "result"), "text"));
	assert_non_null(member(doc, "labels"));
	free(text);
	cJSON_Delete(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_seven_status_names_match_the_original_software, open_task,
			close_task),
		cmocka_unit_test_setup_teardown(pending_running_and_paused_tasks_live,
						open_task, close_task),
		cmocka_unit_test_setup_teardown(a_new_task_has_revision_one, open_task,
						close_task),
		cmocka_unit_test_setup_teardown(running_time_includes_the_current_run,
						open_task, close_task),
		cmocka_unit_test_setup_teardown(
			the_eta_is_computed_from_the_start_of_this_run, open_task,
			close_task),
		cmocka_unit_test_setup_teardown(
			percent_is_bounded_and_unknown_without_a_total, open_task,
			close_task),
		cmocka_unit_test_setup_teardown(an_error_longer_than_its_field_is_cut,
						open_task, close_task),
		cmocka_unit_test_setup_teardown(
			the_document_has_every_field_of_the_contract, open_task,
			close_task),
		cmocka_unit_test_setup_teardown(
			secrets_are_masked_and_unknown_types_show_no_arguments, open_task,
			close_task),
		cmocka_unit_test_setup_teardown(large_fields_are_omitted_unless_requested,
						open_task, close_task),
		cmocka_unit_test_setup_teardown(fields_that_fit_only_alone_are_omitted,
						open_task, close_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
