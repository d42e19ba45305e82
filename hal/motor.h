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
	double homing_speed; /* steps/s, 0: what the limits allow */
	int32_t steps_per_turn;
	bool forward; /* does the angle grow with the direction line high? */
	bool endless; /* 0..360 without an end */
	double min, max, home;
	struct endstop *endstop; /* NULL: has none */
	struct position *position;

	/* ctx->lock */
	bool busy, enabled;
	bool has_target;
	double target; /* degrees */
};

/* Reads the member item of the config's motors and finds its position; positions NULL:
 * only reads it. */
int motor_open(struct motor *motor, struct rig_context *ctx, size_t index,
	       const cJSON *item, struct position_file *positions, struct err *err);

/* Gives it its endstop.  Before any move. */
void motor_attach(struct motor *motor, struct endstop *endstop);

/* Takes the motor for a move or fails with "device_busy", and gives it back; both tell
 * the rig's owner. */
int motor_claim(struct motor *motor, struct err *err);
void motor_release(struct motor *motor);
bool motor_busy(struct motor *motor);

/* What the state shows as target while it moves. */
void motor_aim(struct motor *motor, bool has_target, double target);

/* Degrees from counts; of an endless axis 0..360. */
double motor_angle(const struct motor *motor, int64_t count);
int64_t motor_steps(const struct motor *motor, double degrees);

/* Is target within the limits?  A relative one is judged from where the axis stands, if
 * that is known. */
int motor_check(const struct motor *motor, const struct rig_target *target,
		struct err *err);

/* The count that target means from where the axis stands, checked.  An endless axis goes
 * the shorter way to an angle, and the way it was told when relative. */
int motor_goal(const struct motor *motor, const struct rig_target *target, int64_t *goal,
	       struct err *err);

/* Does it have to home before it can go to an angle? */
bool motor_lost(const struct motor *motor);

/* Does the angle grow towards the endstop? */
bool motor_endstop_above(const struct motor *motor);

/* {name, angle, target, busy, position, calibrated, uncertainty, enabled, min, max}. */
cJSON *motor_state(struct motor *motor);

#endif
