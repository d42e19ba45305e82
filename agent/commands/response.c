/* The making of an answer. */
#include "agent/commands/response.h"

#include <stdarg.h>
#include <stdio.h>

#include "agent/base/utf8.h"
#include "agent/base/suggest.h"
#include "agent/core/lifecycle.h"

#define PROBLEMS_MAX 8

void answer_ok(struct answer *answer, const char *code, cJSON *data)
{
	answer->code = code;
	cJSON_Delete(answer->data);
	answer->data = data;
}

static void answer_vrefuse(struct answer *answer, const char *code, const char *fmt,
			   va_list args)
{
	answer->refused = true;
	answer->code = code;
	vsnprintf(answer->message, sizeof(answer->message), fmt, args);
	utf8_to_line(answer->message);
}

void answer_refuse(struct answer *answer, const char *code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	answer_vrefuse(answer, code, fmt, args);
	va_end(args);
}

void answer_task(struct core *core, struct answer *answer, const char *code,
		 const struct task *task)
{
	snprintf(answer->id, sizeof(answer->id), "%s", task->id);
	answer->rev = task->rev;
	answer_ok(answer, code, core_task_document(core, task, true));
}

void answer_conflict(struct core *core, struct answer *answer, const char *code,
		     const struct task *task, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	answer_vrefuse(answer, code, fmt, args);
	va_end(args);
	snprintf(answer->id, sizeof(answer->id), "%s", task->id);
	cJSON_Delete(answer->current);
	answer->current = core_task_document(core, task, false);
}

static void answer_add_error(struct answer *answer, const char *path, const char *message)
{
	cJSON *error = cJSON_CreateObject();

	if (!answer->errors)
		answer->errors = cJSON_CreateArray();
	cJSON_AddStringToObject(error, "path", path);
	cJSON_AddStringToObject(error, "message", message);
	cJSON_AddItemToArray(answer->errors, error);
}

void answer_problem(struct answer *answer, const char *code, const char *path,
		    const char *sentence)
{
	answer_refuse(answer, code, "%s", sentence);
	answer_add_error(answer, path, sentence);
}

void answer_unknown(struct answer *answer, const char *code, const char *path,
		    const char *noun, const struct suggest *suggest)
{
	if (suggest->name)
		answer_refuse(answer, code, "there is no %s '%s' (did you mean '%s'?)",
			      noun, suggest->wanted, suggest->name);
	else
		answer_refuse(answer, code, "there is no %s '%s'", noun, suggest->wanted);
	answer_add_error(answer, path, answer->message);
}

void answer_problems(struct answer *answer, const char *code,
		     const struct schema_problem *problems, size_t n)
{
	char sentence[1024];

	schema_sentence(&problems[0], sentence, sizeof(sentence));
	answer_refuse(answer, code, "%s", sentence);
	for (size_t i = 0; i < n && i < PROBLEMS_MAX; i++)
		answer_add_error(answer, problems[i].path, problems[i].message);
}

struct task *named_task(struct core *core, struct answer *answer, struct task **ended)
{
	const struct command *command = answer->command;
	struct task *task = core_find_task(core, command->id, ended);

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
