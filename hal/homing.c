#include "hal/homing.h"

#include <errno.h>
#include <math.h>

#define SEEK_SHARE 4	 /* the endstop is sought at one part of so many of the speed */
#define CLEARANCE 2.0	 /* degrees between the endstop and where it is sought again */
#define STOPPING 1.0	 /* degrees in which it must come to rest behind the endstop */
#define STUCK_AFTER 30.0 /* degrees in which a pressed endstop must let go */
#define MARGIN 15.0	 /* degrees that an axis may stand beyond its limits */

struct home {
	const struct operation *op;
	struct position_file *positions;
	struct motor *motor;
	struct err *err;
};

/* Goes degrees towards the endstop (below 0: away from it) until that happens. */
static int home_go(const struct home *home, double degrees, double speed,
		   enum move_until until, bool *met)
{
	struct motor *motor = home->motor;
	double sign = motor_endstop_above(motor) ? 1 : -1;
	struct move_leg leg = {
		.motor = motor,
		.goal = position_count(motor->position) +
			motor_steps(motor, sign * degrees),
		.speed = speed,
		.until = until,
	};
	int ret = move_run(home->op, home->positions, &leg, 1, home->err);

	*met = leg.met;
	return ret;
}

static int home_fail(const struct home *home, const char *what)
{
	position_forget(home->motor->position);
	return err_code(home->err, -EIO, "hardware_fault",
			"%s %s: check the endstop %s and its wiring", home->motor->name,
			what, home->motor->endstop->name);
}

/* All the way that the axis can have to its endstop. */
static double home_travel(const struct motor *motor)
{
	double far = motor_endstop_above(motor) ? motor->min : motor->max;

	return fabs(motor->endstop->angle - far) + MARGIN;
}

static int home_leave(const struct home *home, double speed)
{
	bool met;
	int ret = endstop_pressed(home->motor->endstop, home->err);

	if (ret <= 0)
		return ret;
	ret = home_go(home, -STUCK_AFTER, speed, MOVE_RELEASED, &met);
	if (ret == 0 && !met)
		return home_fail(home, "does not get away from its endstop");
	return ret;
}

static int home_seek(const struct home *home, double degrees, double speed,
		     enum move_until until)
{
	bool met;
	int ret = home_go(home, degrees, speed, until, &met);

	if (ret == 0 && !met)
		return home_fail(home, "does not meet its endstop");
	return ret;
}

static int home_back_off(const struct home *home, double speed)
{
	bool met;
	int ret = home_leave(home, speed);

	if (ret == 0)
		ret = home_go(home, -CLEARANCE, speed, MOVE_GOAL, &met);
	return ret;
}

/* Fast enough to be bearable, and slow enough to do no harm behind the switch. */
static double home_speed(const struct motor *motor)
{
	double stopping = STOPPING * motor->steps_per_turn / 360;

	if (motor->homing_speed > 0)
		return fmin(motor->homing_speed, motor->limits.max_speed);
	return fmin(motor->limits.max_speed / SEEK_SHARE,
		    sqrt(2 * motor->limits.acceleration * stopping));
}

int home_run(const struct operation *op, struct position_file *positions,
	     struct motor *motor, struct err *err)
{
	const struct home home = {
		.op = op,
		.positions = positions,
		.motor = motor,
		.err = err,
	};
	double quick = home_speed(motor);
	double slow = fmin(quick, sqrt(2 * motor->limits.acceleration));
	int ret = home_leave(&home, quick);

	if (ret == 0)
		ret = home_seek(&home, home_travel(motor), quick, MOVE_PRESSED);
	if (ret == 0)
		ret = home_back_off(&home, quick);
	if (ret == 0)
		ret = home_seek(&home, 3 * CLEARANCE, slow, MOVE_EDGE);
	if (ret < 0)
		return ret;

	position_declare(motor->position, motor_steps(motor, motor->endstop->angle),
			 true);
	return 0;
}
