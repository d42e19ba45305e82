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

/* Reads the member item of the config's lights; the light is off. */
int light_open(struct light *light, struct rig_context *ctx, size_t index,
	       const cJSON *item, struct err *err);

/* As rig_light_set(). */
int light_set(struct light *light, bool on, int brightness, struct err *err);
struct rig_light light_get(struct light *light);

/* Puts the lines to what the level says while the rig is awake, and off otherwise.  The
 * caller holds the lock. */
int light_show(struct light *light, bool awake, struct err *err);

/* {name, state, brightness}; a light of a rig that sleeps is off. */
cJSON *light_state(struct light *light);

#endif
