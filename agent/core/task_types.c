/* Follows the community folder: which task types there are now. */
#include "agent/core/task_types.h"

#include <stdio.h>
#include <string.h>

#include "agent/core/status.h"
#include "tasks/community/catalog.h"

static bool is_used(void *context, const struct registered_type *type)
{
	const struct core *core = context;

	for (size_t i = 0; i < core->scheduler.count; i++)
		if (core->scheduler.live[i]->type == type)
			return true;
	return core->pending != NULL; /* one of them may be a dry run */
}

void task_types_sweep(struct core *core)
{
	registry_sweep(core->options.registry, is_used, core);
}

bool task_types_bind(struct core *core, struct task *task)
{
	const struct registered_type *type =
		registry_find(core->options.registry, task->type_name);

	if (type == task->type)
		return false;
	task->type = type;
	task->claim = type ? core_devices(core, type->type->uses) : 0;
	return true;
}

/* A pending task starts with the type as it is then; a run keeps the type it has. */
static void rebind(struct core *core)
{
	for (size_t i = 0; i < core->scheduler.count; i++)
		if (core->scheduler.live[i]->status == TASK_PENDING)
			task_types_bind(core, core->scheduler.live[i]);
}

static cJSON *names(const struct registry *registry)
{
	cJSON *all = cJSON_CreateArray();

	for (size_t i = 0; i < registry_count(registry); i++)
		cJSON_AddItemToArray(
			all, cJSON_CreateString(registry_at(registry, i)->type->name));
	return all;
}

cJSON *task_types_found(const struct core *core)
{
	cJSON *found = cJSON_CreateObject();

	cJSON_AddItemToObject(found, "problems",
			      cJSON_Duplicate(core->type_problems, true));
	return found;
}

void task_types_event(struct core *core, const struct event *event)
{
	struct registry *registry = core->options.registry;
	cJSON *before, *problems;
	const cJSON *name;

	/* Two searches at the same time may report in the wrong order. */
	if (catalog_number(event->catalog) <= core->catalog)
		return;
	core->catalog = catalog_number(event->catalog);
	before = names(registry);
	problems = cJSON_Duplicate(catalog_problems(event->catalog), true);
	registry_renew(registry, catalog_guests(event->catalog), problems);
	cJSON_Delete(core->type_problems);
	core->type_problems = problems;
	rebind(core);
	task_types_sweep(core);
	cJSON_ArrayForEach(name, before)
		if (!registry_find(registry, name->valuestring))
			status_clear_type(core, name->valuestring);
	cJSON_Delete(before);
	status_publish_types(core);
	status_publish_info(core);
}
