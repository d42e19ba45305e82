/* The verbs of the noun camera. */
#include "agent/commands/device.h"
#include "agent/commands/tables.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/base/cancel.h"
#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/workers/mailbox.h"
#include "hal/frame.h"
#include "tasks/capture/photo.h"
#include "tasks/services.h"

#define PREVIEW_SECONDS 10
#define PREVIEW_FPS 1

static void camera_decide(struct core *core, struct response *response)
{
	device_start_unless_estopped(core, response, DEVICE_CAMERA);
}

static int named_camera(const struct work *work, const cJSON *body, struct err *err)
{
	return rig_find(work->services->rig, DEVICE_CAMERA, json_string(body, "name"),
			err);
}

/* Takes one picture with take() and publishes it on the camera's image topic. */
static int show(const struct work *work, size_t camera,
		int (*take)(struct rig *rig, size_t camera, struct cancel *cancel,
			    struct frame **frame, struct err *err),
		struct err *err)
{
	struct rig *rig = work->services->rig;
	struct frame *frame = NULL;
	void *jpeg = NULL;
	size_t size = 0;
	int ret = take(rig, camera, work->cancel, &frame, err);

	if (ret == 0)
		ret = photo_preview(frame, &jpeg, &size, err);
	if (ret == 0)
		mailbox_post(
			work->mailbox,
			event_image(rig_name(rig, DEVICE_CAMERA, camera), jpeg, size));
	free(jpeg);
	frame_free(frame);
	return ret;
}

static int camera_capture(const struct work *work, const cJSON *body, cJSON **data,
			  struct err *err)
{
	int camera = named_camera(work, body, err);
	int ret = camera < 0 ? camera : show(work, (size_t)camera, rig_capture, err);

	if (ret == 0)
		*data = rig_state(work->services->rig, DEVICE_CAMERA, (size_t)camera);
	return ret;
}

/* A slow camera shows fewer pictures; those that were missed are not made up for. */
static int camera_preview(const struct work *work, const cJSON *body, cJSON **data,
			  struct err *err)
{
	int camera = named_camera(work, body, err);
	int64_t step_ns = (int64_t)(1e9 / json_number(body, "fps", PREVIEW_FPS));
	int64_t due = clock_monotonic_ns(), end;
	int ret = camera < 0 ? camera : 0, frames = 0;

	end = due + (int64_t)(1e9 * json_number(body, "seconds", PREVIEW_SECONDS));
	while (ret == 0 && due < end) {
		ret = show(work, (size_t)camera, rig_preview, err);
		frames += ret == 0;
		due += step_ns;
		if (due < clock_monotonic_ns())
			due = clock_monotonic_ns();
		if (ret == 0 && cancel_wait_until(work->cancel, due < end ? due : end))
			ret = err_code(err, -EINTR, "interrupted",
				       "the preview was interrupted");
	}
	if (ret < 0)
		return ret;
	*data = rig_state(work->services->rig, DEVICE_CAMERA, (size_t)camera);
	cJSON_AddNumberToObject(*data, "frames", frames);
	return 0;
}

static int camera_calibrate(const struct work *work, const cJSON *body, cJSON **data,
			    struct err *err)
{
	struct rig *rig = work->services->rig;
	int camera = named_camera(work, body, err);
	int ret = camera;

	if (camera >= 0)
		ret = rig_camera_calibrate(rig, (size_t)camera, work->cancel, err);
	if (ret == 0)
		*data = rig_state(rig, DEVICE_CAMERA, (size_t)camera);
	return ret;
}

static void camera_settings_decide(struct core *core, struct response *response)
{
	device_start(core, response, DEVICE_CAMERA);
}

static int camera_settings(const struct work *work, const cJSON *body, cJSON **data,
			   struct err *err)
{
	struct rig *rig = work->services->rig;
	const cJSON *settings = cJSON_GetObjectItemCaseSensitive(body, "settings");
	int camera = named_camera(work, body, err);
	int ret = camera < 0 ? camera : 0;

	if (ret == 0 && settings)
		ret = rig_camera_set(rig, (size_t)camera, settings, err);
	if (ret == 0)
		*data = rig_state(rig, DEVICE_CAMERA, (size_t)camera);
	return ret;
}

const struct verb camera_verbs[] = {
	{
		.name = "camera/capture",
		.flags = VERB_WRITES | VERB_FRESH,
		.schema = SCHEMA_OBJECT(SCHEMA_NAME),
		.decide = camera_decide,
		.work = camera_capture,
	},
	{
		.name = "camera/preview",
		.flags = VERB_WRITES | VERB_FRESH,
		.schema = SCHEMA_OBJECT(
			SCHEMA_NAME
			",\"seconds\":{\"type\":\"number\",\"minimum\":0,\"maximum\":120},"
			"\"fps\":{\"type\":\"number\",\"minimum\":0.1,\"maximum\":2}"),
		.decide = camera_decide,
		.work = camera_preview,
	},
	{
		.name = "camera/calibrate",
		.flags = VERB_WRITES | VERB_FRESH,
		.schema = SCHEMA_OBJECT(SCHEMA_NAME),
		.decide = camera_decide,
		.work = camera_calibrate,
	},
	{
		.name = "camera/settings",
		.flags = VERB_WRITES | VERB_FRESH | VERB_QUEUEABLE,
		.schema =
			SCHEMA_OBJECT(SCHEMA_NAME ",\"settings\":{\"type\":\"object\"}"),
		.decide = camera_settings_decide,
		.work = camera_settings,
	},
	{.name = NULL},
};
