/* Reads the arguments of rig calls from JSON. */
#include "hal/rig_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/json.h"

int rig_json_target(const struct rig *rig, const cJSON *object, struct rig_target *target,
		    struct err *err)
{
	const cJSON *degrees = cJSON_GetObjectItemCaseSensitive(object, "degrees");
	int motor = rig_find(rig, DEVICE_MOTOR, json_string(object, "name"), err);

	if (motor < 0)
		return motor;
	if (!cJSON_IsNumber(degrees))
		return err_code(err, -EINVAL, "invalid_args", "move needs degrees");
	*target = (struct rig_target){
		.motor = rig_name(rig, DEVICE_MOTOR, (size_t)motor),
		.degrees = degrees->valuedouble,
		.relative = json_bool(object, "relative", false),
	};
	return 0;
}

int rig_json_light(struct rig *rig, const cJSON *object, struct err *err)
{
	const char *state = json_string(object, "state");
	double brightness = json_number(object, "brightness", -1);
	bool on = state ? !strcmp(state, "ON") : brightness != 0;

	if (state && !on && strcmp(state, "OFF") != 0)
		return err_code(err, -EINVAL, "invalid_args", "state must be ON or OFF");
	if (brightness > 100 || (brightness < 0 && brightness != -1))
		return err_code(err, -EINVAL, "invalid_args",
				"brightness must be 0 to 100");
	return rig_light_set(rig, json_string(object, "name"), on, (int)brightness, err);
}

cJSON *rig_json_state(struct rig *rig, enum device_kind kind, const char *name)
{
	size_t n = rig_count(rig, kind);
	cJSON *all, *list;
	char plural[32];

	for (size_t i = 0; i < n; i++)
		if (n == 1 || (name && !strcmp(rig_name(rig, kind, i), name)))
			return rig_state(rig, kind, i);
	all = cJSON_CreateObject();
	snprintf(plural, sizeof(plural), "%ss", device_kind_name(kind));
	list = cJSON_AddArrayToObject(all, plural);
	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, rig_state(rig, kind, i));
	return all;
}
