/* Fills in the response to a command. */
#include "agent/commands/response.h"

#include <stdarg.h>
#include <stdio.h>

#include "agent/base/utf8.h"
#include "agent/base/suggest.h"
#include "agent/core/lifecycle.h"

#define PROBLEMS_MAX 8

void response_ok(struct response *response, const char *code, cJSON *data)
{
	response->code = code;
	cJSON_Delete(response->data);
	response->data = data;
}

static void response_vrefuse(struct response *response, const char *code, const char *fmt,
			     va_list args)
{
	response->refused = true;
	response->code = code;
	vsnprintf(response->message, sizeof(response->message), fmt, args);
	utf8_to_line(response->message);
}

void response_refuse(struct response *response, const char *code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	response_vrefuse(response, code, fmt, args);
	va_end(args);
}

void response_task(struct core *core, struct response *response, const char *code,
		   const struct task *task)
{
	snprintf(response->id, sizeof(response->id), "%s", task->id);
	response->rev = task->rev;
	response_ok(response, code, core_task_document(core, task, true));
}

void response_conflict(struct core *core, struct response *response, const char *code,
		       const struct task *task, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	response_vrefuse(response, code, fmt, args);
	va_end(args);
	snprintf(response->id, sizeof(response->id), "%s", task->id);
	cJSON_Delete(response->current);
	response->current = core_task_document(core, task, false);
}

static void response_add_error(struct response *response, const char *path,
			       const char *message)
{
	cJSON *error = cJSON_CreateObject();

	if (!response->errors)
		response->errors = cJSON_CreateArray();
	cJSON_AddStringToObject(error, "path", path);
	cJSON_AddStringToObject(error, "message", message);
	cJSON_AddItemToArray(response->errors, error);
}

void response_rig_away(struct response *response)
{
	response_refuse(response, "device_busy", "the rig is being opened again");
	response->retry_after_s = 1;
}

void response_problem(struct response *response, const char *code, const char *path,
		      const char *sentence)
{
	response_refuse(response, code, "%s", sentence);
	response_add_error(response, path, sentence);
}

void response_unknown(struct response *response, const char *code, const char *path,
		      const char *noun, const struct suggest *suggest)
{
	if (suggest->name)
		response_refuse(response, code,
				"there is no %s '%s' (did you mean '%s'?)", noun,
				suggest->wanted, suggest->name);
	else
		response_refuse(response, code, "there is no %s '%s'", noun,
				suggest->wanted);
	response_add_error(response, path, response->message);
}

void response_problems(struct response *response, const char *code,
		       const struct schema_problem *problems, size_t n)
{
	char sentence[1024];

	schema_sentence(&problems[0], sentence, sizeof(sentence));
	response_refuse(response, code, "%s", sentence);
	for (size_t i = 0; i < n && i < PROBLEMS_MAX; i++)
		response_add_error(response, problems[i].path, problems[i].message);
}

struct task *response_find_task(struct core *core, struct response *response,
				struct task **ended)
{
	const struct command *command = response->command;
	struct task *task = core_find_task(core, command->id, ended);

	if (!task) {
		response_refuse(response, "not_found", "there is no task '%s'",
				command->id);
		return NULL;
	}
	if (command->if_rev >= 0 &&
	    (command->if_rev < task->durable_rev || command->if_rev > task->rev)) {
		response_conflict(core, response, "rev_conflict", task,
				  "task '%s' is at revision %lld, not %lld", task->id,
				  (long long)task->rev, (long long)command->if_rev);
		task_free(*ended);
		*ended = NULL;
		return NULL;
	}
	return task;
}
