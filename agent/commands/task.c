/* The verbs of the noun task that change or show one task. */
#include <stdlib.h>
#include <string.h>

#include "agent/commands/response.h"
#include "agent/commands/tables.h"
#include "agent/commands/task_create.h"
#include "agent/commands/wifi_setup.h"
#include "agent/core/lifecycle.h"

#define ONLY_ID "{\"type\":\"object\",\"additionalProperties\":false}"

static void wrong_state(struct core *core, struct response *response,
			const struct task *task, const char *what)
{
	response_conflict(core, response, "invalid_state", task,
			  "task '%s' is %s%s and cannot be %s", task->id,
			  task_status_name(task->status),
			  task->stopping == STOPPING_CANCEL  ? " (cancelling)"
			  : task->stopping == STOPPING_PAUSE ? " (pausing)"
							     : "",
			  what);
}

/* Answers with the task as it is after the command, live or ended. */
static void response_named_task(struct core *core, struct response *response,
				const char *code)
{
	struct task *ended;
	const struct task *task = core_find_task(core, response->command->id, &ended);

	response_task(core, response, code, task);
	task_free(ended);
}

static void task_pause(struct core *core, struct response *response)
{
	struct task *ended, *task = response_find_task(core, response, &ended);

	if (!task)
		return;
	if (task->status == TASK_RUNNING && task->stop == STOP_NONE &&
	    task->stopping == STOPPING_NOT) {
		lifecycle_pause(core, task);
		response_named_task(core, response, "accepted");
	} else if (task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE) {
		response_named_task(core, response, "ok");
	} else {
		wrong_state(core, response, task, "paused");
	}
	task_free(ended);
}

static void task_resume(struct core *core, struct response *response)
{
	struct task *ended, *task = response_find_task(core, response, &ended);

	if (!task)
		return;
	if (!task_is_active(task) || task->stopping == STOPPING_CANCEL ||
	    task->stop != STOP_NONE) {
		wrong_state(core, response, task, "resumed");
	} else if (core->estop && task->claim && task->status == TASK_PAUSED) {
		response_refuse(response, "estopped",
				"the emergency stop is latched: send queue/resume first");
	} else if (core->stopping && !task->run) {
		response_refuse(response, "draining",
				"the agent stops: resume it after its next start");
	} else if (task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE) {
		lifecycle_resume(core, task);
		response_named_task(core, response, "accepted");
	} else {
		response_named_task(core, response, "ok");
	}
	task_free(ended);
}

static void task_cancel(struct core *core, struct response *response)
{
	struct task *ended, *task = response_find_task(core, response, &ended);
	bool works;

	if (!task)
		return;
	works = task_is_active(task);
	if (task->status == TASK_CANCELLED || task->stopping == STOPPING_CANCEL) {
		response_named_task(core, response, "ok");
	} else if (task_is_live(task)) {
		wifi_setup_cancelled(core, task);
		lifecycle_cancel(core, task);
		response_named_task(core, response, works ? "accepted" : "ok");
	} else {
		wrong_state(core, response, task, "cancelled");
	}
	task_free(ended);
}

static void task_restart(struct core *core, struct response *response)
{
	const char *from = json_string(response->command->body, "from");
	struct task *ended, *task = response_find_task(core, response, &ended);

	if (!task)
		return;
	if (task_is_live(task) || task->status == TASK_COMPLETED) {
		wrong_state(core, response, task, "restarted");
	} else if (!task->type) {
		response_refuse(response, "unknown_type", "there is no task type '%s'",
				task->type_name);
	} else if (create_room(core, response, 1)) {
		/* The scheduler owns it from now on. */
		ended = NULL;
		lifecycle_restart(core, task, !from || strcmp(from, "start") != 0);
		response_named_task(core, response, "accepted");
	}
	task_free(ended);
}

static void task_delete(struct core *core, struct response *response)
{
	struct task *ended, *task = core_find_task(core, response->command->id, &ended);

	if (!task) {
		cJSON *data = cJSON_CreateObject();

		cJSON_AddTrueToObject(data, "gone");
		response_ok(response, "ok", data);
		return;
	}
	task_free(ended);
	task = response_find_task(core, response, &ended);
	if (!task)
		return;
	if (task_is_live(task)) {
		wrong_state(core, response, task, "deleted; cancel it first");
	} else {
		response_named_task(core, response, "ok");
		lifecycle_delete(core, task, "task.deleted");
	}
	task_free(ended);
}

static void task_get(struct core *core, struct response *response)
{
	struct task *ended, *task = response_find_task(core, response, &ended);

	if (!task)
		return;
	response_task(core, response, "ok", task);
	task_free(ended);
}

static void task_update(struct core *core, struct response *response)
{
	const cJSON *body = response->command->body;
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(body, "labels");
	struct task *ended, *task = response_find_task(core, response, &ended);
	char *before;

	if (!task)
		return;
	if (!task_is_live(task)) {
		wrong_state(core, response, task, "updated");
		goto out;
	}
	before = task->labels;
	if (labels && !create_labels(response, task, labels))
		goto out;
	if (labels)
		free(before);
	task->priority = (int)json_number(body, "priority", task->priority);
	scheduler_sort(&core->scheduler);
	lifecycle_save(core, task);
	response_named_task(core, response, "ok");
out:
	task_free(ended);
}

const struct verb task_verbs[] = {
	{
		.name = "task/pause",
		.flags = VERB_WRITES | VERB_FREES,
		.short_form = SHORT_TASK,
		.schema = ONLY_ID,
		.decide = task_pause,
	},
	{
		.name = "task/resume",
		.flags = VERB_WRITES,
		.short_form = SHORT_TASK,
		.schema = ONLY_ID,
		.decide = task_resume,
	},
	{
		.name = "task/cancel",
		.flags = VERB_WRITES | VERB_FREES,
		.short_form = SHORT_TASK,
		.schema = ONLY_ID,
		.decide = task_cancel,
	},
	{
		.name = "task/restart",
		.flags = VERB_WRITES,
		.short_form = SHORT_TASK,
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,"
			"\"properties\":{\"from\":{\"enum\":[\"start\",\"checkpoint\"]}}}",
		.decide = task_restart,
	},
	{
		.name = "task/delete",
		.flags = VERB_WRITES | VERB_FREES,
		.short_form = SHORT_TASK,
		.schema = ONLY_ID,
		.decide = task_delete,
	},
	{
		.name = "task/get",
		.short_form = SHORT_TASK,
		.schema = ONLY_ID,
		.decide = task_get,
	},
	{
		.name = "task/update",
		.flags = VERB_WRITES,
		.short_form = SHORT_TASK,
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			"\"priority\":{\"type\":\"integer\",\"minimum\":-10,\"maximum\":10},"
			"\"labels\":{\"type\":\"object\",\"additionalProperties\":"
			"{\"type\":\"string\",\"maxLength\":256}}}}",
		.decide = task_update,
	},
	{.name = NULL},
};
