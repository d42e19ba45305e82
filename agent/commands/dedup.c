#include "agent/commands/dedup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/commands/reply.h"
#include "agent/core/lifecycle.h"

#define REPLY_KEPT_MAX 1024

/* Keeps the reply without its data, so that a repetition can be answered. */
void remember_reply(struct core *core, const char *prefix, const char *name,
		    const struct response *response, const char *hash)
{
	char key[NAME_MAX_LENGTH + 2];
	cJSON *reply = reply_head(core, response);
	char *text;

	if (response->rev >= 0)
		cJSON_AddNumberToObject(reply, "rev", (double)response->rev);
	text = json_text(reply);
	snprintf(key, sizeof(key), "%s%s", prefix, name);
	if (strlen(text) <= REPLY_KEPT_MAX)
		store_dedup_add(core->store, key, hash, text, "", core_age(core));
	free(text);
	cJSON_Delete(reply);
}

/* The first reply again.  For a create its data is the task as it is now, or that it is
 * gone. */
static void remember_repetition(struct core *core, struct response *response,
				const struct dedup_record *record)
{
	static const char *const known[] = {"accepted", "ok"};
	cJSON *first = cJSON_Parse(record->reply);
	const char *id = json_string(first, "id");
	const char *code = json_string(first, "code");
	cJSON *data = cJSON_CreateObject();

	response->duplicate = true;
	response->rev = (int64_t)json_number(first, "rev", -1);
	response->code = code && !strcmp(code, known[0]) ? known[0] : known[1];
	if (id)
		snprintf(response->id, sizeof(response->id), "%s", id);
	if (response->command->verb->flags & VERB_CREATES && id) {
		struct task *ended;
		const struct task *task = core_find_task(core, id, &ended);

		cJSON_Delete(data);
		data = task ? core_task_document(core, task, true) : cJSON_CreateObject();
		if (!task) {
			cJSON_AddTrueToObject(data, "gone");
			cJSON_AddStringToObject(data, "status", record->status);
		}
		task_free(ended);
	}
	cJSON_Delete(response->data);
	response->data = data;
	cJSON_Delete(first);
}

/* Has this command been carried out before?  Then answers it. */
bool remember_answers(struct core *core, struct response *response, const char *prefix,
		      const char *name)
{
	const struct command *command = response->command;
	struct dedup_record record = {.reply = NULL};
	char key[NAME_MAX_LENGTH + 2];

	if (!name[0])
		return false;
	snprintf(key, sizeof(key), "%s%s", prefix, name);
	if (!store_dedup_find(core->store, key, &record))
		return false;
	if (!strcmp(record.hash, command->hash)) {
		remember_repetition(core, response, &record);
	} else {
		struct task *ended = NULL;
		const struct task *task =
			prefix[0] == 'i' ? core_find_task(core, name, &ended) : NULL;

		response_refuse(response, "id_conflict",
				"%s '%s' was used before for something else",
				prefix[0] == 'i' ? "id" : "request", name);
		if (task)
			response->current = core_task_document(core, task, false);
		task_free(ended);
	}
	dedup_record_clear(&record);
	return true;
}
