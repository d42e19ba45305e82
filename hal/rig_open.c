/* Opens a rig: uses what it can of the config and writes a sentence for the rest. */
#include "hal/rig_internal.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/base/schema.h"
#include "hal/crash_off.h"
#include "hal/device_config.h"

#define BACKEND_OTHERWISE "linux" /* OpenScan3's own configs name none */
#define PROBLEMS_MAX 8		  /* that are reported of the config's own keys */

/* All backends. */
static const struct backend *const backends[] = {&backend_simulated, &backend_linux};
#define BACKENDS (sizeof(backends) / sizeof(backends[0]))

/* The keys of a device config, by kind. */
static const char *const kind_keys[DEVICE_KINDS] = {
	[DEVICE_MOTOR] = "motors",     [DEVICE_LIGHT] = "lights",
	[DEVICE_CAMERA] = "cameras",   [DEVICE_ENDSTOP] = "endstops",
	[DEVICE_TRIGGER] = "triggers",
};

static const char *const calibrate_modes[] = {
	[CALIBRATE_MANUAL] = "calibrate_manual",
	[CALIBRATE_ON_HOME] = "calibrate_on_home",
	[CALIBRATE_ON_SCAN] = "calibrate_on_scan",
	[CALIBRATE_ON_WAKE] = "calibrate_on_wake",
};

/* The config's keys besides its devices. */
static const char rig_schema[] =
	"{\"type\":\"object\",\"properties\":{"
	"\"scan_radius_mm\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"default\":1},"
	"\"motors_timeout\":{\"type\":\"number\",\"minimum\":0,\"maximum\":86400,"
	"\"default\":0},"
	"\"startup_mode\":{\"enum\":[\"startup_enabled\",\"startup_idle\"],"
	"\"default\":\"startup_enabled\"},"
	"\"calibrate_mode\":{\"enum\":[\"calibrate_manual\",\"calibrate_on_home\","
	"\"calibrate_on_scan\",\"calibrate_on_wake\"],\"default\":\"calibrate_manual\"}}"
	"}";

static const struct backend *rig_choose_backend(const cJSON *config, struct err *err)
{
	const char *name = json_string(config, "backend");
	char known[256] = "";
	size_t used = 0;

	if (!name)
		name = BACKEND_OTHERWISE;
	for (size_t i = 0; i < BACKENDS; i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	for (size_t i = 0; i < BACKENDS && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 i ? ", " : "", backends[i]->name);
	err_code(err, -EINVAL, "invalid_args",
		 "the device config needs a backend that this program has (%s), not '%s'",
		 known, name);
	return NULL;
}

static void rig_add_problem(struct rig *rig, const char *sentence)
{
	cJSON_AddItemToArray(rig->problems, cJSON_CreateString(sentence));
}

/* Removes what does not fit from config, so that its default applies. */
static int rig_check_config(struct rig *rig, cJSON *config, struct err *err)
{
	struct schema_problem problems[PROBLEMS_MAX];
	struct schema *schema;
	size_t n;
	int ret = schema_compile(&schema, rig_schema, err);

	if (ret < 0)
		return ret;
	n = schema_check(schema, config, "", problems, PROBLEMS_MAX);
	for (size_t i = 0; i < n && i < PROBLEMS_MAX; i++) {
		char sentence[512];

		schema_sentence(&problems[i], sentence, sizeof(sentence));
		rig_add_problem(rig, sentence);
		cJSON_DeleteItemFromObjectCaseSensitive(config, problems[i].path + 1);
	}
	schema_fill(schema, config);
	schema_free(schema);
	return 0;
}

/* Times in the config are real: a simulated rig rests sooner, as it runs faster. */
static void rig_read_config(struct rig *rig, const cJSON *config,
			    const struct rig_options *options)
{
	const char *mode = json_string(config, "calibrate_mode");
	double rest_s = json_number(config, "motors_timeout", 0);

	rig->scan_radius_mm = json_number(config, "scan_radius_mm", 1);
	for (size_t i = 0; i < sizeof(calibrate_modes) / sizeof(calibrate_modes[0]); i++)
		if (strcmp(mode, calibrate_modes[i]) == 0)
			rig->calibrate_mode = (enum calibrate_mode)i;
	if (!rig->ctx.backend->real_time)
		rest_s /= options->sim_speed;
	rig->rest_ms = (int64_t)ceil(rest_s * 1000);
}

static int rig_open_device(struct rig *rig, enum device_kind kind, size_t slot, size_t i,
			   const cJSON *item, struct err *err)
{
	struct rig_context *ctx = &rig->ctx;

	switch (kind) {
	case DEVICE_MOTOR:
		return motor_open(&rig->motors[slot], ctx, i, item, rig->positions, err);
	case DEVICE_LIGHT:
		return light_open(&rig->lights[slot], ctx, i, item, err);
	case DEVICE_CAMERA:
		return camera_open(&rig->cameras[slot], ctx, i, item, err);
	case DEVICE_ENDSTOP:
		return endstop_open(&rig->endstops[slot], ctx, i, item, err);
	case DEVICE_TRIGGER:
		return trigger_open(&rig->triggers[slot], ctx, i, item, err);
	}
	return -EINVAL;
}

/* Makes the slot ready for another device. */
static void rig_drop_device(struct rig *rig, enum device_kind kind, size_t slot)
{
	if (kind != DEVICE_CAMERA)
		return;
	camera_close(&rig->cameras[slot]);
	rig->cameras[slot].settings = NULL;
}

static bool backend_has(const struct backend *backend, enum device_kind kind)
{
	switch (kind) {
	case DEVICE_MOTOR:
		return backend->motors;
	case DEVICE_LIGHT:
		return backend->lights;
	case DEVICE_CAMERA:
		return backend->cameras;
	case DEVICE_ENDSTOP:
		return backend->motors && backend->motors->endstop;
	case DEVICE_TRIGGER:
		return backend->gpio && backend->gpio->trigger;
	}
	return false;
}

static int rig_try_device(struct rig *rig, enum device_kind kind, size_t i,
			  const cJSON *item, struct err *err)
{
	const struct rig_context *ctx = &rig->ctx;
	size_t slot = rig->counts[kind];
	int ret;

	if (!cJSON_IsObject(item))
		return err_code(err, -EINVAL, "invalid_args", "%s.%s must be an object",
				kind_keys[kind], item->string);
	if (!backend_has(ctx->backend, kind))
		return err_code(err, -ENOTSUP, "not_supported",
				"%s.%s: the backend '%s' has no %s", kind_keys[kind],
				item->string, ctx->backend->name, kind_keys[kind]);
	ret = rig_open_device(rig, kind, slot, i, item, err);
	if (ret == 0 && ctx->backend->attach) {
		ret = ctx->backend->attach(ctx->hardware, kind, i, err);
		if (ret < 0 &&
		    strncmp(err->text, kind_keys[kind], strlen(kind_keys[kind])) != 0)
			err_prefix(err, "%s.%s", kind_keys[kind], item->string);
	}
	if (ret < 0)
		rig_drop_device(rig, kind, slot);
	return ret;
}

/* A device that cannot be used is left out. */
static void rig_open_devices(struct rig *rig, const cJSON *config, enum device_kind kind)
{
	const cJSON *section = cJSON_GetObjectItemCaseSensitive(config, kind_keys[kind]);
	const cJSON *item;
	struct err err;
	size_t i = 0;

	if (section && !cJSON_IsNull(section) && !cJSON_IsObject(section)) {
		snprintf(err.text, sizeof(err.text), "%s must be an object of names",
			 kind_keys[kind]);
		rig_add_problem(rig, err.text);
		return;
	}
	cJSON_ArrayForEach(item, section) {
		if (rig_try_device(rig, kind, i++, item, &err) < 0)
			rig_add_problem(rig, err.text);
		else
			rig->counts[kind]++;
	}
}

static void *rig_allocate(const cJSON *config, enum device_kind kind, size_t size)
{
	const cJSON *section = cJSON_GetObjectItemCaseSensitive(config, kind_keys[kind]);
	int count = cJSON_GetArraySize(section);

	return calloc(count > 0 ? (size_t)count : 1, size);
}

static int rig_allocate_all(struct rig *rig, const cJSON *config, struct err *err)
{
	const cJSON *motors = cJSON_GetObjectItemCaseSensitive(config, "motors");

	if (cJSON_GetArraySize(motors) > POSITION_AXES)
		return err_code(err, -EINVAL, "invalid_args",
				"motors must be at most %d, not %d", POSITION_AXES,
				cJSON_GetArraySize(motors));
	rig->motors = rig_allocate(config, DEVICE_MOTOR, sizeof(*rig->motors));
	rig->lights = rig_allocate(config, DEVICE_LIGHT, sizeof(*rig->lights));
	rig->cameras = rig_allocate(config, DEVICE_CAMERA, sizeof(*rig->cameras));
	rig->endstops = rig_allocate(config, DEVICE_ENDSTOP, sizeof(*rig->endstops));
	rig->triggers = rig_allocate(config, DEVICE_TRIGGER, sizeof(*rig->triggers));
	if (!rig->motors || !rig->lights || !rig->cameras || !rig->endstops ||
	    !rig->triggers)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

static int rig_open_positions(struct rig *rig, const struct rig_options *options,
			      struct err *err)
{
	char boot_id[POSITION_BOOT_ID];
	char path[PATH_MAX];
	int ret = position_boot_id(boot_id, err);

	if (ret < 0)
		return ret;
	if ((size_t)snprintf(path, sizeof(path), "%s/positions", options->state_dir) >=
	    sizeof(path))
		return err_set(err, -ENAMETOOLONG, "%s: the path is too long",
			       options->state_dir);
	return position_open(&rig->positions, path, boot_id,
			     options->assume_position_after_power_cut, err);
}

static int rig_attach_endstop(struct rig *rig, struct endstop *endstop, struct err *err)
{
	struct motor *motor = rig_motor(rig, endstop->motor);

	if (!motor)
		return err_code(err, -EINVAL, "invalid_args",
				"endstops.%s: there is no motor '%s'", endstop->name,
				endstop->motor);
	if (motor->endstop)
		return err_code(err, -EINVAL, "invalid_args",
				"endstops.%s: %s has the endstop %s already",
				endstop->name, motor->name, motor->endstop->name);
	motor_attach(motor, endstop);
	return 0;
}

/* An endstop without a motor stays open; it can still be read. */
static void rig_attach_endstops(struct rig *rig)
{
	for (size_t i = 0; i < rig->counts[DEVICE_ENDSTOP]; i++) {
		struct err err;

		if (rig_attach_endstop(rig, &rig->endstops[i], &err) < 0)
			rig_add_problem(rig, err.text);
	}
}

/* Nobody has moved a fresh rig: its axes are at home. */
static void rig_declare_fresh(struct rig *rig)
{
	const struct backend *backend = rig->ctx.backend;

	if (!backend->fresh || !backend->fresh(rig->ctx.hardware))
		return;
	for (size_t i = 0; i < rig->counts[DEVICE_MOTOR]; i++) {
		struct motor *motor = &rig->motors[i];

		position_declare(motor->position, motor_steps(motor, motor->home), false);
	}
}

static int64_t rig_wait_until(void *context, int64_t due_ns)
{
	struct rig_context *ctx = context;

	return ctx->backend->wait_until(ctx->hardware, due_ns, NULL);
}

static int64_t rig_now(void *context)
{
	struct rig_context *ctx = context;

	return ctx->backend->now(ctx->hardware);
}

static int rig_open_motion_thread(struct rig *rig, struct err *err)
{
	struct motion_thread_options options = {
		.now = rig_now,
		.wait_until = rig_wait_until,
		.clock = &rig->ctx,
		.real_time = rig->ctx.backend->real_time,
		.rest_ms = rig->rest_ms,
		.rested = rig_rest,
		.context = rig,
	};
	int ret = motion_thread_open(&rig->ctx.motion_thread, &options, err);
	size_t size;
	const void *memory;

	if (ret < 0)
		return ret;
	memory = position_memory(rig->positions, &size);
	motion_thread_pin(rig->ctx.motion_thread, memory, size);
	motion_thread_pin(rig->ctx.motion_thread, rig, sizeof(*rig));
	motion_thread_pin(rig->ctx.motion_thread, rig->motors,
			  rig->counts[DEVICE_MOTOR] * sizeof(*rig->motors));
	motion_thread_problems(rig->ctx.motion_thread, rig->problems);
	return 0;
}

/* After all devices are open. */
static int rig_start(struct rig *rig, const cJSON *config, struct err *err)
{
	struct err refusal;
	int ret;

	rig_declare_fresh(rig);
	ret = rig_open_motion_thread(rig, err);
	if (ret < 0)
		return ret;
	if (rig->calibrate_mode == CALIBRATE_ON_WAKE)
		rig_uncalibrate_axes(rig);
	if (strcmp(json_string(config, "startup_mode"), "startup_enabled") == 0 &&
	    rig_wake(rig, &refusal) < 0)
		rig_add_problem(rig, refusal.text);
	crash_off_install(&rig->ctx);
	return 0;
}

/* The config's cameras; adds an empty object if there is none. */
static cJSON *rig_cameras_of(cJSON *config)
{
	cJSON *cameras = cJSON_GetObjectItemCaseSensitive(config, "cameras");

	return cameras ? cameras : cJSON_AddObjectToObject(config, "cameras");
}

static int rig_open_all(struct rig *rig, cJSON *config, const struct rig_options *options,
			struct err *err)
{
	const struct backend *backend = rig->ctx.backend;
	int ret = rig_check_config(rig, config, err);

	if (ret < 0)
		return ret;
	rig_read_config(rig, config, options);
	if (!options->dry)
		ret = rig_open_positions(rig, options, err);
	if (ret == 0)
		ret = backend->open(&rig->ctx.hardware, config, options, rig->problems,
				    err);
	if (ret < 0)
		return ret;
	if (backend->cameras && backend->cameras->find && !options->dry)
		backend->cameras->find(rig->ctx.hardware, rig_cameras_of(config));
	ret = rig_allocate_all(rig, config, err);
	if (ret < 0)
		return ret;
	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++)
		rig_open_devices(rig, config, kind);
	if (backend->attached)
		backend->attached(rig->ctx.hardware, rig->problems);
	rig_attach_endstops(rig);
	return options->dry ? 0 : rig_start(rig, config, err);
}

int rig_open_with(struct rig **out, const struct backend *backend, const cJSON *config,
		  const struct rig_options *options, struct err *err)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	cJSON *copy;
	int ret;

	if (!rig)
		return err_set(err, -ENOMEM, "out of memory");
	rig_context_init(&rig->ctx, options);
	rig->ctx.backend = backend;
	rig->problems = cJSON_CreateArray();
	copy = device_config_copy(config);
	ret = rig_open_all(rig, copy, options, err);
	cJSON_Delete(copy);
	if (ret < 0) {
		rig_close(rig);
		return ret;
	}
	*out = rig;
	return 0;
}

int rig_open(struct rig **out, const cJSON *config, const struct rig_options *options,
	     struct err *err)
{
	const struct backend *backend = rig_choose_backend(config, err);

	return backend ? rig_open_with(out, backend, config, options, err) : -EINVAL;
}

void rig_close(struct rig *rig)
{
	if (!rig)
		return;
	rig_stop_motion(rig);
	/* First: what follows may take as long as a camera hangs. */
	if (rig->ctx.hardware)
		rig->ctx.backend->safe(rig->ctx.hardware);
	motion_thread_close(rig->ctx.motion_thread);
	crash_off_remove(&rig->ctx);
	if (rig->ctx.hardware)
		rig->ctx.backend->close(rig->ctx.hardware);
	for (size_t i = 0; i < rig->counts[DEVICE_CAMERA]; i++)
		camera_close(&rig->cameras[i]);
	position_close(rig->positions);
	rig_context_destroy(&rig->ctx);
	cJSON_Delete(rig->problems);
	free(rig->motors);
	free(rig->lights);
	free(rig->cameras);
	free(rig->endstops);
	free(rig->triggers);
	free(rig);
}
