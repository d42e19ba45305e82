/* Homes one axis at its endstop, in four moves. */
#include "hal/homing.h"

#include <errno.h>
#include <math.h>

#define SEEK_SHARE 4	 /* the endstop is sought at 1/SEEK_SHARE of the full speed */
#define CLEARANCE 2.0	 /* degrees that it backs off before it comes back slowly */
#define STOPPING 1.0	 /* degrees within which it must stop behind the endstop */
#define STUCK_AFTER 30.0 /* degrees within which a pressed endstop must be released */
#define MARGIN 15.0	 /* degrees by which an axis may be beyond its limits */

struct homing {
	const struct operation *op;
	struct position_file *positions;
	struct motor *motor;
	struct err *err;
};

/* Moves by `degrees` towards the endstop (negative: away from it) until the event. */
static int homing_go(const struct homing *homing, double degrees, double speed,
		     enum move_until until, bool *met)
{
	struct motor *motor = homing->motor;
	double sign = motor_endstop_above(motor) ? 1 : -1;
	struct axis_move part = {
		.motor = motor,
		.goal = position_count(motor->position) +
			motor_steps(motor, sign * degrees),
		.speed = speed,
		.until = until,
	};
	int ret = move_run(homing->op, homing->positions, &part, 1, homing->err);

	*met = part.met;
	return ret;
}

static int homing_fail(const struct homing *homing, const char *what)
{
	position_forget(homing->motor->position);
	return err_code(homing->err, -EIO, "hardware_fault",
			"%s %s: check the endstop %s and its wiring", homing->motor->name,
			what, homing->motor->endstop->name);
}

/* The longest way that the axis can have to its endstop. */
static double homing_travel(const struct motor *motor)
{
	double far = motor_endstop_above(motor) ? motor->min : motor->max;

	return fabs(motor->endstop->angle - far) + MARGIN;
}

static int homing_leave(const struct homing *homing, double speed)
{
	bool met;
	int ret = endstop_pressed(homing->motor->endstop, homing->err);

	if (ret <= 0)
		return ret;
	ret = homing_go(homing, -STUCK_AFTER, speed, MOVE_RELEASED, &met);
	if (ret == 0 && !met)
		return homing_fail(homing, "does not get away from its endstop");
	return ret;
}

static int homing_seek(const struct homing *homing, double degrees, double speed,
		       enum move_until until)
{
	bool met;
	int ret = homing_go(homing, degrees, speed, until, &met);

	if (ret == 0 && !met)
		return homing_fail(homing, "does not meet its endstop");
	return ret;
}

static int homing_back_off(const struct homing *homing, double speed)
{
	bool met;
	int ret = homing_leave(homing, speed);

	if (ret == 0)
		ret = homing_go(homing, -CLEARANCE, speed, MOVE_GOAL, &met);
	return ret;
}

/* Fast enough not to bore, slow enough to stop soon behind the switch. */
static double homing_speed(const struct motor *motor)
{
	double stopping = STOPPING * motor->steps_per_turn / 360;

	if (motor->homing_speed > 0)
		return fmin(motor->homing_speed, motor->limits.max_speed);
	return fmin(motor->limits.max_speed / SEEK_SHARE,
		    sqrt(2 * motor->limits.acceleration * stopping));
}

int homing_run(const struct operation *op, struct position_file *positions,
	       struct motor *motor, struct err *err)
{
	const struct homing homing = {
		.op = op,
		.positions = positions,
		.motor = motor,
		.err = err,
	};
	double quick = homing_speed(motor);
	double slow = fmin(quick, sqrt(2 * motor->limits.acceleration));
	int ret = homing_leave(&homing, quick);

	if (ret == 0)
		ret = homing_seek(&homing, homing_travel(motor), quick, MOVE_PRESSED);
	if (ret == 0)
		ret = homing_back_off(&homing, quick);
	if (ret == 0)
		ret = homing_seek(&homing, 3 * CLEARANCE, slow, MOVE_EDGE);
	if (ret < 0)
		return ret;

	position_declare(motor->position, motor_steps(motor, motor->endstop->angle),
			 true);
	return 0;
}
