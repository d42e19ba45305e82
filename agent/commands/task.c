#include "agent/commands/task.h"

#include <stdlib.h>
#include <string.h>

#include "agent/commands/wifi_setup.h"
#include "agent/core/lifecycle.h"

#define ONLY_ID "{\"type\":\"object\",\"additionalProperties\":false}"

/* The task a command names; refused when it does not exist or has changed since if_rev.
 */
struct task *named_task(struct core *core, struct answer *answer, struct task **ended)
{
	const struct command *command = answer->command;
	struct task *task = life_find(core, command->id, ended);

	if (!task) {
		answer_refuse(answer, "not_found", "there is no task '%s'", command->id);
		return NULL;
	}
	if (command->if_rev >= 0 &&
	    (command->if_rev < task->solid_rev || command->if_rev > task->rev)) {
		answer_conflict(core, answer, "rev_conflict", task,
				"task '%s' is at revision %lld, not %lld", task->id,
				(long long)task->rev, (long long)command->if_rev);
		task_free(*ended);
		*ended = NULL;
		return NULL;
	}
	return task;
}

static void wrong_state(struct core *core, struct answer *answer, const struct task *task,
			const char *what)
{
	answer_conflict(core, answer, "invalid_state", task,
			"task '%s' is %s%s and cannot be %s", task->id,
			task_status_name(task->status),
			task->stopping == STOPPING_CANCEL  ? " (cancelling)"
			: task->stopping == STOPPING_PAUSE ? " (pausing)"
							   : "",
			what);
}

/* The answer shows the task as it is after the command, wherever it lives now. */
static void answer_named(struct core *core, struct answer *answer, const char *code)
{
	struct task *ended;
	const struct task *task = life_find(core, answer->command->id, &ended);

	answer_task(core, answer, code, task);
	task_free(ended);
}

static void task_pause(struct core *core, struct answer *answer)
{
	struct task *ended, *task = named_task(core, answer, &ended);

	if (!task)
		return;
	if (task->status == TASK_RUNNING && task->stop == STOP_NONE &&
	    task->stopping == STOPPING_NOT) {
		life_pause(core, task);
		answer_named(core, answer, "accepted");
	} else if (task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE) {
		answer_named(core, answer, "ok");
	} else {
		wrong_state(core, answer, task, "paused");
	}
	task_free(ended);
}

static void task_resume(struct core *core, struct answer *answer)
{
	struct task *ended, *task = named_task(core, answer, &ended);

	if (!task)
		return;
	if (!task_works(task) || task->stopping == STOPPING_CANCEL ||
	    task->stop != STOP_NONE) {
		wrong_state(core, answer, task, "resumed");
	} else if (core->estop && task->claim && task->status == TASK_PAUSED) {
		answer_refuse(answer, "estopped",
			      "the emergency stop is latched: send queue/resume first");
	} else if (core->stopping && !task->run) {
		answer_refuse(answer, "draining",
			      "the agent stops: resume it after its next start");
	} else if (task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE) {
		life_resume(core, task);
		answer_named(core, answer, "accepted");
	} else {
		answer_named(core, answer, "ok");
	}
	task_free(ended);
}

static void task_cancel(struct core *core, struct answer *answer)
{
	struct task *ended, *task = named_task(core, answer, &ended);
	bool works;

	if (!task)
		return;
	works = task_works(task);
	if (task->status == TASK_CANCELLED || task->stopping == STOPPING_CANCEL) {
		answer_named(core, answer, "ok");
	} else if (task_live(task)) {
		joining_cancelled(core, task);
		life_cancel(core, task);
		answer_named(core, answer, works ? "accepted" : "ok");
	} else {
		wrong_state(core, answer, task, "cancelled");
	}
	task_free(ended);
}

static void task_restart(struct core *core, struct answer *answer)
{
	const char *from = json_string(answer->command->body, "from");
	struct task *ended, *task = named_task(core, answer, &ended);

	if (!task)
		return;
	if (task_live(task) || task->status == TASK_COMPLETED) {
		wrong_state(core, answer, task, "restarted");
	} else if (!task->type) {
		answer_refuse(answer, "unknown_type", "there is no task type '%s'",
			      task->type_name);
	} else if (create_room(core, answer, 1)) {
		/* It lives in the scheduler from now on. */
		ended = NULL;
		life_restart(core, task, !from || strcmp(from, "start") != 0);
		answer_named(core, answer, "accepted");
	}
	task_free(ended);
}

static void task_delete(struct core *core, struct answer *answer)
{
	struct task *ended, *task = life_find(core, answer->command->id, &ended);

	if (!task) {
		cJSON *data = cJSON_CreateObject();

		cJSON_AddTrueToObject(data, "gone");
		answer_ok(answer, "ok", data);
		return;
	}
	task_free(ended);
	task = named_task(core, answer, &ended);
	if (!task)
		return;
	if (task_live(task)) {
		wrong_state(core, answer, task, "deleted; cancel it first");
	} else {
		answer_named(core, answer, "ok");
		life_delete(core, task, "task.deleted");
	}
	task_free(ended);
}

static void task_get(struct core *core, struct answer *answer)
{
	struct task *ended, *task = named_task(core, answer, &ended);

	if (!task)
		return;
	answer_task(core, answer, "ok", task);
	task_free(ended);
}

static void task_update(struct core *core, struct answer *answer)
{
	const cJSON *body = answer->command->body;
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(body, "labels");
	struct task *ended, *task = named_task(core, answer, &ended);
	char *before;

	if (!task)
		return;
	if (!task_live(task)) {
		wrong_state(core, answer, task, "updated");
		goto out;
	}
	before = task->labels;
	if (labels && !create_labels(answer, task, labels))
		goto out;
	if (labels)
		free(before);
	task->priority = (int)json_number(body, "priority", task->priority);
	scheduler_sort(&core->scheduler);
	life_changed(core, task);
	answer_named(core, answer, "ok");
out:
	task_free(ended);
}

const struct verb task_verbs[] = {
	{"task/create", VERB_WRITES, create_schema, task_create},
	{"task/pause", VERB_WRITES | VERB_TASK | VERB_FREES, ONLY_ID, task_pause},
	{"task/resume", VERB_WRITES | VERB_TASK, ONLY_ID, task_resume},
	{"task/cancel", VERB_WRITES | VERB_TASK | VERB_FREES, ONLY_ID, task_cancel},
	{"task/restart", VERB_WRITES | VERB_TASK,
	 "{\"type\":\"object\",\"additionalProperties\":false,"
	 "\"properties\":{\"from\":{\"enum\":[\"start\",\"checkpoint\"]}}}",
	 task_restart},
	{"task/delete", VERB_WRITES | VERB_TASK | VERB_FREES, ONLY_ID, task_delete},
	{"task/get", VERB_TASK, ONLY_ID, task_get},
	{"task/update", VERB_WRITES | VERB_TASK,
	 "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	 "\"priority\":{\"type\":\"integer\",\"minimum\":-10,\"maximum\":10},"
	 "\"labels\":{\"type\":\"object\",\"additionalProperties\":"
	 "{\"type\":\"string\",\"maxLength\":256}}}}",
	 task_update},
	{"task/list", VERB_BROADCAST,
	 "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	 "\"status\":{\"type\":\"array\",\"items\":{\"enum\":[\"pending\",\"running\",\"paused\","
	 "\"completed\",\"cancelled\",\"error\",\"interrupted\"]}},"
	 "\"type\":{\"type\":\"string\"},\"label\":{\"type\":\"string\",\"maxLength\":321},"
	 "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200},"
	 "\"next\":{\"type\":\"string\",\"pattern\":\"^[0-9]{1,18}$\"}}}",
	 task_list},
	{"task/log", VERB_TASK,
	 "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	 "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":500}}}",
	 task_log},
	{"task/events", 0,
	 "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	 "\"since\":{\"type\":\"integer\",\"minimum\":0},"
	 "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200}}}",
	 task_events},
	{.name = NULL},
};
