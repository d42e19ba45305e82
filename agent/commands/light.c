/* The verbs of the noun light. */
#include "agent/commands/device.h"
#include "agent/commands/tables.h"

#include <string.h>

#include "agent/base/json.h"
#include "tasks/services.h"

static void light_set_decide(struct core *core, struct response *response)
{
	const cJSON *body = response->command->body;

	if (cJSON_HasObjectItem(body, "state") || cJSON_HasObjectItem(body, "brightness"))
		device_start(core, response, DEVICE_LIGHT);
	else
		response_refuse(response, "bad_request",
				"light/set needs state or brightness");
}

static int light_set(const struct work *work, const cJSON *body, cJSON **data,
		     struct err *err)
{
	struct rig *rig = work->services->rig;
	int ret = rig_json_light(rig, body, err);

	if (ret == 0)
		*data = rig_json_state(rig, DEVICE_LIGHT, json_string(body, "name"));
	return ret;
}

static void light_toggle_decide(struct core *core, struct response *response)
{
	device_start(core, response, DEVICE_LIGHT);
}

static int toggle_one(struct rig *rig, const char *name, struct err *err)
{
	struct rig_light light;
	int ret = rig_light_get(rig, name, &light, err);

	return ret < 0 ? ret : rig_light_set(rig, name, !light.on, -1, err);
}

static int light_toggle(const struct work *work, const cJSON *body, cJSON **data,
			struct err *err)
{
	struct rig *rig = work->services->rig;
	const char *name = json_string(body, "name");

	for (size_t i = 0; i < rig_count(rig, DEVICE_LIGHT); i++) {
		const char *light = rig_name(rig, DEVICE_LIGHT, i);
		int ret;

		if (name && strcmp(name, light) != 0)
			continue;
		ret = toggle_one(rig, light, err);
		if (ret < 0)
			return ret;
	}
	*data = rig_json_state(rig, DEVICE_LIGHT, name);
	return 0;
}

const struct verb light_verbs[] = {
	{
		.name = "light/set",
		.flags = VERB_WRITES | VERB_FRESH | VERB_QUEUEABLE,
		.short_form = SHORT_LIGHT,
		.schema = SCHEMA_OBJECT(
			SCHEMA_NAME
			",\"state\":{\"enum\":[\"ON\",\"OFF\"]},"
			"\"brightness\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":100}"),
		.decide = light_set_decide,
		.work = light_set,
	},
	{
		.name = "light/toggle",
		.flags = VERB_WRITES | VERB_FRESH | VERB_QUEUEABLE,
		.schema = SCHEMA_OBJECT(SCHEMA_NAME),
		.decide = light_toggle_decide,
		.work = light_toggle,
	},
	{.name = NULL},
};
