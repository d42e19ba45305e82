/* The verbs of the noun task that read lists: tasks, log lines, events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/commands/response.h"
#include "agent/commands/tables.h"
#include "agent/core/lifecycle.h"

#define LIST_BYTES (96 * 1024) /* of a page, well below the 128 KiB of a reply */

static bool list_has(const cJSON *list, const char *name)
{
	const cJSON *item;

	if (!list)
		return true;
	cJSON_ArrayForEach(item, list)
		if (!strcmp(item->valuestring, name))
			return true;
	return false;
}

/* A label filter is "key" or "key=value". */
static bool has_label(const struct task *task, const char *filter)
{
	cJSON *labels = cJSON_Parse(task->labels);
	const char *equals = strchr(filter, '=');
	char key[80];
	const char *value;
	bool has;

	snprintf(key, sizeof(key), "%.*s",
		 equals ? (int)(equals - filter) : (int)strlen(filter), filter);
	value = json_string(labels, key);
	has = value && (!equals || !strcmp(value, equals + 1));
	cJSON_Delete(labels);
	return has;
}

static bool list_wants(const cJSON *body, const struct task *task)
{
	const char *type = json_string(body, "type");
	const char *label = json_string(body, "label");

	return list_has(cJSON_GetObjectItemCaseSensitive(body, "status"),
			task_status_name(task->status)) &&
	       (!type || !strcmp(type, task->type_name)) &&
	       (!label || has_label(task, label));
}

/* Newest first.  A live task is newer in memory than its row. */
static void task_list(struct core *core, struct response *response)
{
	const cJSON *body = response->command->body;
	const char *next = json_string(body, "next");
	int limit = (int)json_number(body, "limit", 50);
	int64_t before = next ? strtoll(next, NULL, 10) : INT64_MAX;
	cJSON *data = cJSON_CreateObject();
	cJSON *tasks = cJSON_AddArrayToObject(data, "tasks");
	size_t bytes = 0;
	char cursor[32] = "";

	for (;;) {
		struct task *row = store_task_before(core->store, before);
		struct task *ended = NULL;
		const struct task *task;

		if (!row)
			break;
		if (limit == 0 || bytes > LIST_BYTES) {
			snprintf(cursor, sizeof(cursor), "%lld", (long long)before);
			task_free(row);
			break;
		}
		before = row->number;
		task = core_find_task(core, row->id, &ended);
		if (task && list_wants(body, task)) {
			cJSON *document = core_task_document(core, task, false);
			char *text = json_text(document);

			bytes += strlen(text);
			free(text);
			cJSON_AddItemToArray(tasks, document);
			limit--;
		}
		task_free(ended);
		task_free(row);
	}
	json_put_string(data, "next", cursor[0] ? cursor : NULL);
	response_ok(response, "ok", data);
}

static void log_line(void *context, int64_t ts, int level, const char *message)
{
	char stamp[CLOCK_TEXT];
	cJSON *line = cJSON_CreateObject();

	clock_text(ts, stamp);
	cJSON_AddStringToObject(line, "ts", stamp);
	cJSON_AddStringToObject(line, "level", log_level_name((enum log_level)level));
	cJSON_AddStringToObject(line, "message", message);
	cJSON_AddItemToArray(context, line);
}

static void task_log(struct core *core, struct response *response)
{
	struct task *ended, *task = response_find_task(core, response, &ended);
	cJSON *data;

	if (!task)
		return;
	data = cJSON_CreateObject();
	store_log_each(core->store, task->number,
		       (int)json_number(response->command->body, "limit", 100), log_line,
		       cJSON_AddArrayToObject(data, "lines"));
	response_ok(response, "ok", data);
	snprintf(response->id, sizeof(response->id), "%s", task->id);
	task_free(ended);
}

static void task_events(struct core *core, struct response *response)
{
	const cJSON *body = response->command->body;
	int limit = (int)json_number(body, "limit", 200);
	int64_t seq = (int64_t)json_number(body, "since", 0);
	cJSON *data = cJSON_CreateObject();
	cJSON *events = cJSON_AddArrayToObject(data, "events");
	size_t bytes = 0;
	char *event = NULL;

	while ((event = store_event_from(core->store, seq + 1, &seq)) && limit-- > 0 &&
	       bytes < LIST_BYTES) {
		bytes += strlen(event);
		cJSON_AddItemToArray(events, cJSON_Parse(event));
		free(event);
	}
	cJSON_AddNumberToObject(data, "oldest", (double)store_event_oldest(core->store));
	/* The cursor of the next page, null at the end. */
	if (event)
		cJSON_AddNumberToObject(data, "next", (double)(seq - 1));
	else
		cJSON_AddNullToObject(data, "next");
	free(event);
	response_ok(response, "ok", data);
}

const struct verb task_list_verbs[] = {
	{
		.name = "task/list",
		.flags = VERB_BROADCAST,
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			"\"status\":{\"type\":\"array\",\"items\":{\"enum\":[\"pending\",\"running\",\"paused\","
			"\"completed\",\"cancelled\",\"error\",\"interrupted\"]}},"
			"\"type\":{\"type\":\"string\"},\"label\":{\"type\":\"string\",\"maxLength\":321},"
			"\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200},"
			"\"next\":{\"type\":\"string\",\"pattern\":\"^[0-9]{1,18}$\"}}}",
		.decide = task_list,
	},
	{
		.name = "task/log",
		.short_form = SHORT_TASK,
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			"\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":500}}}",
		.decide = task_log,
	},
	{
		.name = "task/events",
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			"\"since\":{\"type\":\"integer\",\"minimum\":0},"
			"\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200}}}",
		.decide = task_events,
	},
	{.name = NULL},
};
