/* The verb of the noun trigger. */
#include "agent/commands/device.h"
#include "agent/commands/tables.h"

#include "agent/base/json.h"
#include "tasks/services.h"

static void trigger_decide(struct core *core, struct response *response)
{
	device_start_unless_estopped(core, response, DEVICE_TRIGGER);
}

static int trigger_fire(const struct work *work, const cJSON *body, cJSON **data,
			struct err *err)
{
	struct rig *rig = work->services->rig;
	int trigger = rig_find(rig, DEVICE_TRIGGER, json_string(body, "name"), err);
	int ret;

	if (trigger < 0)
		return trigger;
	ret = rig_trigger(rig, rig_name(rig, DEVICE_TRIGGER, (size_t)trigger),
			  (int64_t)json_number(body, "pre_ms", 0),
			  (int64_t)json_number(body, "post_ms", 0), work->cancel, err);
	if (ret == 0)
		*data = rig_state(rig, DEVICE_TRIGGER, (size_t)trigger);
	return ret;
}

const struct verb trigger_verbs[] = {
	{
		.name = "trigger/fire",
		.flags = VERB_WRITES | VERB_FRESH,
		.schema = SCHEMA_OBJECT(
			SCHEMA_NAME
			",\"pre_ms\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":600000},"
			"\"post_ms\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":600000}"),
		.decide = trigger_decide,
		.work = trigger_fire,
	},
	{.name = NULL},
};
