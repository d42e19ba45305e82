#include "hal/move.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"

#define TELL_EVERY_MS 250     /* real time between two published angles of a move */
#define TELL_EVERY_PULSES 64  /* the clock is asked no more often than this */
#define ENDSTOP_TOLERANCE 2.0 /* degrees between an endstop and where it was met */

struct move {
	struct chassis *chassis;
	struct move_leg *legs;
	size_t n;
	struct chassis_leash leash;
	bool resting; /* told to brake: its interrupt no longer wakes */
	unsigned pulses;
	int64_t told_ms;
	struct err *err;
};

static int64_t move_now(void *context)
{
	struct move *move = context;

	return move->chassis->backend->now(move->chassis->hardware);
}

static int64_t move_wait_until(void *context, int64_t due_ns)
{
	struct move *move = context;
	struct interrupt *interrupt = move->resting ? NULL : move->leash.interrupt;

	return move->chassis->backend->wait_until(move->chassis->hardware, due_ns, interrupt);
}

static enum motion_wish move_wish(void *context)
{
	struct move *move = context;
	int ret = chassis_wanted(move->chassis, &move->leash);

	if (ret == -ECANCELED)
		return MOTION_STOP;
	if (ret == -EINTR)
		move->resting = true;
	return move->resting ? MOTION_REST : MOTION_RUN;
}

static int leg_sign(const struct move_leg *leg)
{
	return leg->goal < position_count(leg->motor->position) ? -1 : 1;
}

static void move_tell(struct move *move)
{
	for (size_t i = 0; i < move->n; i++)
		chassis_changed(move->chassis, DEVICE_MOTOR, move->legs[i].motor->name);
}

static void move_tell_sometimes(struct move *move)
{
	int64_t now;

	if (++move->pulses % TELL_EVERY_PULSES != 0)
		return;
	now = clock_monotonic_ms();
	if (now - move->told_ms < TELL_EVERY_MS)
		return;
	move->told_ms = now;
	move_tell(move);
}

/* An axis that meets its endstop where there should be none has lost steps.  An endless
 * one passes it with every turn. */
static int leg_meet(struct move *move, struct move_leg *leg, bool upwards)
{
	struct motor *motor = leg->motor;
	double angle = motor_angle(motor, position_count(motor->position));

	if (motor->endless || upwards != motor_endstop_above(motor) ||
	    fabs(angle - motor->endstop->angle) <= ENDSTOP_TOLERANCE)
		return MOTION_GO;
	position_forget(motor->position);
	return err_code(move->err, -EIO, "hardware_fault",
			"%s met its endstop at %.1f degrees instead of %.1f: it has lost "
			"steps and must home",
			motor->name, angle, motor->endstop->angle);
}

static int leg_watch(struct move *move, struct move_leg *leg, bool upwards)
{
	int pressed;

	if (!leg->motor->endstop)
		return MOTION_GO;
	pressed = endstop_pressed(leg->motor->endstop, move->err);
	if (pressed < 0)
		return pressed;
	if (leg->until == MOVE_GOAL)
		return pressed ? leg_meet(move, leg, upwards) : MOTION_GO;
	if (leg->met || pressed == (leg->until == MOVE_RELEASED))
		return MOTION_GO;
	leg->met = true;
	return leg->until == MOVE_EDGE ? MOTION_HALT : MOTION_BRAKE;
}

static int move_pulse(void *context, size_t i)
{
	struct move *move = context;
	struct move_leg *leg = &move->legs[i];
	struct motor *motor = leg->motor;
	int sign = leg_sign(leg);
	int ret;

	position_write(motor->position, position_count(motor->position) + sign);
	ret = move->chassis->backend->step(move->chassis->hardware, motor->index);
	if (ret < 0) {
		position_forget(motor->position);
		return err_code(move->err, ret, "hardware_fault",
				"%s cannot be stepped: %s", motor->name, strerror(-ret));
	}
	move_tell_sometimes(move);
	return leg_watch(move, leg, sign > 0);
}

static int leg_prepare(struct chassis *chassis, struct move_leg *leg, struct err *err)
{
	struct motor *motor = leg->motor;
	bool upwards = leg_sign(leg) > 0;
	int ret = chassis->backend->enable(chassis->hardware, motor->index, true);

	if (ret == 0)
		ret = chassis->backend->direction(chassis->hardware, motor->index,
					       upwards == motor->forward);
	if (ret < 0)
		return err_code(err, ret, "hardware_fault", "%s cannot be switched: %s",
				motor->name, strerror(-ret));
	pthread_mutex_lock(&chassis->lock);
	motor->enabled = true;
	pthread_mutex_unlock(&chassis->lock);
	return 0;
}

static struct motion_axis leg_axis(const struct move_leg *leg)
{
	const struct motor *motor = leg->motor;
	struct motion_axis axis = {
		.limits = motor->limits,
		.steps = llabs(leg->goal - position_count(motor->position)),
	};

	if (leg->speed > 0)
		axis.limits.max_speed = fmin(leg->speed, motor->limits.max_speed);
	return axis;
}

/* Marks all legs; a disk that refuses is named, for the counts in memory go on. */
static void move_mark(struct position_file *positions, struct move_leg *legs, size_t n,
		      bool moving)
{
	for (size_t i = 0; i < n; i++)
		if (position_moving(positions, legs[i].motor->position, moving) < 0)
			log_warn("the position of %s could not be written to the disk",
				 legs[i].motor->name);
}

int move_run(struct chassis *chassis, struct position_file *positions, struct move_leg *legs,
	     size_t n, const struct chassis_leash *leash, struct err *err)
{
	struct move move = {
		.chassis = chassis,
		.legs = legs,
		.n = n,
		.leash = *leash,
		.told_ms = clock_monotonic_ms(),
		.err = err,
	};
	struct motion_host host = {
		.now = move_now,
		.wait_until = move_wait_until,
		.wish = move_wish,
		.pulse = move_pulse,
		.context = &move,
	};
	struct motion_axis axes[POSITION_AXES];
	int ret;

	for (size_t i = 0; i < n; i++) {
		ret = leg_prepare(chassis, &legs[i], err);
		if (ret < 0)
			return ret;
		legs[i].met = false;
		axes[i] = leg_axis(&legs[i]);
	}

	move_mark(positions, legs, n, true);
	ret = motion_run(axes, n, &host);
	move_mark(positions, legs, n, false);
	move_tell(&move);
	return ret;
}
