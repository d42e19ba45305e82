/* The core's list of the rig's devices: their indices are the bits of claims. */
#include "agent/core/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/core/homeassistant.h"
#include "agent/core/lifecycle.h"
#include "agent/core/status.h"

#define LIST_MAX (RIG_DEVICES_MAX * 128) /* bytes of their names as JSON */

static void add_device(struct core *core, enum device_kind kind, const char *name)
{
	struct core_device *device = &core->devices[core->device_count];

	if (core->device_count == RIG_DEVICES_MAX)
		return; /* rig_slot_swap() refuses more */
	device->kind = kind;
	device->name = strdup(name);
	if (!device->name)
		abort(); /* see effects_add() */
	core->device_count++;
}

void devices_close(struct core *core)
{
	for (size_t i = 0; i < core->device_count; i++)
		free((void *)(uintptr_t)core->devices[i].name);
	core->device_count = 0;
}

/* ["motor/rotor", …] */
static cJSON *list_topics(const struct core *core)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < core->device_count; i++) {
		char topic[TOPIC_MAX];

		snprintf(topic, sizeof(topic), "%s/%s",
			 device_kind_name(core->devices[i].kind), core->devices[i].name);
		cJSON_AddItemToArray(list, cJSON_CreateString(topic));
	}
	return list;
}

static bool contains(const cJSON *list, const char *topic)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		if (!strcmp(item->valuestring, topic))
			return true;
	return false;
}

static void clear_device(struct core *core, const char *device)
{
	status_clear_device(core, device);
	homeassistant_remove_device(core, device);
}

/* Clears the retained topics of devices that no longer exist. */
static void clear_removed(struct core *core, const cJSON *before, const cJSON *now)
{
	const cJSON *topic;

	cJSON_ArrayForEach(topic, before)
		if (cJSON_IsString(topic) && !contains(now, topic->valuestring))
			clear_device(core, topic->valuestring);
}

/* Compares the list with the stored one: the last start may have had another rig. */
static void update_stored(struct core *core)
{
	char before[LIST_MAX];
	cJSON *now = list_topics(core), *then;
	char *text = json_text(now);

	store_text(core->store, "devices", before, sizeof(before));
	if (strcmp(before, text) != 0) {
		then = cJSON_Parse(before);
		clear_removed(core, then, now);
		cJSON_Delete(then);
		store_set_text(core->store, "devices", text);
	}
	free(text);
	cJSON_Delete(now);
}

void devices_open(struct core *core)
{
	const struct core_options *options = &core->options;

	for (size_t i = 0; i < options->device_count; i++)
		add_device(core, options->devices[i].kind, options->devices[i].name);
	snprintf(core->backend, sizeof(core->backend), "%s", options->backend);
	update_stored(core);
}

static void add_named(struct core *core, const cJSON *device)
{
	const char *kind_name = json_string(device, "kind");

	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++)
		if (!strcmp(device_kind_name(kind), kind_name))
			add_device(core, kind, json_string(device, "name"));
}

/* No task held a device while the rig was reloaded; pending ones need the new bits. */
static void update_claims(struct core *core)
{
	for (size_t i = 0; i < core->scheduler.count; i++) {
		struct task *task = core->scheduler.live[i];

		task->claim = task->type ? core_devices(core, task->type->type->uses) : 0;
	}
}

void devices_reload(struct core *core, const cJSON *rig)
{
	const cJSON *device, *problem;

	devices_close(core);
	cJSON_ArrayForEach(device, cJSON_GetObjectItemCaseSensitive(rig, "devices"))
		add_named(core, device);
	snprintf(core->backend, sizeof(core->backend), "%s", json_string(rig, "backend"));
	cJSON_ArrayForEach(problem, cJSON_GetObjectItemCaseSensitive(rig, "problems"))
		core_problem(core, "%s", problem->valuestring);
	update_stored(core);
	update_claims(core);
	core->options.settings.use_config(core->options.settings.context);
	homeassistant_publish(core);
	status_publish_info(core);
	status_publish_settings(core);
}
