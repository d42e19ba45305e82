/* Finds the cameras, matches them with the config, and takes their photos. */
#include "hal/linux/cameras.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/base/module.h"
#include "hal/linux/camera_pixels.h"
#include "hal/linux/camera_session.h"
#include "hal/linux/call_thread.h"

#define CAMERAS 8
#define NAME 65
#define START_MS 15000 /* for libcamera to start and find the cameras */
#define SENTENCE 512
#define LARGEST 65535 /* pixels per side of a JPEG */

#define STEADY_PICTURES 3 /* that must be alike to end a calibration */
#define STEADY 0.01	  /* relative to the value */
#define PATIENT_PICTURES 90

struct slot {
	struct camera_session *session; /* NULL while it is not attached */
	char name[NAME];
	struct camera_facts facts; /* lock; width 0 until it is first opened */
};

struct cameras {
	const cJSON *config;
	const struct camera_module *module; /* NULL until it is loaded */
	struct camera_identity found[CAMERAS];
	size_t found_count;
	bool enumerated;
	pthread_mutex_t lock;
	struct slot slots[CAMERAS];
};

/* A latent image: a photo that has been exposed. */
struct exposed {
	struct camera_picture picture;
	struct camera_part part; /* of the picture */
	int64_t taken_at_ms;
	double shutter_ms, gain;
};

int cameras_open(struct cameras **out, const cJSON *config, struct err *err)
{
	struct cameras *cameras = calloc(1, sizeof(*cameras));

	if (!cameras)
		return err_set(err, -ENOMEM, "out of memory");
	cameras->config = config;
	/* libcamera loads a tracer that waits for its daemon, and may wait for ever where
	 * there is none. */
	setenv("LTTNG_UST_REGISTER_TIMEOUT", "0", 0);
	pthread_mutex_init(&cameras->lock, NULL);
	*out = cameras;
	return 0;
}

void cameras_close(struct cameras *cameras)
{
	if (!cameras)
		return;
	for (size_t i = 0; i < CAMERAS; i++)
		camera_session_close(cameras->slots[i].session);
	pthread_mutex_destroy(&cameras->lock);
	free(cameras);
}

/* ---- what is plugged in ---- */

struct enumeration {
	struct call base;
	const struct camera_module *module;
	struct camera_identity found[CAMERAS];
};

static int enumeration_run(struct call *base, struct err *err)
{
	struct enumeration *enumeration = (struct enumeration *)base;

	return enumeration->module->list(enumeration->found, CAMERAS, err);
}

static void enumeration_destroy(struct call *base)
{
	free(base);
}

static int cameras_due(const void *context)
{
	const int64_t *due_ms = context;

	return clock_monotonic_ms() > *due_ms ? -ETIMEDOUT : 0;
}

static int cameras_store_found(struct cameras *cameras, struct enumeration *enumeration,
			       struct err *err)
{
	int ret = enumeration->base.result;

	if (ret < 0)
		*err = enumeration->base.err;
	memcpy(cameras->found, enumeration->found, sizeof(cameras->found));
	cameras->found_count = ret < 0 ? 0 : ret < CAMERAS ? (size_t)ret : CAMERAS;
	cameras->enumerated = ret >= 0;
	free(enumeration);
	return ret < 0 ? ret : 0;
}

static int cameras_enumerate(struct cameras *cameras, struct err *err)
{
	int64_t due_ms = clock_monotonic_ms() + START_MS;
	const struct wait_condition condition = {cameras_due, &due_ms};
	struct call_thread *call_thread;
	struct enumeration *enumeration;
	const void *module;
	bool done;
	int ret;

	if (cameras->enumerated)
		return 0;
	ret = module_load(&module, "camera", err);
	if (ret < 0)
		return ret;
	cameras->module = module;
	ret = call_thread_open(&call_thread, err);
	if (ret < 0)
		return ret;
	enumeration = calloc(1, sizeof(*enumeration));
	if (!enumeration) {
		call_thread_close(call_thread, START_MS);
		return err_set(err, -ENOMEM, "out of memory");
	}
	enumeration->base =
		(struct call){.run = enumeration_run, .destroy = enumeration_destroy};
	enumeration->module = cameras->module;
	done = call_thread_run(call_thread, &enumeration->base, &condition, &ret);
	call_thread_close(call_thread, done ? START_MS : 0);
	if (!done)
		return err_code(err, ret, "hal_unavailable",
				"libcamera does not say which cameras there are");
	return cameras_store_found(cameras, enumeration, err);
}

/* Whether the config's item names this camera. */
static bool cameras_match(const cJSON *item, const struct camera_identity *identity)
{
	const char *path = json_string(item, "path");

	if (path && path[0])
		return strcmp(path, identity->id) == 0 ||
		       strcmp(path, identity->model) == 0;
	return strcmp(item->string, identity->model) == 0;
}

/* Makes a name from the model that is valid in a topic and not yet in list. */
static void cameras_name(const cJSON *list, const char *model, char name[NAME])
{
	char stem[NAME - 12];

	snprintf(stem, sizeof(stem), "%s", model);
	for (char *c = stem; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			*c = '_';
	snprintf(name, NAME, "%s", stem);
	for (int i = 2; cJSON_GetObjectItemCaseSensitive(list, name); i++)
		snprintf(name, NAME, "%s_%d", stem, i);
}

void cameras_find(struct cameras *cameras, cJSON *list)
{
	char name[NAME];
	struct err err;

	if (cameras_enumerate(cameras, &err) < 0) {
		log_warn("cameras cannot be looked for: %s", err.text);
		return;
	}
	for (size_t i = 0; i < cameras->found_count; i++) {
		const struct camera_identity *identity = &cameras->found[i];
		const cJSON *item;
		bool named = false;
		cJSON *new;

		cJSON_ArrayForEach(item, list)
			named = named || cameras_match(item, identity);
		if (named)
			continue;
		cameras_name(list, identity->model, name);
		new = cJSON_AddObjectToObject(list, name);
		cJSON_AddStringToObject(new, "type", "libcamera");
		cJSON_AddStringToObject(new, "path", identity->id);
		log_info("found the camera %s at %s", name, identity->id);
	}
}

/* ---- one of the config ---- */

static int cameras_refuse(const struct cameras *cameras, const char *path,
			  struct err *err)
{
	char there[SENTENCE] = "none";
	size_t used = 0;

	for (size_t i = 0; i < cameras->found_count && used < sizeof(there); i++)
		used += (size_t)snprintf(there + used, sizeof(there) - used,
					 "%s'%s' (%s)", i ? ", " : "",
					 cameras->found[i].id, cameras->found[i].model);
	return err_code(err, -ENODEV, "hal_unavailable",
			"path must name a camera, not '%s'; plugged in: %s", path, there);
}

/* The library's id of the camera that item names. */
static int cameras_identify(const struct cameras *cameras, const cJSON *item,
			    const char **id, struct err *err)
{
	const char *path = json_string(item, "path");

	for (size_t i = 0; i < cameras->found_count; i++) {
		*id = cameras->found[i].id;
		if (cameras_match(item, &cameras->found[i]))
			return 0;
	}
	if (path && strchr(path, '/')) {
		*id = path; /* it looks like an id: the camera may be plugged in later */
		return 0;
	}
	if ((!path || !path[0]) && cameras->found_count == 1)
		return 0;
	return cameras_refuse(cameras, path ? path : "", err);
}

static int cameras_check_type(const cJSON *item, struct err *err)
{
	const char *type = json_string(item, "type");

	if (!type || strcmp(type, "libcamera") == 0 || strcmp(type, "picamera2") == 0)
		return 0;
	return err_code(
		err, -ENOTSUP, "not_supported",
		"type must be libcamera or picamera2: this agent drives no camera of "
		"type %s",
		type);
}

/* Logs which controls the camera lacks. */
static void slot_log_missing(const struct slot *slot, const struct camera_facts *facts)
{
	char missing[SENTENCE] = "";
	size_t used = 0;

	for (int i = 0; i < CAMERA_CONTROLS && used < sizeof(missing); i++)
		if (!facts->has[i])
			used += (size_t)snprintf(missing + used, sizeof(missing) - used,
						 "%s%s", used ? ", " : "",
						 camera_control_name(i));
	if (used)
		log_warn("the camera %s has no %s: what the settings say of it does "
			 "nothing",
			 slot->name, missing);
}

static void cameras_update_facts(struct cameras *cameras, struct slot *slot,
				 const struct camera_result *result)
{
	bool first;

	if (result->facts.width == 0)
		return;
	pthread_mutex_lock(&cameras->lock);
	first = slot->facts.width == 0;
	slot->facts = result->facts;
	pthread_mutex_unlock(&cameras->lock);
	if (first)
		slot_log_missing(slot, &result->facts);
}

static int cameras_ask(struct cameras *cameras, struct slot *slot, struct err *err)
{
	int64_t due_ms = clock_monotonic_ms() + START_MS;
	struct wait_condition condition = {cameras_due, &due_ms};
	struct camera_result result = {0};
	int ret = camera_session_ask(slot->session, &condition, &result, err);

	cameras_update_facts(cameras, slot, &result);
	return ret;
}

int cameras_attach(struct cameras *cameras, size_t camera, struct err *err)
{
	const cJSON *item = cJSON_GetArrayItem(
		cJSON_GetObjectItemCaseSensitive(cameras->config, "cameras"),
		(int)camera);
	struct slot *slot = &cameras->slots[camera < CAMERAS ? camera : 0];
	struct err absent;
	const char *id = NULL;
	int ret = cameras_check_type(item, err);

	if (ret == 0 && camera >= CAMERAS)
		ret = err_code(err, -ENOSPC, "invalid_args",
			       "there are at most %d cameras", CAMERAS);
	if (ret == 0)
		ret = cameras_enumerate(cameras, err);
	if (ret == 0)
		ret = cameras_identify(cameras, item, &id, err);
	if (ret < 0)
		return ret;
	snprintf(slot->name, sizeof(slot->name), "%s", item->string);
	ret = camera_session_open(&slot->session, cameras->module, slot->name, id, err);
	if (ret == 0 && cameras_ask(cameras, slot, &absent) < 0)
		log_warn("%s", absent.text);
	return ret;
}

void cameras_size(const struct cameras *cameras, size_t camera, int *width, int *height)
{
	struct cameras *locked = (struct cameras *)cameras;
	const struct slot *slot = &cameras->slots[camera < CAMERAS ? camera : 0];
	bool known;

	pthread_mutex_lock(&locked->lock);
	known = camera < CAMERAS && slot->facts.width > 0;
	*width = known ? slot->facts.width : LARGEST;
	*height = known ? slot->facts.height : LARGEST;
	pthread_mutex_unlock(&locked->lock);
}

int cameras_answers(struct cameras *cameras, size_t camera, struct err *err)
{
	int ret = cameras_ask(cameras, &cameras->slots[camera], err);

	if (ret < 0 && err)
		snprintf(err->code, sizeof(err->code), "hal_unavailable");
	return ret;
}

/* ---- photos ---- */

static int cameras_check_shot(const void *context)
{
	const struct backend_shot *shot = context;

	return shot->check(shot);
}

static int cameras_shoot(struct cameras *cameras, struct slot *slot,
			 const struct backend_shot *shot, enum camera_use use,
			 struct camera_result *result, struct err *err)
{
	struct wait_condition condition = {cameras_check_shot, shot};
	int ret;

	*result = (struct camera_result){0};
	ret = camera_session_shoot(slot->session, shot->settings, use, &condition, result,
				   err);
	cameras_update_facts(cameras, slot, result);
	return ret;
}

static double cameras_reported(double reported, double otherwise)
{
	return reported > 0 ? reported : otherwise;
}

int cameras_expose(struct cameras *cameras, size_t camera,
		   const struct backend_shot *shot, void **latent, struct err *err)
{
	struct exposed *exposed = calloc(1, sizeof(*exposed));
	const cJSON *settings = shot->settings;
	struct camera_result result;
	int ret;

	if (!exposed)
		return err_set(err, -ENOMEM, "out of memory");
	ret = cameras_shoot(cameras, &cameras->slots[camera], shot,
			    shot->preview ? CAMERA_PREVIEW : CAMERA_PHOTO, &result, err);
	if (ret < 0) {
		free(exposed);
		return ret;
	}
	exposed->picture = result.picture;
	exposed->part =
		(struct camera_part){0, 0, result.picture.width, result.picture.height};
	if (!result.facts.has[CAMERA_SCALER_CROP])
		exposed->part = camera_crop(settings, result.picture.width,
					    result.picture.height);
	exposed->shutter_ms = cameras_reported(result.picture.metadata.exposure_us / 1e3,
					       json_number(settings, "shutter", 0));
	exposed->gain = cameras_reported(result.picture.metadata.gain,
					 json_number(settings, "gain", 1));
	exposed->taken_at_ms = result.taken_at_ms - llround(exposed->shutter_ms);
	*latent = exposed;
	return 0;
}

int cameras_read_out(struct cameras *cameras, size_t camera, void *latent,
		     struct frame **out, struct err *err)
{
	struct exposed *exposed = latent;
	struct frame *frame = frame_new(exposed->part.width, exposed->part.height);

	if (frame) {
		camera_pixels(&exposed->picture, &exposed->part, frame->rgb);
		frame->taken_at_ms = exposed->taken_at_ms;
		frame->shutter_ms = exposed->shutter_ms;
		frame->gain = exposed->gain;
		frame->yuv = camera_yuv(&exposed->picture, &exposed->part);
		*out = frame;
	}
	cameras_discard(cameras, camera, latent);
	return frame ? 0 : err_set(err, -ENOMEM, "out of memory");
}

void cameras_discard(struct cameras *cameras, size_t camera, void *latent)
{
	struct exposed *exposed = latent;

	(void)cameras;
	(void)camera;
	free(exposed->picture.bytes);
	free(exposed);
}

/* ---- calibration ---- */

static bool steady(double before, double now)
{
	return before > 0 && fabs(now - before) <= STEADY * before;
}

/* The number of similar pictures in a row, including this one. */
static int steady_for(int pictures, const struct camera_metadata *before,
		      const struct camera_metadata *now)
{
	bool exposed =
		now->exposure_us < 0 || steady(before->exposure_us, now->exposure_us);
	bool balanced = now->red < 0 || (steady(before->red, now->red) &&
					 steady(before->blue, now->blue));

	return exposed && balanced ? pictures + 1 : 1;
}

static void cameras_put(cJSON *found, const char *key, double value)
{
	if (value > 0)
		cJSON_AddNumberToObject(found, key, value);
}

int cameras_calibrate(struct cameras *cameras, size_t camera,
		      const struct backend_shot *shot, cJSON *found, struct err *err)
{
	struct slot *slot = &cameras->slots[camera];
	struct camera_metadata before = {0};
	struct camera_result result;
	int alike = 0, ret;

	for (int i = 0; alike < STEADY_PICTURES; i++) {
		ret = cameras_shoot(cameras, slot, shot, CAMERA_MEASURE, &result, err);
		if (ret < 0)
			return ret;
		free(result.picture.bytes);
		if (!result.facts.has[CAMERA_AE_ENABLE] &&
		    !result.facts.has[CAMERA_AWB_ENABLE])
			return err_code(
				err, -ENOTSUP, "not_supported",
				"the camera %s finds neither exposure nor white balance "
				"by itself",
				slot->name);
		if (i >= PATIENT_PICTURES)
			return err_code(
				err, -ETIME, "hardware_fault",
				"exposure and white balance of the camera %s did not "
				"come to rest within %d pictures",
				slot->name, PATIENT_PICTURES);
		alike = steady_for(alike, &before, &result.picture.metadata);
		before = result.picture.metadata;
	}
	cameras_put(found, "shutter", before.exposure_us / 1e3);
	cameras_put(found, "awbg_red", before.red);
	cameras_put(found, "awbg_blue", before.blue);
	return 0;
}
