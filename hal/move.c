#include "hal/move.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"

#define ENDSTOP_TOLERANCE 2.0 /* degrees between an endstop and where it was met */

/* Lives on the stack of who asked for it; the motion thread uses it until it has ended.
 */
struct move {
	struct operation op;
	struct move_leg *legs;
	size_t n;
	struct motion_axis axes[POSITION_AXES];
	struct err *err;
};

static enum motion_wish move_wish(void *context)
{
	const struct move *move = context;
	int ret = operation_check(&move->op);

	if (ret == -ECANCELED)
		return MOTION_STOP;
	return ret == -EINTR ? MOTION_REST : MOTION_RUN;
}

static int leg_sign(const struct move_leg *leg)
{
	return leg->goal < position_count(leg->motor->position) ? -1 : 1;
}

static void move_tell(void *context)
{
	const struct move *move = context;

	for (size_t i = 0; i < move->n; i++)
		rig_context_notify(move->op.ctx, DEVICE_MOTOR, move->legs[i].motor->name);
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

/* An edge that came since the last pulse ends the leg without another one. */
static int leg_hold(struct move *move, struct move_leg *leg, bool upwards)
{
	int answer = leg->until == MOVE_EDGE ? leg_watch(move, leg, upwards) : MOTION_GO;

	return answer == MOTION_HALT ? MOTION_HELD : answer;
}

static int move_pulse(void *context, size_t i, int64_t *sent_ns)
{
	struct move *move = context;
	const struct rig_context *ctx = move->op.ctx;
	struct move_leg *leg = &move->legs[i];
	struct motor *motor = leg->motor;
	int sign = leg_sign(leg);
	int ret = leg_hold(move, leg, sign > 0);

	if (ret != MOTION_GO)
		return ret;
	position_send(motor->position, sign);
	ret = ctx->backend->motors->step(ctx->hardware, motor->index, sent_ns);
	if (ret < 0) {
		position_forget(motor->position);
		return err_code(move->err, ret, "hardware_fault",
				"%s cannot be stepped: %s", motor->name, strerror(-ret));
	}
	position_sent(motor->position);
	return leg_watch(move, leg, sign > 0);
}

static int leg_prepare(struct rig_context *ctx, struct move_leg *leg, struct err *err)
{
	struct motor *motor = leg->motor;
	bool upwards = leg_sign(leg) > 0;
	int ret = ctx->backend->motors->direction(ctx->hardware, motor->index,
						  upwards == motor->forward);

	if (ret < 0)
		return err_code(err, ret, "hardware_fault", "%s cannot be switched: %s",
				motor->name, strerror(-ret));
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

/* Hands the move to the motion thread and waits for its end. */
static int move_carry_out(struct move *move)
{
	struct motion_thread *thread = move->op.ctx->motion_thread;
	struct motion_move motion = {
		.axes = move->axes,
		.n = move->n,
		.wish = move_wish,
		.pulse = move_pulse,
		.context = move,
	};
	int ret;

	motion_thread_pin(thread, move, sizeof(*move));
	motion_thread_pin(thread, move->legs, move->n * sizeof(*move->legs));
	ret = motion_thread_run(thread, &motion, move_tell, move);
	motion_thread_unpin(thread, move->legs, move->n * sizeof(*move->legs));
	motion_thread_unpin(thread, move, sizeof(*move));
	return ret;
}

int move_run(const struct operation *op, struct position_file *positions,
	     struct move_leg *legs, size_t n, struct err *err)
{
	struct move move = {
		.op = *op,
		.legs = legs,
		.n = n,
		.err = err,
	};
	int ret;

	for (size_t i = 0; i < n; i++) {
		ret = leg_prepare(op->ctx, &legs[i], err);
		if (ret < 0)
			return ret;
		legs[i].met = false;
		move.axes[i] = leg_axis(&legs[i]);
	}

	move_mark(positions, legs, n, true);
	ret = move_carry_out(&move);
	move_mark(positions, legs, n, false);
	move_tell(&move);
	return ret;
}
