/* The records of commands that have been carried out. */
#include "agent/commands/dedup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/commands/reply.h"
#include "agent/core/lifecycle.h"

#define REPLY_KEPT_MAX 1024
#define KEY_MAX (NAME_MAX_LENGTH + 2)

static void make_key(char key[KEY_MAX], enum dedup_kind kind, const char *name)
{
	snprintf(key, KEY_MAX, "%c%s", kind, name);
}

void dedup_remember(struct core *core, const struct response *response,
		    enum dedup_kind kind)
{
	const struct command *command = response->command;
	cJSON *reply = reply_head(core, response);
	char key[KEY_MAX];
	char *text;

	if (response->rev >= 0)
		cJSON_AddNumberToObject(reply, "rev", (double)response->rev);
	text = json_text(reply);
	make_key(key, kind, kind == DEDUP_ID ? response->id : command->request);
	if (strlen(text) <= REPLY_KEPT_MAX)
		store_dedup_add(core->store, key, command->hash, text, "",
				core_age(core));
	free(text);
	cJSON_Delete(reply);
}

/* The task that was created, as it is now; or its last status, when it is gone. */
static cJSON *created_task(struct core *core, const char *id,
			   const struct dedup_record *record)
{
	struct task *ended;
	const struct task *task = core_find_task(core, id, &ended);
	cJSON *data = task ? core_task_document(core, task, true) : cJSON_CreateObject();

	if (!task) {
		cJSON_AddTrueToObject(data, "gone");
		cJSON_AddStringToObject(data, "status", record->status);
	}
	task_free(ended);
	return data;
}

/* Answers with the first reply again. */
static void answer_again(struct core *core, struct response *response,
			 const struct dedup_record *record)
{
	bool creates = response->command->verb->flags & VERB_CREATES;
	cJSON *first = cJSON_Parse(record->reply);
	const char *id = json_string(first, "id");
	const char *code = json_string(first, "code");
	bool accepted = code && !strcmp(code, "accepted");

	response_ok(response, accepted ? "accepted" : "ok",
		    creates && id ? created_task(core, id, record)
				  : cJSON_CreateObject());
	response->duplicate = true;
	response->rev = (int64_t)json_number(first, "rev", -1);
	if (id)
		snprintf(response->id, sizeof(response->id), "%s", id);
	cJSON_Delete(first);
}

static void refuse_reuse(struct core *core, struct response *response,
			 enum dedup_kind kind, const char *name)
{
	struct task *ended = NULL;
	const struct task *task =
		kind == DEDUP_ID ? core_find_task(core, name, &ended) : NULL;

	response_refuse(response, "id_conflict",
			"%s '%s' was used before for something else",
			kind == DEDUP_ID ? "id" : "request", name);
	if (task)
		response->current = core_task_document(core, task, false);
	task_free(ended);
}

bool dedup_answers(struct core *core, struct response *response, enum dedup_kind kind)
{
	const struct command *command = response->command;
	const char *name = kind == DEDUP_ID ? command->id : command->request;
	struct dedup_record record = {.reply = NULL};
	char key[KEY_MAX];

	if (!name[0])
		return false;
	make_key(key, kind, name);
	if (!store_dedup_find(core->store, key, &record))
		return false;
	if (!strcmp(record.hash, command->hash))
		answer_again(core, response, &record);
	else
		refuse_reuse(core, response, kind, name);
	dedup_record_clear(&record);
	return true;
}
