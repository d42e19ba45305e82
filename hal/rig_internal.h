/* What a rig is made of.  For rig.c, rig_motion.c, rig_open.c and rig_power.c only. */
#ifndef HAL_RIG_INTERNAL_H
#define HAL_RIG_INTERNAL_H

#include "hal/camera.h"
#include "hal/rig_context.h"
#include "hal/endstop.h"
#include "hal/light.h"
#include "hal/motor.h"
#include "hal/position.h"
#include "hal/rig.h"
#include "hal/trigger.h"

enum calibrate_mode {
	CALIBRATE_MANUAL,
	CALIBRATE_ON_HOME,
	CALIBRATE_ON_SCAN,
	CALIBRATE_ON_WAKE
};

struct rig {
	struct rig_context ctx;
	struct position_file *positions;
	struct motor *motors;
	struct light *lights;
	struct camera *cameras;
	struct endstop *endstops;
	struct trigger *triggers;
	size_t counts[DEVICE_KINDS]; /* of those that are open */
	double scan_radius_mm;
	enum calibrate_mode calibrate_mode;
	int64_t rest_ms; /* real time without motion until the rig sleeps, 0: never */
	cJSON *problems;
	unsigned kept_awake; /* ctx->lock: by so many */
};

/* As rig_open(), with this backend instead of the config's; it must outlive the rig. */
int rig_open_with(struct rig **out, const struct backend *backend, const cJSON *config,
		  const struct rig_options *options, struct err *err);

/* NULL when there is none of that name. */
struct motor *rig_motor(const struct rig *rig, const char *name);

/* ---- rig_power.c ---- */

/* Gives all motors their current and lets the lights burn that shall; nothing to do when
 * the rig is awake. */
int rig_wake(struct rig *rig, struct err *err);

/* Nothing has moved for rest_ms.  On the motion thread. */
void rig_rested(void *context);

/* The axes may have been turned while they had no current: the next motion homes them
 * first, where the config wants that. */
void rig_suspect_axes(struct rig *rig);

#endif
