/* Moves and homes the axes of a rig, and reports their positions. */
#include "hal/rig_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/base/log.h"
#include "hal/homing.h"
#include "hal/move.h"

/* ---- who moves ---- */

/* The motors in the order of the targets. */
static int rig_resolve(const struct rig *rig, const struct rig_target *targets, size_t n,
		       struct motor *motors[POSITION_AXES], struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int found = rig_find(rig, DEVICE_MOTOR, targets[i].motor, err);

		if (found < 0)
			return found;
		for (size_t k = 0; k < i; k++)
			if (motors[k] == &rig->motors[found])
				return err_code(err, -EINVAL, "invalid_args",
						"%s can have only one target",
						motors[k]->name);
		motors[i] = &rig->motors[found];
	}
	return 0;
}

int rig_check_targets(const struct rig *rig, const struct rig_target *targets, size_t n,
		      struct err *err)
{
	struct motor *motors[POSITION_AXES];
	int ret = rig_resolve(rig, targets, n, motors, err);

	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = motor_check(motors[i], &targets[i], err);
	return ret;
}

/* Claims all or none. */
static int rig_claim(struct motor *const *motors, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int ret = motor_claim(motors[i], err);

		if (ret < 0) {
			while (i-- > 0)
				motor_release(motors[i]);
			return ret;
		}
	}
	return 0;
}

/* After a move the axis' endstop may have changed too. */
static void rig_release(struct rig *rig, struct motor *const *motors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		motor_release(motors[i]);
		if (motors[i]->endstop)
			rig_context_notify(&rig->ctx, DEVICE_ENDSTOP,
					   motors[i]->endstop->name);
	}
}

/* Claims motors for a motion and wakes the rig.  Call rig_end_motion() afterwards, unless
 * this failed. */
static int rig_begin_motion(struct rig *rig, struct motor *const *motors, size_t n,
			    struct cancel *cancel, struct operation *op, struct err *err)
{
	int ret = operation_begin(op, &rig->ctx, cancel, err);

	if (ret == 0)
		ret = rig_claim(motors, n, err);
	if (ret < 0)
		return ret;
	ret = rig_wake(rig, err);
	if (ret < 0)
		rig_release(rig, motors, n);
	return ret;
}

/* Releases the motors; ret is the result of the motion and is returned. */
static int rig_end_motion(struct rig *rig, struct motor *const *motors, size_t n,
			  const struct operation *op, int ret, struct err *err)
{
	rig_release(rig, motors, n);
	if (ret != -EINTR && ret != -ECANCELED)
		return ret;
	return operation_explain(op, ret, err, "the move of",
				 n == 1 ? motors[0]->name : "the axes");
}

/* ---- moving ---- */

static int rig_refuse_unknown(const struct motor *motor, struct err *err)
{
	return err_code(err, -ENODATA, "invalid_state",
			"the position of %s is unknown: set it by hand, send "
			"motor/override, then resume",
			motor->name);
}

static int rig_home_motor(struct rig *rig, struct motor *motor,
			  const struct operation *op, struct err *err)
{
	motor_set_target(motor, false, 0);
	return homing_run(op, rig->positions, motor, err);
}

/* Homes the axes that must; nothing moves if one of them cannot. */
static int rig_home_unknown(struct rig *rig, struct motor *const *motors, size_t n,
			    const struct operation *op, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; i < n; i++)
		if (motor_lost(motors[i]) && !motors[i]->endstop)
			return rig_refuse_unknown(motors[i], err);
	for (size_t i = 0; ret == 0 && i < n; i++)
		if (motor_lost(motors[i]))
			ret = rig_home_motor(rig, motors[i], op, err);
	return ret;
}

/* Moves claimed motors whose positions are known. */
static int rig_travel(struct rig *rig, struct motor *const *motors,
		      const struct rig_target *targets, size_t n,
		      const struct operation *op, struct err *err)
{
	struct axis_move parts[POSITION_AXES];

	for (size_t i = 0; i < n; i++) {
		int ret;

		parts[i] = (struct axis_move){.motor = motors[i], .until = MOVE_GOAL};
		ret = motor_goal(motors[i], &targets[i], &parts[i].goal, err);
		if (ret < 0)
			return ret;
		motor_set_target(motors[i], true, motor_angle(motors[i], parts[i].goal));
	}
	return move_run(op, rig->positions, parts, n, err);
}

int rig_move(struct rig *rig, const struct rig_target *targets, size_t n,
	     struct cancel *cancel, struct err *err)
{
	struct motor *motors[POSITION_AXES];
	struct operation op;
	int ret = rig_resolve(rig, targets, n, motors, err);

	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = motor_check(motors[i], &targets[i], err);
	if (ret == 0)
		ret = rig_begin_motion(rig, motors, n, cancel, &op, err);
	if (ret < 0)
		return ret;

	ret = rig_home_unknown(rig, motors, n, &op, err);
	if (ret == 0)
		ret = rig_travel(rig, motors, targets, n, &op, err);
	return rig_end_motion(rig, motors, n, &op, ret, err);
}

double rig_move_seconds(const struct rig *rig, const char *name, double from_degrees,
			double to_degrees)
{
	const struct motor *motor = rig_motor(rig, name);
	double way = to_degrees - from_degrees;

	if (!motor)
		return 0;
	if (motor->endless) {
		way -= 360 * (double)(int64_t)(way / 360);
		if (way > 180)
			way -= 360;
		if (way < -180)
			way += 360;
	}
	return motion_seconds(llabs(motor_steps(motor, way)), &motor->limits);
}

/* ---- going home ---- */

/* Whether going home begins at the endstop. */
static bool rig_must_calibrate(const struct rig *rig, const struct motor *motor)
{
	if (!motor->endstop)
		return false;
	return rig->calibrate_mode != CALIBRATE_ON_HOME || motor_lost(motor) ||
	       !position_calibrated(motor->position);
}

/* Moves all claimed motors that can to their home angle, then names one that cannot. */
static int rig_go_home(struct rig *rig, struct motor *const *motors, size_t n,
		       const struct operation *op, struct err *err)
{
	struct rig_target targets[POSITION_AXES];
	struct motor *able[POSITION_AXES] = {NULL};
	const struct motor *lost = NULL;
	size_t count = 0;
	int ret;

	for (size_t i = 0; i < n; i++) {
		if (motor_lost(motors[i]) && !motors[i]->endstop) {
			lost = motors[i];
			continue;
		}
		if (rig_must_calibrate(rig, motors[i])) {
			ret = rig_home_motor(rig, motors[i], op, err);
			if (ret < 0)
				return ret;
		}
		targets[count] = (struct rig_target){.motor = motors[i]->name,
						     .degrees = motors[i]->home};
		able[count++] = motors[i];
	}
	ret = rig_travel(rig, able, targets, count, op, err);
	return ret == 0 && lost ? rig_refuse_unknown(lost, err) : ret;
}

int rig_home(struct rig *rig, const char *name, struct cancel *cancel, struct err *err)
{
	struct motor *motors[POSITION_AXES] = {NULL};
	size_t n = name ? 1 : rig->counts[DEVICE_MOTOR];
	struct operation op;
	int ret = name ? rig_find(rig, DEVICE_MOTOR, name, err) : 0;

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < n; i++)
		motors[i] = &rig->motors[name ? (size_t)ret : i];
	ret = rig_begin_motion(rig, motors, n, cancel, &op, err);
	if (ret < 0)
		return ret;

	ret = rig_go_home(rig, motors, n, &op, err);
	return rig_end_motion(rig, motors, n, &op, ret, err);
}

void rig_expect_scan(struct rig *rig, bool fresh)
{
	if (rig->calibrate_mode != CALIBRATE_ON_SCAN)
		return;
	for (size_t i = 0; i < rig->counts[DEVICE_MOTOR]; i++) {
		const struct motor *motor = &rig->motors[i];

		if (motor->endstop && (fresh || !position_calibrated(motor->position)))
			position_doubt(motor->position, true);
	}
}

/* ---- the position of an axis ---- */

int rig_override(struct rig *rig, const char *name, double degrees, struct err *err)
{
	struct rig_target target = {.motor = name, .degrees = degrees};
	struct motor *motor;
	int ret = rig_find(rig, DEVICE_MOTOR, name, err);

	if (ret < 0)
		return ret;
	motor = &rig->motors[ret];
	ret = motor_check(motor, &target, err);
	if (ret == 0)
		ret = motor_claim(motor, err);
	if (ret < 0)
		return ret;
	position_declare(motor->position, motor_steps(motor, degrees), false);
	motor_release(motor);
	return 0;
}

void rig_adopt_endless(struct rig *rig)
{
	for (size_t i = 0; i < rig->counts[DEVICE_MOTOR]; i++) {
		struct motor *motor = &rig->motors[i];

		if (!motor->endless || motor->endstop || position_known(motor->position))
			continue;
		log_info("%s is declared to be at %g degrees", motor->name, motor->home);
		position_declare(motor->position, motor_steps(motor, motor->home), false);
		rig_context_notify(&rig->ctx, DEVICE_MOTOR, motor->name);
	}
}

int rig_axis(const struct rig *rig, const char *name, struct rig_axis *axis,
	     struct err *err)
{
	int found = rig_find(rig, DEVICE_MOTOR, name, err);
	struct motor *motor;

	if (found < 0)
		return found;
	motor = &rig->motors[found];
	*axis = (struct rig_axis){
		.known = position_known(motor->position),
		.moving = motor_busy(motor),
		.endstop = motor->endstop != NULL,
		.endless = motor->endless,
		.angle = motor_angle(motor, position_count(motor->position)),
		.min = motor->min,
		.max = motor->max,
		.home = motor->home,
		.steps_per_degree = motor->steps_per_turn / 360.0,
		.max_speed = motor->limits.max_speed,
		.acceleration = motor->limits.acceleration,
	};
	return 0;
}
