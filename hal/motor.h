/* A motor: one axis of the rig, in degrees for people and in steps for the hardware. */
#ifndef HAL_MOTOR_H
#define HAL_MOTOR_H

#include "hal/rig_context.h"
#include "hal/endstop.h"
#include "hal/motion.h"
#include "hal/position.h"

struct motor {
	struct rig_context *ctx;
	size_t index;
	char name[DEVICE_NAME];
	struct motion_limits limits;
	double homing_speed; /* steps/s, 0: derived from the limits */
	int32_t steps_per_turn;
	bool forward; /* the angle grows while the direction line is high */
	bool endless; /* 0..360, without limits */
	double min, max, home;
	struct endstop *endstop; /* NULL: it has none */
	struct position *position;

	/* ctx->lock */
	bool busy, enabled;
	bool has_target;
	double target; /* degrees */
};

/* Reads `item`, a member of the config's motors, and finds its position; with positions
 * NULL it only reads the config. */
int motor_open(struct motor *motor, struct rig_context *ctx, size_t index,
	       const cJSON *item, struct position_file *positions, struct err *err);

/* Assigns the endstop of the axis.  Before any move. */
void motor_attach(struct motor *motor, struct endstop *endstop);

/* Claims the motor for a move or fails with "device_busy"; releases it.  Both call the
 * change callback. */
int motor_claim(struct motor *motor, struct err *err);
void motor_release(struct motor *motor);
bool motor_busy(struct motor *motor);

/* Sets what the state shows as target while the motor moves. */
void motor_set_target(struct motor *motor, bool has_target, double target);

/* Degrees from counts, 0..360 for an endless axis, and back. */
double motor_angle(const struct motor *motor, int64_t count);
int64_t motor_steps(const struct motor *motor, double degrees);

/* Checks that target is within the limits.  A relative one is checked from the current
 * angle, if that is known. */
int motor_check(const struct motor *motor, const struct rig_target *target,
		struct err *err);

/* The count that target means from the current one, checked.  An endless axis takes the
 * shorter way to an angle; a relative target keeps its direction. */
int motor_goal(const struct motor *motor, const struct rig_target *target, int64_t *goal,
	       struct err *err);

/* Whether it must home before it can go to an angle. */
bool motor_lost(const struct motor *motor);

/* Whether the angle grows towards the endstop. */
bool motor_endstop_above(const struct motor *motor);

/* {name, angle, target, busy, position, calibrated, uncertainty, enabled, min, max}. */
cJSON *motor_state(struct motor *motor);

#endif
