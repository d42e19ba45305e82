/* The parts of a rig, shared by rig.c, rig_motion.c, rig_open.c and rig_power.c only. */
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
	size_t counts[DEVICE_KINDS]; /* of open devices */
	double scan_radius_mm;
	enum calibrate_mode calibrate_mode;
	int64_t rest_ms; /* real time without motion until the rig sleeps, 0: never */
	cJSON *problems;
	unsigned kept_awake; /* ctx->lock: how many callers keep it awake */
};

/* As rig_open(), with this backend instead of the config's; it must outlive the rig. */
int rig_open_with(struct rig **out, const struct backend *backend, const cJSON *config,
		  const struct rig_options *options, struct err *err);

/* The motor of this name, or NULL. */
struct motor *rig_motor(const struct rig *rig, const char *name);

/* ---- rig_power.c ---- */

/* Switches on all motors' current, and the lights that are set to on.  Does nothing if
 * the rig is awake. */
int rig_wake(struct rig *rig, struct err *err);

/* Puts the rig to rest: nothing has moved for rest_ms.  On the motion thread. */
void rig_rest(void *context);

/* After a rest the axes may have been turned by hand: the next motion homes them first if
 * the config says so. */
void rig_uncalibrate_axes(struct rig *rig);

#endif
