/* The verbs of the noun project.  Folders are slow, so a worker does all of the work. */
#include "agent/commands/pending.h"
#include "agent/commands/tables.h"

#include <string.h>

#include "agent/base/json.h"
#include "tasks/project/project.h"
#include "tasks/services.h"

#define PROJECT "\"project\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":600}"

static void project_decide(struct core *core, struct response *response)
{
	pending_start(core, response, 0);
}

static int project_create(const struct work *work, const cJSON *body, cJSON **data,
			  struct err *err)
{
	return projects_create(work->services->projects, json_string(body, "project"),
			       json_string(body, "description"), data, err);
}

static int project_list(const struct work *work, const cJSON *body, cJSON **data,
			struct err *err)
{
	return projects_list(work->services->projects,
			     (int)json_number(body, "limit", 50),
			     json_string(body, "next"), data, err);
}

static int project_get(const struct work *work, const cJSON *body, cJSON **data,
		       struct err *err)
{
	return projects_get(work->services->projects, json_string(body, "project"), data,
			    err);
}

static const struct task *project_user(const struct core *core, const char *project)
{
	for (size_t i = 0; i < core->scheduler.count; i++) {
		const struct task *task = core->scheduler.live[i];
		cJSON *args = cJSON_Parse(task->args);
		const char *used = json_string(args, "project");
		bool uses = used && !strcmp(used, project);

		cJSON_Delete(args);
		if (uses)
			return task;
	}
	return NULL;
}

static void project_delete_decide(struct core *core, struct response *response)
{
	const char *project = json_string(response->command->body, "project");
	const struct task *task = project_user(core, project);

	if (task) {
		response_conflict(core, response, "invalid_state", task,
				  "project '%s' is used by task '%s'", project, task->id);
		return;
	}
	pending_start(core, response, 0);
}

static int project_delete(const struct work *work, const cJSON *body, cJSON **data,
			  struct err *err)
{
	return projects_delete(work->services->projects, json_string(body, "project"),
			       data, err);
}

static void project_deleted(struct core *core, struct response *response)
{
	core_emit_event(core, "project.deleted", NULL,
			cJSON_Duplicate(response->data, true));
}

const struct verb project_verbs[] = {
	{
		.name = "project/create",
		.flags = VERB_WRITES,
		.short_form = SHORT_NONE,
		.schema =
			"{\"type\":\"object\",\"required\":[\"project\"],\"additionalProperties\":false,"
			"\"properties\":{" PROJECT
			",\"description\":{\"type\":\"string\",\"maxLength\":4096}}}",
		.decide = project_decide,
		.work = project_create,
	},
	{
		.name = "project/list",
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			"\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200,\"default\":50},"
			"\"next\":{\"type\":\"string\",\"maxLength\":600}}}",
		.decide = project_decide,
		.work = project_list,
	},
	{
		.name = "project/get",
		.short_form = SHORT_NONE,
		.schema =
			"{\"type\":\"object\",\"required\":[\"project\"],\"additionalProperties\":false,"
			"\"properties\":{" PROJECT "}}",
		.decide = project_decide,
		.work = project_get,
	},
	{
		.name = "project/delete",
		.flags = VERB_WRITES | VERB_FREES,
		.short_form = SHORT_NONE,
		.schema =
			"{\"type\":\"object\",\"required\":[\"project\"],\"additionalProperties\":false,"
			"\"properties\":{" PROJECT "}}",
		.decide = project_delete_decide,
		.work = project_delete,
		.done = project_deleted,
	},
	{.name = NULL},
};
