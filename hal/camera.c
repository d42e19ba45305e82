/* A camera's settings and their schema, and photos in one step or two. */
#include "hal/camera.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/json.h"
#include "hal/operation.h"
#include "hal/device_config.h"

#define PREVIEW_WIDTH 640 /* of a preview without preview_resolution */

/* clang-format off */
#define NUMBER(name, low, high, otherwise) \
	"\"" name "\":{\"type\":\"number\",\"minimum\":" low ",\"maximum\":" high \
	",\"default\":" otherwise "}"
#define INTEGER(name, low, high, otherwise) \
	"\"" name "\":{\"type\":\"integer\",\"minimum\":" low ",\"maximum\":" high \
	",\"default\":" otherwise "}"
#define LIST(name, count, low) \
	"\"" name "\":{\"type\":[\"array\",\"null\"],\"minItems\":" count \
	",\"maxItems\":" count ",\"items\":{\"type\":\"integer\",\"minimum\":" low "}," \
	"\"default\":null}"

static const char camera_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	NUMBER("shutter", "0.001", "435918.849", "50.0") "," /* ms */
	NUMBER("saturation", "0", "32", "1.0") ","
	NUMBER("contrast", "0", "32", "1.0") ","
	NUMBER("awbg_red", "0", "32", "1.8") ","
	NUMBER("awbg_blue", "0", "32", "1.8") ","
	NUMBER("gain", "0", "32", "1.0") ","
	INTEGER("jpeg_quality", "0", "100", "90") ","
	"\"AF\":{\"type\":\"boolean\",\"default\":true},"
	NUMBER("manual_focus", "0", "15", "12.0") "," /* dioptres */
	NUMBER("crop_width", "0", "100", "10") "," /* percent */
	NUMBER("crop_height", "0", "100", "10") "," /* percent */
	INTEGER("orientation_flag", "1", "8", "8") "," /* of EXIF */
	LIST("AF_window", "4", "0") ","
	LIST("preview_resolution", "2", "16") ","
	LIST("photo_resolution", "2", "16") "}}";
/* clang-format on */

/* A photo that has been exposed and not yet read out. */
struct rig_shot {
	struct camera *camera;
	void *latent; /* the backend's */
	int orientation, jpeg_quality;
};

/* The schema language cannot bound each item of a list separately. */
static int camera_check_size(const struct camera *camera, const cJSON *settings,
			     const char *key, struct err *err)
{
	const cJSON *size = cJSON_GetObjectItemCaseSensitive(settings, key);
	const struct rig_context *ctx = camera->ctx;
	int width, height;

	if (!cJSON_IsArray(size))
		return 0;
	ctx->backend->cameras->size(ctx->hardware, camera->index, &width, &height);
	if (cJSON_GetArrayItem(size, 0)->valueint <= width &&
	    cJSON_GetArrayItem(size, 1)->valueint <= height)
		return 0;
	return err_code(err, -EINVAL, "invalid_args",
			"%s must be at most %d by %d, not %d by %d", key, width, height,
			cJSON_GetArrayItem(size, 0)->valueint,
			cJSON_GetArrayItem(size, 1)->valueint);
}

static int camera_check(const struct camera *camera, cJSON *settings, const char *at,
			struct err *err)
{
	int ret = device_config_check(camera_schema, settings, at, err);

	if (ret == 0)
		ret = camera_check_size(camera, settings, "photo_resolution", err);
	if (ret == 0)
		ret = camera_check_size(camera, settings, "preview_resolution", err);
	return ret;
}

int camera_open(struct camera *camera, struct rig_context *ctx, size_t index,
		const cJSON *item, struct err *err)
{
	const cJSON *settings = cJSON_GetObjectItemCaseSensitive(item, "settings");
	const char *type = json_string(item, "type");
	char at[DEVICE_NAME + 16];
	int ret = device_config_check_name(DEVICE_CAMERA, item->string, err);

	if (ret < 0)
		return ret;
	camera->ctx = ctx;
	camera->index = index;
	snprintf(camera->name, sizeof(camera->name), "%s", item->string);
	snprintf(camera->type, sizeof(camera->type), "%s",
		 type ? type : ctx->backend->name);
	camera->settings = device_config_copy(settings);
	snprintf(at, sizeof(at), "cameras.%s", item->string);
	return camera_check(camera, camera->settings, at, err);
}

void camera_close(struct camera *camera)
{
	cJSON_Delete(camera->settings);
}

cJSON *camera_settings(struct camera *camera)
{
	cJSON *copy;

	pthread_mutex_lock(&camera->ctx->lock);
	copy = cJSON_Duplicate(camera->settings, true);
	pthread_mutex_unlock(&camera->ctx->lock);
	return copy;
}

static void camera_merge(cJSON *settings, const cJSON *patch)
{
	const cJSON *value;

	cJSON_ArrayForEach(value, patch) {
		cJSON_DeleteItemFromObjectCaseSensitive(settings, value->string);
		cJSON_AddItemToObject(settings, value->string,
				      cJSON_Duplicate(value, true));
	}
}

int camera_set(struct camera *camera, const cJSON *patch, struct err *err)
{
	struct rig_context *ctx = camera->ctx;
	cJSON *settings, *old;
	int ret;

	if (!cJSON_IsObject(patch))
		return err_code(err, -EINVAL, "invalid_args",
				"settings must be an object");

	/* Checked under the lock, so that no concurrent change is lost. */
	pthread_mutex_lock(&ctx->lock);
	old = camera->settings;
	settings = cJSON_Duplicate(old, true);
	camera_merge(settings, patch);
	ret = camera_check(camera, settings, NULL, err);
	if (ret == 0)
		camera->settings = settings;
	pthread_mutex_unlock(&ctx->lock);

	cJSON_Delete(ret == 0 ? old : settings);
	if (ret == 0)
		rig_context_notify(ctx, DEVICE_CAMERA, camera->name);
	return ret;
}

static bool camera_claim(struct camera *camera)
{
	bool free;

	pthread_mutex_lock(&camera->ctx->lock);
	free = !camera->busy;
	camera->busy = true;
	pthread_mutex_unlock(&camera->ctx->lock);
	if (free)
		rig_context_notify(camera->ctx, DEVICE_CAMERA, camera->name);
	return free;
}

static void camera_release(struct camera *camera)
{
	pthread_mutex_lock(&camera->ctx->lock);
	camera->busy = false;
	pthread_mutex_unlock(&camera->ctx->lock);
	rig_context_notify(camera->ctx, DEVICE_CAMERA, camera->name);
}

/* The context of a backend_shot. */
struct shot_context {
	const struct operation *op;
	int64_t due; /* in the backend's time: when to give up */
};

static int camera_check_shot(const struct backend_shot *shot)
{
	const struct shot_context *context = shot->context;
	const struct rig_context *ctx = context->op->ctx;
	int ret = operation_check(context->op);

	if (ret == 0 && ctx->backend->now(ctx->hardware) > context->due)
		return -ETIMEDOUT;
	return ret;
}

/* In the backend's time: now, this exposure, two more that a free-running sensor may
 * have to finish first, and the patience. */
static int64_t camera_due(const struct rig_context *ctx, const cJSON *settings)
{
	double ms = 3 * json_number(settings, "shutter", 0) + RIG_CAMERA_PATIENCE_S * 1e3;

	return ctx->backend->now(ctx->hardware) + llround(ms * 1e6);
}

/* Takes ownership of settings. */
static int camera_shoot(struct camera *camera, const struct operation *op,
			cJSON *settings, bool preview, struct rig_shot *out,
			struct err *err)
{
	struct rig_context *ctx = camera->ctx;
	struct shot_context context = {op, camera_due(ctx, settings)};
	struct backend_shot shot = {
		.settings = settings,
		.cancel = op->cancel,
		.preview = preview,
		.check = camera_check_shot,
		.context = &context,
	};
	int ret = operation_check(op);

	if (ret == 0)
		ret = ctx->backend->cameras->expose(ctx->hardware, camera->index, &shot,
						    &out->latent, err);
	out->camera = camera;
	out->orientation = (int)json_number(settings, "orientation_flag", 1);
	out->jpeg_quality = (int)json_number(settings, "jpeg_quality", 90);
	cJSON_Delete(settings);
	return ret;
}

static int camera_begin(struct camera *camera, struct cancel *cancel,
			struct operation *op, struct err *err)
{
	int ret = operation_begin(op, camera->ctx, cancel, err);

	if (ret == 0 && !camera_claim(camera))
		ret = err_code(err, -EBUSY, "device_busy",
			       "the camera %s is taking a photo", camera->name);
	return ret;
}

static int camera_explain(const struct camera *camera, const struct operation *op,
			  int ret, struct err *err)
{
	if (ret == -EINTR || ret == -ECANCELED)
		return operation_explain(op, ret, err, "the photo of", camera->name);
	if (ret == -ETIMEDOUT)
		return err_code(err, ret, "hardware_fault",
				"the camera %s did not answer for %d seconds",
				camera->name, RIG_CAMERA_PATIENCE_S);
	return ret;
}

int camera_expose(struct camera *camera, struct cancel *cancel, struct rig_shot **out,
		  struct err *err)
{
	struct rig_shot *shot = calloc(1, sizeof(*shot));
	struct operation op;
	int ret;

	if (!shot)
		return err_set(err, -ENOMEM, "out of memory");
	ret = camera_begin(camera, cancel, &op, err);
	if (ret == 0) {
		ret = camera_shoot(camera, &op, camera_settings(camera), false, shot,
				   err);
		camera_release(camera);
	}
	if (ret < 0) {
		free(shot);
		return camera_explain(camera, &op, ret, err);
	}
	*out = shot;
	return 0;
}

static int camera_develop(const struct rig_shot *shot, struct frame **out,
			  struct err *err)
{
	const struct camera *camera = shot->camera;
	const struct rig_context *ctx = camera->ctx;
	struct frame *frame;
	int ret = ctx->backend->cameras->read_out(ctx->hardware, camera->index,
						  shot->latent, &frame, err);

	if (ret < 0)
		return ret;
	if (frame->rows < frame->height) {
		ret = err_code(err, -EIO, "hardware_fault",
			       "the photo of %s is torn: %d of %d rows arrived",
			       camera->name, frame->rows, frame->height);
		frame_free(frame);
		return ret;
	}
	frame->orientation = shot->orientation;
	frame->jpeg_quality = shot->jpeg_quality;
	snprintf(frame->camera, sizeof(frame->camera), "%s", camera->name);
	*out = frame;
	return 0;
}

int camera_read_out(struct rig_shot *shot, struct frame **frame, struct err *err)
{
	int ret = camera_develop(shot, frame, err);

	free(shot);
	return ret;
}

void camera_drop(struct rig_shot *shot)
{
	if (!shot)
		return;
	shot->camera->ctx->backend->cameras->discard(shot->camera->ctx->hardware,
						     shot->camera->index, shot->latent);
	free(shot);
}

/* Takes ownership of settings. */
static int camera_take(struct camera *camera, struct cancel *cancel, cJSON *settings,
		       bool preview, struct frame **frame, struct err *err)
{
	struct rig_shot shot = {0};
	struct operation op;
	int ret = camera_begin(camera, cancel, &op, err);

	if (ret < 0) {
		cJSON_Delete(settings);
		return ret;
	}
	ret = camera_shoot(camera, &op, settings, preview, &shot, err);
	if (ret == 0)
		ret = camera_develop(&shot, frame, err);
	camera_release(camera);
	return ret < 0 ? camera_explain(camera, &op, ret, err) : 0;
}

int camera_capture(struct camera *camera, struct cancel *cancel, struct frame **frame,
		   struct err *err)
{
	return camera_take(camera, cancel, camera_settings(camera), false, frame, err);
}

/* Without a chosen size, the backend's largest. */
static void camera_full_size(const struct camera *camera, const cJSON *settings,
			     int *width, int *height)
{
	const cJSON *size =
		cJSON_GetObjectItemCaseSensitive(settings, "photo_resolution");
	const struct rig_context *ctx = camera->ctx;

	ctx->backend->cameras->size(ctx->hardware, camera->index, width, height);
	if (cJSON_IsArray(size)) {
		*width = cJSON_GetArrayItem(size, 0)->valueint;
		*height = cJSON_GetArrayItem(size, 1)->valueint;
	}
}

/* The settings of a preview. */
static cJSON *camera_small_settings(struct camera *camera)
{
	cJSON *settings = camera_settings(camera);
	cJSON *size =
		cJSON_DetachItemFromObjectCaseSensitive(settings, "preview_resolution");

	if (!cJSON_IsArray(size)) {
		int wide[2];

		cJSON_Delete(size);
		camera_full_size(camera, settings, &wide[0], &wide[1]);
		if (wide[0] > PREVIEW_WIDTH) {
			wide[1] = (int)((int64_t)wide[1] * PREVIEW_WIDTH / wide[0]);
			wide[0] = PREVIEW_WIDTH;
		}
		size = cJSON_CreateIntArray(wide, 2);
	}
	cJSON_DeleteItemFromObjectCaseSensitive(settings, "photo_resolution");
	cJSON_AddItemToObject(settings, "photo_resolution", size);
	return settings;
}

int camera_preview(struct camera *camera, struct cancel *cancel, struct frame **frame,
		   struct err *err)
{
	return camera_take(camera, cancel, camera_small_settings(camera), true, frame,
			   err);
}

/* No deadline for the whole: the backend gives up each of its photos, which together
 * may take long. */
static int camera_measure(struct camera *camera, const struct operation *op, cJSON *found,
			  struct err *err)
{
	struct rig_context *ctx = camera->ctx;
	cJSON *settings = camera_small_settings(camera);
	struct shot_context context = {op, INT64_MAX};
	struct backend_shot shot = {
		.settings = settings,
		.cancel = op->cancel,
		.check = camera_check_shot,
		.context = &context,
	};
	int ret = operation_check(op);

	if (ret == 0)
		ret = ctx->backend->cameras->calibrate(ctx->hardware, camera->index,
						       &shot, found, err);
	cJSON_Delete(settings);
	return ret;
}

int camera_calibrate(struct camera *camera, struct cancel *cancel, struct err *err)
{
	struct operation op;
	cJSON *found;
	int ret;

	if (!camera->ctx->backend->cameras->calibrate)
		return err_code(err, -ENOTSUP, "not_supported",
				"the camera %s cannot find its settings by itself",
				camera->name);
	ret = camera_begin(camera, cancel, &op, err);
	if (ret < 0)
		return ret;
	found = cJSON_CreateObject();
	ret = camera_measure(camera, &op, found, err);
	camera_release(camera);
	if (ret == 0)
		ret = camera_set(camera, found, err);
	else
		ret = camera_explain(camera, &op, ret, err);
	cJSON_Delete(found);
	return ret;
}

int camera_answers(struct camera *camera, struct err *err)
{
	const struct rig_context *ctx = camera->ctx;

	if (!ctx->backend->cameras->answers)
		return 0;
	return ctx->backend->cameras->answers(ctx->hardware, camera->index, err);
}

bool camera_busy(struct camera *camera)
{
	bool busy;

	pthread_mutex_lock(&camera->ctx->lock);
	busy = camera->busy;
	pthread_mutex_unlock(&camera->ctx->lock);
	return busy;
}

cJSON *camera_state(struct camera *camera)
{
	cJSON *state = cJSON_CreateObject();

	cJSON_AddStringToObject(state, "name", camera->name);
	cJSON_AddStringToObject(state, "type", camera->type);
	cJSON_AddBoolToObject(state, "busy", camera_busy(camera));
	cJSON_AddItemToObject(state, "settings", camera_settings(camera));
	return state;
}
