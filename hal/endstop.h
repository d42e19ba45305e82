/* An endstop: a switch that an axis presses at one known angle. */
#ifndef HAL_ENDSTOP_H
#define HAL_ENDSTOP_H

#include <stdatomic.h>

#include "hal/rig_context.h"

struct endstop {
	struct rig_context *ctx;
	size_t index;
	char name[DEVICE_NAME];
	char motor[DEVICE_NAME];
	double angle; /* where it is pressed */
	const bool
		*in_use; /* ctx->lock: whether its motor is claimed; NULL: it has none */
	atomic_int last_level; /* what endstop_pressed() last returned */
};

/* Reads `item`, a member of the config's endstops. */
int endstop_open(struct endstop *endstop, struct rig_context *ctx, size_t index,
		 const cJSON *item, struct err *err);

/* 1 while pressed, 0, or a negative errno with "hardware_fault".  Takes edges out of a
 * queue, so only the caller that has claimed the endstop's motor may call it. */
int endstop_pressed(struct endstop *endstop, struct err *err);

/* {name, motor, pressed}; pressed is null when it cannot be read.  While its motor is
 * claimed, the last reading is shown.  Any thread. */
cJSON *endstop_state(struct endstop *endstop);

#endif
