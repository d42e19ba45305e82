/* The helpers of the core: age, random numbers, events, problems, look-ups. */
#include "agent/core/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/log.h"

#define PROBLEMS_MAX 16

int64_t core_age(const struct core *core)
{
	return core->age_before + core->now.ms - core->started;
}

/* splitmix64 */
uint64_t core_random(struct core *core)
{
	uint64_t z = (core->random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void core_emit_event(struct core *core, const char *name, const char *id, cJSON *data)
{
	char *text = data ? json_text(data) : NULL;

	outbox_add_event(core->outbox, name, id, text, core->store_name, core->now.wall);
	free(text);
	cJSON_Delete(data);
}

void core_problem(struct core *core, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_error("%s", text);
	if (cJSON_GetArraySize(core->problems) < PROBLEMS_MAX)
		cJSON_AddItemToArray(core->problems, cJSON_CreateString(text));
}

struct effect *core_publish(struct core *core, const char *topic, const char *payload,
			    int qos, bool retain)
{
	struct effect *effect = effects_add(core->immediate, EFFECT_PUBLISH);

	effect->epoch = core->session.epoch;
	task_set_text(&effect->name, topic);
	task_set_text(&effect->text, payload);
	effect->size = strlen(payload);
	effect->qos = qos;
	effect->retain = retain;
	return effect;
}

uint64_t core_device(const struct core *core, enum device_kind kind, const char *name)
{
	uint64_t devices = 0;

	for (size_t i = 0; i < core->device_count; i++) {
		const struct core_device *device = &core->devices[i];

		if (device->kind == kind && (!name || !strcmp(device->name, name)))
			devices |= UINT64_C(1) << i;
	}
	return devices;
}

uint64_t core_devices(const struct core *core, const char *const *uses)
{
	uint64_t devices = 0;

	for (; uses && *uses; uses++) {
		const char *slash = strchr(*uses, '/');
		size_t length = slash ? (size_t)(slash - *uses) : strlen(*uses);

		for (int kind = 0; kind < DEVICE_KINDS; kind++) {
			const char *name = device_kind_name((enum device_kind)kind);

			if (strlen(name) == length && !strncmp(name, *uses, length))
				devices |= core_device(core, (enum device_kind)kind,
						       slash ? slash + 1 : NULL);
		}
	}
	return devices;
}

bool core_rig_is_away(const struct core *core)
{
	return core->scheduler.command_devices == CORE_ALL_DEVICES;
}

struct task *core_find_task(struct core *core, const char *id, struct task **ended)
{
	struct task *task = scheduler_find(&core->scheduler, id);

	*ended = NULL;
	if (task)
		return task;
	*ended = store_task(core->store, id);
	if (*ended)
		(*ended)->type =
			registry_find(core->options.registry, (*ended)->type_name);
	return *ended;
}

cJSON *core_task_document(struct core *core, const struct task *task, bool whole)
{
	return task_document(task, core->store_name,
			     scheduler_position(&core->scheduler, task), core->now.ms,
			     whole);
}
