/* The memory of a task, and its document. */
#include "agent/model/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"

/* Upper bound in bytes of a document without arguments, result and labels: 32 ids in
 * after, an error of 1 KiB, and a message of 256 bytes that JSON writes with six each. */
#define DOCUMENT_REST (11 * 1024)

#define ETA_MAX_S (365.0 * 24 * 3600) /* beyond that it is unknown */

static const char *const status_names[] = {
	"pending", "running", "paused", "completed", "cancelled", "error", "interrupted"};

struct task *task_new(void)
{
	struct task *task = calloc(1, sizeof(*task));

	if (task) {
		task->rev = 1;
		task->durable_rev = 1;
		task->attempt = 1;
		task->photos = -1;
	}
	return task;
}

void task_free(struct task *task)
{
	if (!task)
		return;

	free(task->args);
	free(task->labels);
	free(task->checkpoint);
	free(task->result);
	free(task->error_message);
	free(task);
}

void task_reset(struct task *task, bool from_checkpoint)
{
	if (!from_checkpoint)
		task_set_text(&task->checkpoint, NULL);
	if (!task->checkpoint) {
		task->current = 0;
		task->total = 0;
		task->message[0] = '\0';
		task->photos = -1;
	}
	task->status = TASK_PENDING;
	task->attempt++;
	task->attempt_ms = 0;
	task->crashes = 0;
	task->retries_left = task->retries;
	task->has_effects = false;
	task->started_at = 0;
	task->completed_at = 0;
	task->ended_age = 0;
	task_clear_error(task);
	task_set_text(&task->result, NULL);
}

bool task_is_live(const struct task *task)
{
	return task->status <= TASK_PAUSED;
}

bool task_is_active(const struct task *task)
{
	return task->status == TASK_RUNNING || task->status == TASK_PAUSED;
}

const char *task_status_name(enum task_status status)
{
	return status_names[status];
}

int task_status_parse(const char *name)
{
	for (int i = 0; i <= TASK_INTERRUPTED; i++)
		if (!strcmp(name, status_names[i]))
			return i;
	return -1;
}

int64_t task_elapsed(const struct task *task, int64_t now)
{
	return task->elapsed_ms + (task->running_since ? now - task->running_since : 0);
}

double task_eta(const struct task *task, int64_t now)
{
	double done = task->current - task->first_current;
	double left = task->total - task->current;
	double at_step, eta;

	if (task->status != TASK_RUNNING || task->total <= 0 || done <= 0 || left < 0)
		return -1;
	at_step = left * (double)(task->step_ms - task->first_ms) / done;
	eta = fmax(0, at_step - (double)(task_elapsed(task, now) - task->step_ms)) / 1000;
	return eta <= ETA_MAX_S ? eta : -1;
}

double task_percent(const struct task *task)
{
	if (task->total <= 0)
		return task->status == TASK_COMPLETED ? 100 : -1;
	return fmax(0, fmin(100, floor(task->current / task->total * 1000) / 10));
}

void task_set_text(char **place, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		abort(); /* see effects_add() */
	free(*place);
	*place = copy;
}

void task_set_error(struct task *task, const char *code, const char *text)
{
	size_t length = strlen(code);

	if (length >= sizeof(task->error_code))
		length = sizeof(task->error_code) - 1;
	memcpy(task->error_code, code, length);
	task->error_code[length] = '\0';
	task_set_text(&task->error_message, text);
}

void task_clear_error(struct task *task)
{
	task->error_code[0] = '\0';
	task_set_text(&task->error_message, NULL);
}

static void document_put_time(cJSON *document, const char *key, int64_t wall_ms)
{
	char text[CLOCK_TEXT];

	if (!wall_ms) {
		cJSON_AddNullToObject(document, key);
		return;
	}
	clock_text(wall_ms, text);
	cJSON_AddStringToObject(document, key, text);
}

static void document_put_number(cJSON *document, const char *key, double value)
{
	if (value < 0)
		cJSON_AddNullToObject(document, key);
	else
		cJSON_AddNumberToObject(document, key, value);
}

static void document_put_args(cJSON *document, const struct task *task, bool whole)
{
	cJSON *args;

	/* Without the type nobody knows which arguments are secrets. */
	if (!task->type || (!whole && strlen(task->args) > TASK_ARGS_IN_DOCUMENT))
		return;
	args = cJSON_Parse(task->args);
	schema_mask(task->type->schema, args);
	cJSON_AddItemToObject(document, "args", args);
}

/* A result that is too large for a retained topic is described as a file with size and
 * hash; task/get returns the content. */
static cJSON *result_as_file(const char *result)
{
	char hash[SHA256_HEX];
	cJSON *list = cJSON_CreateObject();
	cJSON *files = cJSON_AddArrayToObject(list, "files");
	cJSON *file = cJSON_CreateObject();

	json_sha256(result, strlen(result), hash);
	cJSON_AddStringToObject(file, "name", "result.json");
	cJSON_AddNumberToObject(file, "bytes", (double)strlen(result));
	cJSON_AddStringToObject(file, "sha256", hash);
	cJSON_AddItemToArray(files, file);
	return list;
}

static void document_put_result(cJSON *document, const struct task *task, bool whole)
{
	size_t size = task->result ? strlen(task->result) : 0;
	cJSON *result;

	if (whole || size <= TASK_RESULT_IN_DOCUMENT)
		result = task->result ? cJSON_Parse(task->result) : NULL;
	else
		result = result_as_file(task->result);
	cJSON_AddItemToObject(document, "result", result ? result : cJSON_CreateNull());
}

static void document_put_error(cJSON *document, const struct task *task)
{
	cJSON *error;

	if (!task->error_code[0]) {
		cJSON_AddNullToObject(document, "error");
		return;
	}
	error = cJSON_AddObjectToObject(document, "error");
	cJSON_AddStringToObject(error, "code", task->error_code);
	cJSON_AddStringToObject(error, "message",
				task->error_message ? task->error_message : "");
}

static const char *stopping_name(enum task_stopping stopping)
{
	return stopping == STOPPING_PAUSE    ? "pause"
	       : stopping == STOPPING_CANCEL ? "cancel"
					     : NULL;
}

static bool document_fits(const cJSON *document)
{
	char *text = json_text(document);
	bool fits = strlen(text) <= TASK_DOCUMENT_MAX;

	free(text);
	return fits;
}

/* Each part may be as large as its own limit allows, but not all of them in one document.
 * If it is too large, the arguments are left out first, then the result, then the labels.
 */
static void document_shrink(cJSON *document, const struct task *task)
{
	size_t parts = strlen(task->args) + strlen(task->labels) +
		       (task->result ? strlen(task->result) : 0);

	if (parts <= TASK_DOCUMENT_MAX - DOCUMENT_REST || document_fits(document))
		return;
	cJSON_DeleteItemFromObjectCaseSensitive(document, "args");
	if (document_fits(document))
		return;
	if (task->result)
		cJSON_ReplaceItemInObjectCaseSensitive(document, "result",
						       result_as_file(task->result));
	if (!document_fits(document))
		cJSON_DeleteItemFromObjectCaseSensitive(document, "labels");
}

cJSON *task_document(const struct task *task, const char *store, int place, int64_t now,
		     bool whole)
{
	cJSON *document = cJSON_CreateObject();
	cJSON *progress, *after;

	cJSON_AddStringToObject(document, "id", task->id);
	cJSON_AddStringToObject(document, "type", task->type_name);
	cJSON_AddStringToObject(document, "category", task->category);
	cJSON_AddBoolToObject(document, "is_exclusive", task->is_exclusive);
	cJSON_AddBoolToObject(document, "is_blocking", task->is_blocking);
	cJSON_AddStringToObject(document, "status", task_status_name(task->status));
	cJSON_AddNumberToObject(document, "rev", (double)task->rev);
	cJSON_AddStringToObject(document, "store", store);
	progress = cJSON_AddObjectToObject(document, "progress");
	cJSON_AddNumberToObject(progress, "current", task->current);
	cJSON_AddNumberToObject(progress, "total", task->total);
	cJSON_AddStringToObject(progress, "message", task->message);
	document_put_number(document, "percent", task_percent(task));
	document_put_number(document, "eta_s", round(task_eta(task, now) * 10) / 10);
	document_put_number(document, "queue_position", place);
	cJSON_AddNumberToObject(document, "priority", task->priority);
	cJSON_AddNumberToObject(document, "attempt", task->attempt);
	document_put_args(document, task, whole);
	document_put_result(document, task, whole);
	document_put_error(document, task);
	json_put_string(document, "stopping", stopping_name(task->stopping));
	cJSON_AddBoolToObject(document, "resumable", task->resumable);
	cJSON_AddNumberToObject(document, "resumed", task->resumed);
	document_put_time(document, "created_at", task->created_at);
	document_put_time(document, "started_at", task->started_at);
	document_put_time(document, "completed_at", task->completed_at);
	cJSON_AddNumberToObject(document, "elapsed_s",
				(double)task_elapsed(task, now) / 1000);
	cJSON_AddItemToObject(document, "labels", cJSON_Parse(task->labels));
	after = cJSON_AddArrayToObject(document, "after");
	for (size_t i = 0; i < task->after_count; i++)
		cJSON_AddItemToArray(after, cJSON_CreateString(task->after[i]));
	cJSON_AddStringToObject(document, "boot", task->boot);
	if (!whole)
		document_shrink(document, task);
	return document;
}
