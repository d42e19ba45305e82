/* What the devices' nouns share, and device/reload, which swaps the whole rig. */
#include "agent/commands/device.h"

#include <errno.h>

#include "agent/base/json.h"
#include "agent/base/suggest.h"
#include "agent/commands/tables.h"
#include "agent/core/devices.h"
#include "agent/workers/rig_slot.h"

static void unknown_device(const struct core *core, struct response *response,
			   enum device_kind kind, const char *name)
{
	struct suggest suggest;

	suggest_init(&suggest, name);
	for (size_t i = 0; i < core->device_count; i++)
		if (core->devices[i].kind == kind)
			suggest_offer(&suggest, core->devices[i].name);
	response_unknown(response, "not_found", "/name", device_kind_name(kind),
			 &suggest);
}

bool device_named(struct core *core, struct response *response, enum device_kind kind,
		  uint64_t *devices)
{
	const char *name = json_string(response->command->body, "name");

	*devices = core_device(core, kind, name);
	if (*devices)
		return true;
	if (name)
		unknown_device(core, response, kind, name);
	else
		response_refuse(response, "not_found", "this rig has no %s",
				device_kind_name(kind));
	return false;
}

void device_start(struct core *core, struct response *response, enum device_kind kind)
{
	uint64_t devices;

	if (device_named(core, response, kind, &devices))
		pending_start(core, response, devices);
}

void device_start_unless_estopped(struct core *core, struct response *response,
				  enum device_kind kind)
{
	if (core->estop)
		response_refuse(response, "estopped",
				"the emergency stop is latched: send queue/resume first");
	else
		device_start(core, response, kind);
}

/* A worker swaps the rig, with all devices held. */
static void device_reload_decide(struct core *core, struct response *response)
{
	const struct settings_access *access = &core->options.settings;
	cJSON *config;
	struct err err;

	if (!access->read_config) {
		response_refuse(response, "not_supported",
				"this rig cannot be exchanged");
		return;
	}
	if (core->pending) {
		response_refuse(response, "device_busy", "%s is under way",
				core->pending->verb->name);
		response->retry_after_s = 1;
		return;
	}
	if (access->read_config(access->context, &config, &err) < 0) {
		/* Its codes are about payloads, and the config is not one. */
		response_refuse(response,
				err.number == -ENOENT ? "not_found" : "invalid_args",
				"%s", err.text);
		return;
	}
	cJSON_AddItemToObject(response->command->body, "config", config);
	pending_start(core, response, CORE_ALL_DEVICES);
}

static int device_reload(const struct work *work, const cJSON *body, cJSON **data,
			 struct err *err)
{
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(body, "config");
	int ret = rig_slot_swap(work->rig_slot, config, err);

	if (ret == 0)
		*data = rig_slot_describe(work->rig_slot);
	return ret;
}

static void device_reloaded(struct core *core, struct response *response)
{
	devices_reload(core, response->data);
}

const struct verb device_verbs[] = {
	{
		.name = "device/reload",
		.flags = VERB_WRITES | VERB_FRESH,
		.decide = device_reload_decide,
		.work = device_reload,
		.done = device_reloaded,
	},
	{.name = NULL},
};
