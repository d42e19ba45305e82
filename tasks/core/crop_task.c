/* crop_task: finds how much of a camera's picture can be cropped, and sets that crop. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/json.h"
#include "hal/frame.h"
#include "hal/rig.h"
#include "tasks/core/preflight.h"
#include "tasks/crop/crop.h"
#include "tasks/project/folder.h"
#include "tasks/capture/photo.h"
#include "tasks/capture/quality.h"
#include "tasks/services.h"
#include "tasks/task_api.h"

#define FOLDER "crop" /* below the state folder */
#define PATH 400
#define DRAWING_QUALITY 85
#define DARK_SHARE 0.999 /* share of pixels darker than an eighth of white */

static const char crop_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	"\"camera\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64,"
	"\"description\":\"Default: the only one\"},"
	"\"threshold\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":"
	"100,"
	"\"description\":\"How much brightness must change to be seen as an outline\"},"
	"\"apply\":{\"type\":\"boolean\",\"default\":true,"
	"\"description\":\"Set the camera's crop_width and crop_height\"}}}";

struct crop_run {
	const struct task_host *host;
	struct task_run *run;
	struct rig *rig;
	size_t camera;
	const char *name; /* of the camera */
	int threshold;
	bool apply;
	cJSON *before; /* crop_width and crop_height as they were */
	struct crop crop;
	char image[PATH * 2];
};

static int set_crop(const struct crop_run *c, int width, int height, struct err *err)
{
	cJSON *patch = cJSON_CreateObject();
	int ret;

	cJSON_AddNumberToObject(patch, "crop_width", width);
	cJSON_AddNumberToObject(patch, "crop_height", height);
	ret = rig_camera_set(c->rig, c->camera, patch, err);
	cJSON_Delete(patch);
	return ret;
}

static int remember_settings(struct crop_run *c, struct err *err)
{
	cJSON *settings = rig_camera_settings(c->rig, c->camera);

	c->before = cJSON_CreateObject();
	for (int i = 0; i < 2; i++) {
		const char *key = i ? "crop_height" : "crop_width";

		cJSON_AddNumberToObject(c->before, key, json_number(settings, key, 0));
	}
	cJSON_Delete(settings);
	return set_crop(c, 0, 0, err);
}

/* ---- the photo ---- */

/* Takes a photo without crop.  0; the gate's answer when stopped; -1 with err. */
static int take_picture(const struct crop_run *c, struct frame **upright, struct err *err)
{
	struct frame *frame;
	int ret, gate;

	do {
		gate = c->host->gate(c->run);
		if (gate)
			return gate;
		ret = rig_capture(c->rig, c->camera, c->host->cancel(c->run), &frame,
				  err);
	} while (ret == -EINTR);
	if (ret < 0)
		return -1;
	*upright = photo_upright(frame);
	frame_free(frame);
	return *upright ? 0 : (err_set(err, -ENOMEM, "out of memory"), -1);
}

/* Writes the drawing to a file, and publishes it on the camera's image topic. */
static int publish_drawing(struct crop_run *c, struct frame *drawing, struct err *err)
{
	struct folder *folder = NULL;
	char name[PATH];
	void *jpeg;
	size_t size;
	int ret;

	drawing->jpeg_quality = DRAWING_QUALITY;
	drawing->orientation = 1;
	ret = photo_encode(drawing, &jpeg, &size, err);
	if (ret < 0)
		return ret;
	snprintf(name, sizeof(name), FOLDER "/%s.jpg", c->name);
	ret = folder_open(&folder, c->host->services->state_dir, err);
	if (ret == 0)
		ret = folder_make_all(folder, FOLDER, err);
	if (ret == 0)
		ret = folder_write(folder, name, jpeg, size, err);
	if (ret == 0)
		snprintf(c->image, sizeof(c->image), "%s/%s", folder_path(folder), name);
	folder_close(folder);
	free(jpeg);
	if (ret == 0 && photo_preview(drawing, &jpeg, &size, err) == 0) {
		c->host->image(c->run, c->name, jpeg, size);
		free(jpeg);
	}
	return ret;
}

/* In the dark every outline found would be noise. */
static void warn_of_darkness(const struct crop_run *c, const struct frame *picture)
{
	struct quality quality;

	quality_measure(picture, &quality);
	if (quality.histogram[0] + quality.histogram[1] > DARK_SHARE)
		c->host->log(
			c->run, TASK_LOG_WARN,
			"the picture is nearly black: switch a light on and run it again");
}

static int find_outlines(struct crop_run *c, struct err *err)
{
	struct frame *upright, *drawing;
	int ret = take_picture(c, &upright, err);

	if (ret)
		return ret;
	warn_of_darkness(c, upright);
	ret = crop_find(upright, c->threshold, &c->crop, &drawing, err);
	frame_free(upright);
	if (ret < 0)
		return -1;
	ret = publish_drawing(c, drawing, err);
	frame_free(drawing);
	return ret < 0 ? -1 : 0;
}

/* ---- the run ---- */

static void report_result(const struct crop_run *c)
{
	const int box[] = {c->crop.x, c->crop.y, c->crop.width, c->crop.height};
	cJSON *result = cJSON_CreateObject();
	char *text;

	cJSON_AddItemToObject(result, "bbox", cJSON_CreateIntArray(box, 4));
	cJSON_AddNumberToObject(result, "crop_width", c->crop.crop_width);
	cJSON_AddNumberToObject(result, "crop_height", c->crop.crop_height);
	json_put_string(result, "image", c->image);
	cJSON_AddBoolToObject(result, "applied", c->apply);
	text = json_text(result);
	if (text)
		c->host->result(c->run, text);
	cJSON_free(text);
	cJSON_Delete(result);
}

/* Sets the crop that was found, or restores the one before the run. */
static int apply_or_restore(const struct crop_run *c, bool found, struct err *err)
{
	if (found && c->apply)
		return set_crop(c, c->crop.crop_width, c->crop.crop_height, err);
	return rig_camera_set(c->rig, c->camera, c->before, err);
}

static int work(struct crop_run *c)
{
	struct err err = {0}, restore_err = {0};
	int ret =
		c->host->checkpoint(c->run, "{}"); /* a run that is cut off starts over */

	if (ret)
		return ret;
	c->host->progress(c->run, 0, 1, "Taking a picture");
	ret = remember_settings(c, &err);
	if (ret == 0)
		ret = find_outlines(c, &err);
	if (apply_or_restore(c, ret == 0, &restore_err) < 0 && ret == 0) {
		ret = -1;
		err = restore_err;
	}
	if (ret < 0 && err.number)
		return c->host->fail_with(c->run, err.code, err.text);
	if (ret)
		return ret;
	c->host->progress(c->run, 1, 1, "Picture analysed");
	report_result(c);
	return 0;
}

static int crop_run(const struct task_type *type, const struct task_host *host,
		    struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	struct crop_run c = {
		.host = host,
		.run = run,
		.rig = host->services->rig,
		.threshold = (int)json_number(args, "threshold", 0),
		.apply = json_bool(args, "apply", false),
	};
	struct err err = {0};
	int ret = rig_find(c.rig, DEVICE_CAMERA, json_string(args, "camera"), &err);

	(void)type;
	if (ret < 0) {
		ret = host->fail_with(run, err.code, err.text);
	} else {
		c.camera = (size_t)ret;
		c.name = rig_name(c.rig, DEVICE_CAMERA, c.camera);
		ret = work(&c);
	}
	cJSON_Delete(c.before);
	cJSON_Delete(args);
	return ret;
}

/* Takes as long as one photo, and leaves a small file. */
static int crop_estimate(const struct task_type *type,
			 const struct task_services *services, const char *text,
			 struct task_estimate *estimate)
{
	cJSON *args = cJSON_Parse(text);
	struct err err = {0};
	int camera =
		rig_find(services->rig, DEVICE_CAMERA, json_string(args, "camera"), &err);

	(void)type;
	estimate->photos = 1;
	estimate->seconds = 2;
	if (camera < 0 || rig_camera_answers(services->rig, (size_t)camera, &err) < 0)
		estimate->problems = preflight_only(&err);
	cJSON_Delete(args);
	return 0;
}

const struct task_type task_crop = {
	.name = "crop_task",
	.title = "Crop of a camera's picture",
	.category = "core",
	.is_blocking = true,
	.resumable = true,
	.uses = (const char *const[]){"camera", NULL},
	.args = crop_schema,
	.run = crop_run,
	.estimate = crop_estimate,
};
