/* Reads the config of one axis and converts between degrees and steps. */
#include "hal/motor.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "agent/base/json.h"
#include "hal/device_config.h"

#define TURN 360.0
#define MAX_RELATIVE 36000.0 /* degrees; more must be a mistake */

static const char motor_schema[] =
	"{\"type\":\"object\",\"required\":[\"steps_per_rotation\"],\"properties\":{"
	"\"acceleration\":"
	"{\"type\":\"number\",\"minimum\":1000,\"maximum\":80000,\"default\":20000},"
	"\"max_speed\":"
	"{\"type\":\"number\",\"minimum\":1,\"maximum\":20000,\"default\":5000},"
	"\"homing_speed\":{\"type\":\"number\",\"minimum\":1,\"maximum\":20000},"
	"\"direction\":{\"enum\":[1,-1],\"default\":1},"
	"\"steps_per_rotation\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000000}"
	","
	"\"min_angle\":{\"type\":\"number\",\"minimum\":0,\"maximum\":360,\"default\":0},"
	"\"max_angle\":{\"type\":\"number\",\"minimum\":0,\"maximum\":360,\"default\":"
	"360},"
	"\"home_angle\":"
	"{\"type\":\"number\",\"minimum\":0,\"maximum\":360,\"default\":90}}}";

static int motor_read(struct motor *motor, const cJSON *config, struct err *err)
{
	motor->limits.max_speed = json_number(config, "max_speed", 0);
	motor->limits.acceleration = json_number(config, "acceleration", 0);
	motor->homing_speed = json_number(config, "homing_speed", 0);
	motor->steps_per_turn = (int32_t)json_number(config, "steps_per_rotation", 0);
	motor->forward = json_number(config, "direction", 1) > 0;
	motor->min = json_number(config, "min_angle", 0);
	motor->max = json_number(config, "max_angle", 0);
	motor->home = json_number(config, "home_angle", 0);
	motor->endless = motor->min <= 0 && motor->max >= TURN;
	if (motor->min > motor->max)
		return err_code(err, -EINVAL, "invalid_args",
				"motors.%s: min_angle %g must not be above max_angle %g",
				motor->name, motor->min, motor->max);
	if (motor->home < motor->min || motor->home > motor->max)
		return err_code(err, -EINVAL, "invalid_args",
				"motors.%s: home_angle must be %g to %g, not %g",
				motor->name, motor->min, motor->max, motor->home);
	return 0;
}

int motor_open(struct motor *motor, struct rig_context *ctx, size_t index,
	       const cJSON *item, struct position_file *positions, struct err *err)
{
	cJSON *copy = device_config_copy(item);
	char at[DEVICE_NAME + 16];
	int ret = device_config_check_name(DEVICE_MOTOR, item->string, err);

	if (ret < 0)
		goto done;
	snprintf(at, sizeof(at), "motors.%s", item->string);
	ret = device_config_check(motor_schema, copy, at, err);
	if (ret < 0)
		goto done;

	motor->ctx = ctx;
	motor->index = index;
	snprintf(motor->name, sizeof(motor->name), "%s", item->string);
	ret = motor_read(motor, copy, err);
	if (ret < 0)
		goto done;
	if (positions)
		ret = position_find(positions, motor->name,
				    (uint32_t)motor->steps_per_turn, &motor->position,
				    err);
done:
	cJSON_Delete(copy);
	return ret;
}

void motor_attach(struct motor *motor, struct endstop *endstop)
{
	endstop->in_use = &motor->busy;
	motor->endstop = endstop;
}

int motor_claim(struct motor *motor, struct err *err)
{
	bool free;

	pthread_mutex_lock(&motor->ctx->lock);
	free = !motor->busy;
	motor->busy = true;
	pthread_mutex_unlock(&motor->ctx->lock);
	if (!free)
		return err_code(err, -EBUSY, "device_busy", "%s is moving", motor->name);
	rig_context_notify(motor->ctx, DEVICE_MOTOR, motor->name);
	return 0;
}

void motor_release(struct motor *motor)
{
	pthread_mutex_lock(&motor->ctx->lock);
	motor->busy = false;
	motor->has_target = false;
	pthread_mutex_unlock(&motor->ctx->lock);
	rig_context_notify(motor->ctx, DEVICE_MOTOR, motor->name);
}

bool motor_busy(struct motor *motor)
{
	bool busy;

	pthread_mutex_lock(&motor->ctx->lock);
	busy = motor->busy;
	pthread_mutex_unlock(&motor->ctx->lock);
	return busy;
}

void motor_set_target(struct motor *motor, bool has_target, double target)
{
	pthread_mutex_lock(&motor->ctx->lock);
	motor->has_target = has_target;
	motor->target = target;
	pthread_mutex_unlock(&motor->ctx->lock);
}

static int64_t motor_wrap(int64_t count, int64_t turn)
{
	return (count % turn + turn) % turn;
}

double motor_angle(const struct motor *motor, int64_t count)
{
	if (motor->endless)
		count = motor_wrap(count, motor->steps_per_turn);
	return (double)count * TURN / motor->steps_per_turn;
}

int64_t motor_steps(const struct motor *motor, double degrees)
{
	return llround(degrees * motor->steps_per_turn / TURN);
}

static int motor_check_limits(const struct motor *motor, double degrees, struct err *err)
{
	/* Half a step of grace: at its limit an axis is on the nearest whole step. */
	double grace = TURN / motor->steps_per_turn / 2;

	if (motor->endless ||
	    (degrees >= motor->min - grace && degrees <= motor->max + grace))
		return 0;
	return err_code(err, -EINVAL, "invalid_args",
			"%s must be %g to %g degrees, not %g", motor->name, motor->min,
			motor->max, degrees);
}

int motor_check(const struct motor *motor, const struct rig_target *target,
		struct err *err)
{
	double degrees = target->degrees;

	if (!isfinite(degrees) || fabs(degrees) > MAX_RELATIVE)
		return err_code(err, -EINVAL, "invalid_args",
				"%s must be %g to %g degrees, not %g", motor->name,
				-MAX_RELATIVE, MAX_RELATIVE, degrees);
	if (target->relative && !position_known(motor->position))
		return 0;
	if (target->relative)
		degrees += motor_angle(motor, position_count(motor->position));
	return motor_check_limits(motor, degrees, err);
}

int motor_goal(const struct motor *motor, const struct rig_target *target, int64_t *goal,
	       struct err *err)
{
	int64_t count = position_count(motor->position);
	int64_t turn = motor->steps_per_turn;
	int64_t way;
	int ret = motor_check(motor, target, err);

	if (ret < 0)
		return ret;
	way = motor_steps(motor, target->degrees);
	if (target->relative) {
		*goal = count + way;
		return 0;
	}
	way -= count;
	if (motor->endless) {
		way = motor_wrap(way, turn);
		if (2 * way > turn)
			way -= turn;
	}
	*goal = count + way;
	return 0;
}

bool motor_lost(const struct motor *motor)
{
	if (!position_known(motor->position))
		return true;
	return motor->endstop && position_doubted(motor->position);
}

bool motor_endstop_above(const struct motor *motor)
{
	return motor->endstop->angle >= (motor->min + motor->max) / 2;
}

/* Rounded to 0.01 degrees, so that an axis on the step nearest to 45 shows 45. */
static double motor_shown(double degrees)
{
	return round(degrees * 100) / 100;
}

/* By how many degrees the angle may be off, rounded so that one step still shows. */
static double motor_uncertainty(const struct motor *motor)
{
	double degrees =
		position_uncertainty(motor->position) * TURN / motor->steps_per_turn;

	return round(degrees * 1e4) / 1e4;
}

cJSON *motor_state(struct motor *motor)
{
	bool known = position_known(motor->position);
	double angle = motor_angle(motor, position_count(motor->position));
	cJSON *state = cJSON_CreateObject();
	bool busy, enabled, has_target;
	double target;

	pthread_mutex_lock(&motor->ctx->lock);
	busy = motor->busy;
	enabled = motor->enabled;
	has_target = motor->has_target;
	target = motor->target;
	pthread_mutex_unlock(&motor->ctx->lock);

	cJSON_AddStringToObject(state, "name", motor->name);
	if (known)
		cJSON_AddNumberToObject(state, "angle", motor_shown(angle));
	else
		cJSON_AddNullToObject(state, "angle");
	if (has_target)
		cJSON_AddNumberToObject(state, "target", motor_shown(target));
	else
		cJSON_AddNullToObject(state, "target");
	cJSON_AddBoolToObject(state, "busy", busy);
	cJSON_AddStringToObject(state, "position", known ? "known" : "unknown");
	cJSON_AddBoolToObject(state, "calibrated", position_calibrated(motor->position));
	cJSON_AddNumberToObject(state, "uncertainty", motor_uncertainty(motor));
	cJSON_AddBoolToObject(state, "enabled", enabled);
	cJSON_AddNumberToObject(state, "min", motor->min);
	cJSON_AddNumberToObject(state, "max", motor->max);
	return state;
}
