/* Runs one move on the motion thread and watches the endstops between its pulses. */
#include "hal/move.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"

#define ENDSTOP_TOLERANCE 2.0 /* degrees between an endstop and where it was met */

/* On the stack of move_run(); the motion thread uses it until the move has ended. */
struct move {
	struct operation op;
	struct axis_move *parts;
	size_t n;
	struct motion_axis axes[POSITION_AXES];
	struct err *err;
};

static enum motion_request move_request(void *context)
{
	const struct move *move = context;
	int ret = operation_check(&move->op);

	if (ret == -ECANCELED)
		return MOTION_STOP;
	return ret == -EINTR ? MOTION_REST : MOTION_RUN;
}

static int axis_move_sign(const struct axis_move *part)
{
	return part->goal < position_count(part->motor->position) ? -1 : 1;
}

static void move_notify(void *context)
{
	const struct move *move = context;

	for (size_t i = 0; i < move->n; i++)
		rig_context_notify(move->op.ctx, DEVICE_MOTOR,
				   move->parts[i].motor->name);
}

/* An axis that meets its endstop at another angle has lost steps.  An endless axis passes
 * its endstop with every turn. */
static int axis_move_check_angle(struct move *move, struct axis_move *part, bool upwards)
{
	struct motor *motor = part->motor;
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

static int axis_move_watch(struct move *move, struct axis_move *part, bool upwards)
{
	int pressed;

	if (!part->motor->endstop)
		return MOTION_GO;
	pressed = endstop_pressed(part->motor->endstop, move->err);
	if (pressed < 0)
		return pressed;
	if (part->until == MOVE_GOAL)
		return pressed ? axis_move_check_angle(move, part, upwards) : MOTION_GO;
	if (part->met || pressed == (part->until == MOVE_RELEASED))
		return MOTION_GO;
	part->met = true;
	return part->until == MOVE_EDGE ? MOTION_HALT : MOTION_BRAKE;
}

/* An edge since the last pulse ends this axis' part without another pulse. */
static int axis_move_hold(struct move *move, struct axis_move *part, bool upwards)
{
	int answer = part->until == MOVE_EDGE ? axis_move_watch(move, part, upwards)
					      : MOTION_GO;

	return answer == MOTION_HALT ? MOTION_HELD : answer;
}

static int move_pulse(void *context, size_t i, int64_t *sent_ns)
{
	struct move *move = context;
	const struct rig_context *ctx = move->op.ctx;
	struct axis_move *part = &move->parts[i];
	struct motor *motor = part->motor;
	int sign = axis_move_sign(part);
	int ret = axis_move_hold(move, part, sign > 0);

	if (ret != MOTION_GO)
		return ret;
	position_begin_step(motor->position, sign);
	ret = ctx->backend->motors->step(ctx->hardware, motor->index, sent_ns);
	if (ret < 0) {
		position_forget(motor->position);
		return err_code(move->err, ret, "hardware_fault",
				"%s cannot be stepped: %s", motor->name, strerror(-ret));
	}
	position_end_step(motor->position);
	return axis_move_watch(move, part, sign > 0);
}

static int axis_move_prepare(struct rig_context *ctx, struct axis_move *part,
			     struct err *err)
{
	struct motor *motor = part->motor;
	bool upwards = axis_move_sign(part) > 0;
	int ret = ctx->backend->motors->direction(ctx->hardware, motor->index,
						  upwards == motor->forward);

	if (ret < 0)
		return err_code(err, ret, "hardware_fault", "%s cannot be switched: %s",
				motor->name, strerror(-ret));
	return 0;
}

static struct motion_axis axis_move_axis(const struct axis_move *part)
{
	const struct motor *motor = part->motor;
	struct motion_axis axis = {
		.limits = motor->limits,
		.steps = llabs(part->goal - position_count(motor->position)),
	};

	if (part->speed > 0)
		axis.limits.max_speed = fmin(part->speed, motor->limits.max_speed);
	return axis;
}

/* Marks every axis as moving or not.  A write failure is only logged: the counts in
 * memory stay valid. */
static void move_mark(struct position_file *positions, struct axis_move *parts, size_t n,
		      bool moving)
{
	for (size_t i = 0; i < n; i++)
		if (position_moving(positions, parts[i].motor->position, moving) < 0)
			log_warn("the position of %s could not be written to the disk",
				 parts[i].motor->name);
}

/* Hands the move to the motion thread and waits for its end. */
static int move_execute(struct move *move)
{
	struct motion_thread *thread = move->op.ctx->motion_thread;
	struct motion_move motion = {
		.axes = move->axes,
		.n = move->n,
		.request = move_request,
		.pulse = move_pulse,
		.context = move,
	};
	int ret;

	motion_thread_pin(thread, move, sizeof(*move));
	motion_thread_pin(thread, move->parts, move->n * sizeof(*move->parts));
	ret = motion_thread_run(thread, &motion, move_notify, move);
	motion_thread_unpin(thread, move->parts, move->n * sizeof(*move->parts));
	motion_thread_unpin(thread, move, sizeof(*move));
	return ret;
}

int move_run(const struct operation *op, struct position_file *positions,
	     struct axis_move *parts, size_t n, struct err *err)
{
	struct move move = {
		.op = *op,
		.parts = parts,
		.n = n,
		.err = err,
	};
	int ret;

	for (size_t i = 0; i < n; i++) {
		ret = axis_move_prepare(op->ctx, &parts[i], err);
		if (ret < 0)
			return ret;
		parts[i].met = false;
		move.axes[i] = axis_move_axis(&parts[i]);
	}

	move_mark(positions, parts, n, true);
	ret = move_execute(&move);
	move_mark(positions, parts, n, false);
	move_notify(&move);
	return ret;
}
