#include "agent/commands/pending.h"
#include "agent/commands/verbs.h"

#include <string.h>

#define PROJECT "\"project\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":600}"

/* Projects are folders, and folders are slow: the work is an act's. */
static void project_act(struct core *core, struct answer *answer)
{
	answer_act(core, answer, 0);
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

static void project_delete(struct core *core, struct answer *answer)
{
	const char *project = json_string(answer->command->body, "project");
	const struct task *task = project_user(core, project);

	if (task) {
		answer_conflict(core, answer, "invalid_state", task,
				"project '%s' is used by task '%s'", project, task->id);
		return;
	}
	answer_act(core, answer, 0);
}

static void project_deleted(struct core *core, struct answer *answer)
{
	core_emit_event(core, "project.deleted", NULL,
			cJSON_Duplicate(answer->data, true));
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
		.decide = project_act,
	},
	{
		.name = "project/list",
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			"\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200,\"default\":50},"
			"\"next\":{\"type\":\"string\",\"maxLength\":600}}}",
		.decide = project_act,
	},
	{
		.name = "project/get",
		.short_form = SHORT_NONE,
		.schema =
			"{\"type\":\"object\",\"required\":[\"project\"],\"additionalProperties\":false,"
			"\"properties\":{" PROJECT "}}",
		.decide = project_act,
	},
	{
		.name = "project/delete",
		.flags = VERB_WRITES | VERB_FREES,
		.short_form = SHORT_NONE,
		.schema =
			"{\"type\":\"object\",\"required\":[\"project\"],\"additionalProperties\":false,"
			"\"properties\":{" PROJECT "}}",
		.decide = project_delete,
		.done = project_deleted,
	},
	{.name = NULL},
};
