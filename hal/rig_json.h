/* Rig calls whose arguments are a JSON object: the body of a command, or the request of a
 * community program, which no schema has checked. */
#ifndef HAL_RIG_JSON_H
#define HAL_RIG_JSON_H

#include "hal/rig.h"

/* {"name", "degrees", "relative"}: target->motor is the rig's string.  Without a name the
 * rig must have one motor only. */
int rig_json_target(const struct rig *rig, const cJSON *object, struct rig_target *target,
		    struct err *err);

/* {"name", "state": "ON" or "OFF", "brightness": 0 to 100}: switches the light, or all
 * lights without a name.  Without a state a brightness of 0 means off. */
int rig_json_light(struct rig *rig, const cJSON *object, struct err *err);

/* The state of the named device, or {"motors": [states]} of all of the kind when there
 * are several and none is named; the caller deletes it. */
cJSON *rig_json_state(struct rig *rig, enum device_kind kind, const char *name);

#endif
