/* A trigger: a line that makes an external camera take a photo. */
#ifndef HAL_TRIGGER_H
#define HAL_TRIGGER_H

#include "hal/rig_context.h"

#define TRIGGER_MAX_DELAY_MS 600000

struct trigger {
	struct rig_context *ctx;
	size_t index;
	char name[DEVICE_NAME];
	bool enabled;
	int64_t pulse_ms;

	bool busy;	     /* ctx->lock */
	int64_t fired_at_ms; /* wall clock, 0 for never; ctx->lock */
};

/* Reads `item`, a member of the config's triggers; the line is idle. */
int trigger_open(struct trigger *trigger, struct rig_context *ctx, size_t index,
		 const cJSON *item, struct err *err);

/* As rig_trigger().  A cancel before the pulse gives -EINTR, and nothing was fired;
 * one that comes later lets the pulse end, skips the rest of the wait and is no error:
 * the photo is taken, and firing again would take another. */
int trigger_fire(struct trigger *trigger, int64_t pre_ms, int64_t post_ms,
		 struct cancel *cancel, struct err *err);

bool trigger_busy(struct trigger *trigger);

/* {name, busy, fired_at}. */
cJSON *trigger_state(struct trigger *trigger);

#endif
