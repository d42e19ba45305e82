/* Puts a rig to rest after a time without motion, and wakes it again. */
#include "hal/rig_internal.h"

#include <errno.h>
#include <string.h>

#include "agent/base/log.h"

static void power_notify(struct rig *rig)
{
	for (size_t i = 0; i < rig->counts[DEVICE_MOTOR]; i++)
		rig_context_notify(&rig->ctx, DEVICE_MOTOR, rig->motors[i].name);
	for (size_t i = 0; i < rig->counts[DEVICE_LIGHT]; i++)
		rig_context_notify(&rig->ctx, DEVICE_LIGHT, rig->lights[i].name);
}

/* The caller holds the lock. */
static int power_motors(struct rig *rig, bool on, struct err *err)
{
	const struct rig_context *ctx = &rig->ctx;
	int first = 0;

	for (size_t i = 0; i < rig->counts[DEVICE_MOTOR]; i++) {
		struct motor *motor = &rig->motors[i];
		int ret = ctx->backend->motors->enable(ctx->hardware, motor->index, on);

		if (ret == 0)
			motor->enabled = on;
		else if (first == 0)
			first = err_code(err, ret, "hardware_fault",
					 "%s cannot be switched: %s", motor->name,
					 strerror(-ret));
	}
	return first;
}

/* Switches all lights and returns the first error; the caller holds the lock. */
static int power_lights(struct rig *rig, bool on, struct err *err)
{
	int first = 0;

	for (size_t i = 0; i < rig->counts[DEVICE_LIGHT]; i++) {
		int ret = light_show(&rig->lights[i], on, first == 0 ? err : NULL);

		first = first == 0 ? ret : first;
	}
	return first;
}

/* Switches motors and lights and returns the first error; the caller holds the lock. */
static int power_all(struct rig *rig, bool on, struct err *err)
{
	int motors = power_motors(rig, on, err);
	int lights = power_lights(rig, on, motors == 0 ? err : NULL);

	return motors < 0 ? motors : lights;
}

int rig_wake(struct rig *rig, struct err *err)
{
	struct rig_context *ctx = &rig->ctx;
	bool slept;
	int ret = 0;

	pthread_mutex_lock(&ctx->lock);
	slept = !ctx->awake;
	if (slept)
		ret = power_all(rig, true, err);
	if (ret == 0)
		ctx->awake = true;
	else /* half awake it would never be put to rest */
		power_all(rig, false, NULL);
	pthread_mutex_unlock(&ctx->lock);

	if (slept && ret == 0)
		power_notify(rig);
	return ret;
}

/* Whether something needs current or light.  The caller holds the lock. */
static bool power_needed(const struct rig *rig)
{
	if (rig->kept_awake)
		return true;
	for (size_t i = 0; i < rig->counts[DEVICE_MOTOR]; i++)
		if (rig->motors[i].busy)
			return true;
	for (size_t i = 0; i < rig->counts[DEVICE_CAMERA]; i++)
		if (rig->cameras[i].busy)
			return true;
	for (size_t i = 0; i < rig->counts[DEVICE_TRIGGER]; i++)
		if (rig->triggers[i].busy)
			return true;
	return false;
}

void rig_uncalibrate_axes(struct rig *rig)
{
	for (size_t i = 0; i < rig->counts[DEVICE_MOTOR]; i++) {
		struct motor *motor = &rig->motors[i];

		position_uncalibrate(motor->position);
		if (motor->endstop && rig->calibrate_mode == CALIBRATE_ON_WAKE)
			position_doubt(motor->position, true);
	}
}

void rig_rest(void *context)
{
	struct rig *rig = context;
	struct rig_context *ctx = &rig->ctx;
	struct err err = {0};
	bool needed, slept;
	int ret = 0;

	pthread_mutex_lock(&ctx->lock);
	needed = power_needed(rig);
	slept = !ctx->awake;
	if (!needed && !slept) {
		ret = power_all(rig, false, &err);
		ctx->awake = false;
		rig_uncalibrate_axes(rig);
	}
	pthread_mutex_unlock(&ctx->lock);

	if (needed)
		motion_thread_postpone_rest(ctx->motion_thread);
	if (needed || slept)
		return;
	if (ret < 0)
		log_warn("the rig could not be put to rest: %s", err.text);
	log_info("motors and lights are off: nothing has moved for %lld s",
		 (long long)rig->rest_ms / 1000);
	power_notify(rig);
}

void rig_keep_awake(struct rig *rig, bool keep)
{
	pthread_mutex_lock(&rig->ctx.lock);
	rig->kept_awake += keep ? 1 : -1u;
	pthread_mutex_unlock(&rig->ctx.lock);
	if (!keep)
		motion_thread_postpone_rest(rig->ctx.motion_thread);
}
