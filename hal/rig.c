/* Finds devices by name, stops the rig, and forwards to its lights, triggers, cameras. */
#include "hal/rig_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const cJSON *rig_problems(const struct rig *rig)
{
	return rig->problems;
}

const char *rig_backend(const struct rig *rig)
{
	return rig->ctx.backend->name;
}

double rig_scan_radius(const struct rig *rig)
{
	return rig->scan_radius_mm;
}

/* ---- devices by number and name ---- */

size_t rig_count(const struct rig *rig, enum device_kind kind)
{
	return rig->counts[kind];
}

const char *rig_name(const struct rig *rig, enum device_kind kind, size_t i)
{
	switch (kind) {
	case DEVICE_MOTOR:
		return rig->motors[i].name;
	case DEVICE_LIGHT:
		return rig->lights[i].name;
	case DEVICE_CAMERA:
		return rig->cameras[i].name;
	case DEVICE_ENDSTOP:
		return rig->endstops[i].name;
	case DEVICE_TRIGGER:
		return rig->triggers[i].name;
	}
	return NULL;
}

/* "there are rotor, turntable", "there is rotor" or "there is none". */
static void rig_names(const struct rig *rig, enum device_kind kind, char *text,
		      size_t size)
{
	size_t count = rig->counts[kind];
	size_t used = (size_t)snprintf(text, size, "%s",
				       count > 1    ? "there are "
				       : count == 1 ? "there is "
						    : "there is none");

	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 rig_name(rig, kind, i));
}

int rig_find(const struct rig *rig, enum device_kind kind, const char *name,
	     struct err *err)
{
	char names[512];

	if (!name && rig->counts[kind] == 1)
		return 0;
	for (size_t i = 0; name && i < rig->counts[kind]; i++)
		if (strcmp(rig_name(rig, kind, i), name) == 0)
			return (int)i;

	rig_names(rig, kind, names, sizeof(names));
	if (name)
		return err_code(err, -ENOENT, "not_found", "there is no %s '%.64s' (%s)",
				device_kind_name(kind), name, names);
	if (rig->counts[kind] == 0)
		return err_code(err, -ENOENT, "not_found", "this rig has no %s",
				device_kind_name(kind));
	return err_code(err, -EINVAL, "invalid_args", "say which %s: %s",
			device_kind_name(kind), names);
}

cJSON *rig_state(struct rig *rig, enum device_kind kind, size_t i)
{
	switch (kind) {
	case DEVICE_MOTOR:
		return motor_state(&rig->motors[i]);
	case DEVICE_LIGHT:
		return light_state(&rig->lights[i]);
	case DEVICE_CAMERA:
		return camera_state(&rig->cameras[i]);
	case DEVICE_ENDSTOP:
		return endstop_state(&rig->endstops[i]);
	case DEVICE_TRIGGER:
		return trigger_state(&rig->triggers[i]);
	}
	return NULL;
}

static int describe_motor(const struct motor *motor, char *text, size_t size)
{
	int used = motor->endless ? snprintf(text, size, "endless")
				  : snprintf(text, size, "%g to %g degrees", motor->min,
					     motor->max);

	used += snprintf(text + used, size - (size_t)used,
			 ", home %g, %d steps a turn, at most %g steps/s, %g steps/s2",
			 motor->home, (int)motor->steps_per_turn, motor->limits.max_speed,
			 motor->limits.acceleration);
	return used;
}

void rig_describe(struct rig *rig, enum device_kind kind, size_t i, char *text,
		  size_t size)
{
	const struct rig_context *ctx = &rig->ctx;
	char more[256] = "";
	size_t index = 0;
	int used = 0;

	text[0] = '\0';
	if (kind == DEVICE_MOTOR) {
		used = describe_motor(&rig->motors[i], text, size);
		index = rig->motors[i].index;
	} else if (kind == DEVICE_ENDSTOP) {
		used = snprintf(text, size, "of %.64s at %g degrees",
				rig->endstops[i].motor, rig->endstops[i].angle);
		index = rig->endstops[i].index;
	} else if (kind == DEVICE_LIGHT) {
		index = rig->lights[i].index;
	} else if (kind == DEVICE_TRIGGER) {
		used = snprintf(text, size, "%s, pulses of %lld ms",
				rig->triggers[i].enabled ? "enabled" : "disabled",
				(long long)rig->triggers[i].pulse_ms);
		index = rig->triggers[i].index;
	} else {
		used = snprintf(text, size, "%.64s", rig->cameras[i].type);
		index = rig->cameras[i].index;
	}
	if (ctx->backend->describe)
		ctx->backend->describe(ctx->hardware, kind, index, more, sizeof(more));
	if (more[0] || !used)
		snprintf(text + used, size - (size_t)used, "%s%s", used ? "; " : "",
			 more[0] ? more : "simulated");
}

struct motor *rig_motor(const struct rig *rig, const char *name)
{
	for (size_t i = 0; i < rig->counts[DEVICE_MOTOR]; i++)
		if (strcmp(rig->motors[i].name, name) == 0)
			return &rig->motors[i];
	return NULL;
}

/* ---- stopping ---- */

void rig_stop_motion(struct rig *rig)
{
	atomic_fetch_add(&rig->ctx.stops, 1);
}

/* Switches light and trigger off again, under the lock: a light that another thread was
 * just switching on when safe() ran would stay on. */
static void rig_switch_off(struct rig *rig)
{
	struct rig_context *ctx = &rig->ctx;

	pthread_mutex_lock(&ctx->lock);
	ctx->backend->safe(ctx->hardware);
	for (size_t i = 0; i < rig->counts[DEVICE_LIGHT]; i++)
		rig->lights[i].level.on = false;
	pthread_mutex_unlock(&ctx->lock);
}

void rig_estop(struct rig *rig)
{
	struct rig_context *ctx = &rig->ctx;

	atomic_store(&ctx->estopped, true);
	atomic_fetch_add(&ctx->stops, 1);
	ctx->backend->safe(ctx->hardware);
	for (size_t i = 0; i < rig->counts[DEVICE_MOTOR]; i++)
		position_doubt(rig->motors[i].position, true);
	rig_switch_off(rig);
	for (size_t i = 0; i < rig->counts[DEVICE_LIGHT]; i++)
		rig_context_notify(ctx, DEVICE_LIGHT, rig->lights[i].name);
}

void rig_release_estop(struct rig *rig)
{
	atomic_store(&rig->ctx.estopped, false);
}

bool rig_estopped(const struct rig *rig)
{
	return atomic_load(&rig->ctx.estopped);
}

bool rig_at_rest(struct rig *rig)
{
	for (size_t i = 0; i < rig->counts[DEVICE_MOTOR]; i++)
		if (motor_busy(&rig->motors[i]))
			return false;
	for (size_t i = 0; i < rig->counts[DEVICE_CAMERA]; i++)
		if (camera_busy(&rig->cameras[i]))
			return false;
	for (size_t i = 0; i < rig->counts[DEVICE_TRIGGER]; i++)
		if (trigger_busy(&rig->triggers[i]))
			return false;
	return true;
}

/* ---- light, trigger, camera ---- */

static int rig_light_set_all(struct rig *rig, bool on, int brightness, struct err *err)
{
	int first = 0;

	/* One that fails does not keep the others from being switched. */
	for (size_t i = 0; i < rig->counts[DEVICE_LIGHT]; i++) {
		int ret = light_set(&rig->lights[i], on, brightness,
				    first == 0 ? err : NULL);

		first = first == 0 ? ret : first;
	}
	return first;
}

int rig_light_set(struct rig *rig, const char *name, bool on, int brightness,
		  struct err *err)
{
	int found = name ? rig_find(rig, DEVICE_LIGHT, name, err) : 0;
	int ret = 0;

	if (found < 0)
		return found;
	motion_thread_postpone_rest(rig->ctx.motion_thread);
	if (on)
		ret = rig_context_permit(&rig->ctx, err);
	if (on && ret == 0)
		ret = rig_wake(rig, err);
	if (ret < 0)
		return ret;
	if (!name)
		return rig_light_set_all(rig, on, brightness, err);
	return light_set(&rig->lights[found], on, brightness, err);
}

int rig_light_get(struct rig *rig, const char *name, struct rig_light *light,
		  struct err *err)
{
	int found = rig_find(rig, DEVICE_LIGHT, name, err);

	if (found < 0)
		return found;
	*light = light_get(&rig->lights[found]);
	return 0;
}

int rig_trigger(struct rig *rig, const char *name, int64_t pre_ms, int64_t post_ms,
		struct cancel *cancel, struct err *err)
{
	int found = rig_find(rig, DEVICE_TRIGGER, name, err);

	if (found < 0)
		return found;
	return trigger_fire(&rig->triggers[found], pre_ms, post_ms, cancel, err);
}

static int rig_check_gpio(const struct rig *rig, struct err *err)
{
	const struct backend *backend = rig->ctx.backend;

	if (backend->gpio)
		return 0;
	return err_code(err, -ENOTSUP, "not_supported",
			"the backend '%s' has no GPIO lines", backend->name);
}

int rig_line_get(struct rig *rig, int line, struct err *err)
{
	struct rig_context *ctx = &rig->ctx;
	int ret = rig_check_gpio(rig, err);

	if (ret < 0)
		return ret;
	pthread_mutex_lock(&ctx->lock);
	ret = ctx->backend->gpio->get(ctx->hardware, line, err);
	pthread_mutex_unlock(&ctx->lock);
	return ret;
}

int rig_line_set(struct rig *rig, int line, bool level, struct err *err)
{
	struct rig_context *ctx = &rig->ctx;
	int ret = rig_check_gpio(rig, err);

	if (ret < 0)
		return ret;
	pthread_mutex_lock(&ctx->lock);
	ret = ctx->backend->gpio->set(ctx->hardware, line, level, err);
	pthread_mutex_unlock(&ctx->lock);
	return ret;
}

cJSON *rig_camera_settings(struct rig *rig, size_t camera)
{
	return camera_settings(&rig->cameras[camera]);
}

int rig_camera_set(struct rig *rig, size_t camera, const cJSON *patch, struct err *err)
{
	return camera_set(&rig->cameras[camera], patch, err);
}

int rig_capture(struct rig *rig, size_t camera, struct cancel *cancel,
		struct frame **frame, struct err *err)
{
	return camera_capture(&rig->cameras[camera], cancel, frame, err);
}

int rig_preview(struct rig *rig, size_t camera, struct cancel *cancel,
		struct frame **frame, struct err *err)
{
	return camera_preview(&rig->cameras[camera], cancel, frame, err);
}

int rig_camera_calibrate(struct rig *rig, size_t camera, struct cancel *cancel,
			 struct err *err)
{
	return camera_calibrate(&rig->cameras[camera], cancel, err);
}

int rig_camera_answers(struct rig *rig, size_t camera, struct err *err)
{
	return camera_answers(&rig->cameras[camera], err);
}

int rig_expose(struct rig *rig, size_t camera, struct cancel *cancel,
	       struct rig_shot **shot, struct err *err)
{
	return camera_expose(&rig->cameras[camera], cancel, shot, err);
}

int rig_read_out(struct rig_shot *shot, struct frame **frame, struct err *err)
{
	return camera_read_out(shot, frame, err);
}

void rig_shot_drop(struct rig_shot *shot)
{
	camera_drop(shot);
}
