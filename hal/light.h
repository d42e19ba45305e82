/* A light: on or off, with a brightness that it keeps while off. */
#ifndef HAL_LIGHT_H
#define HAL_LIGHT_H

#include "hal/core.h"

struct light {
	struct core *core;
	size_t index;
	char name[CORE_NAME];
	struct rig_light level; /* core's lock */
};

/* Reads the member item of the config's lights; the light is off. */
int light_open(struct light *light, struct core *core, size_t index, const cJSON *item,
	       struct err *err);

/* As rig_light_set(). */
int light_set(struct light *light, bool on, int brightness, struct err *err);
struct rig_light light_get(struct light *light);

/* {name, state, brightness}. */
cJSON *light_state(struct light *light);

#endif
