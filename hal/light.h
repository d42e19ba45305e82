/* A light: on or off, with a brightness that it keeps while off. */
#ifndef HAL_LIGHT_H
#define HAL_LIGHT_H

#include "hal/rig_context.h"

struct light {
	struct rig_context *ctx;
	size_t index;
	char name[DEVICE_NAME];
	struct rig_light level; /* ctx->lock */
};

/* Reads `item`, a member of the config's lights; the light is off. */
int light_open(struct light *light, struct rig_context *ctx, size_t index,
	       const cJSON *item, struct err *err);

/* As rig_light_set(). */
int light_set(struct light *light, bool on, int brightness, struct err *err);
struct rig_light light_get(struct light *light);

/* Sets the lines to the light's level, or off while the rig is not awake.  The caller
 * holds the lock. */
int light_show(struct light *light, bool awake, struct err *err);

/* {name, state, brightness}; OFF while the rig rests. */
cJSON *light_state(struct light *light);

#endif
