#include "agent/workers/deed.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/cancel.h"
#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/workers/rig_slot.h"
#include "hal/frame.h"
#include "hal/rig.h"
#include "tasks/community/community.h"
#include "tasks/modules/network.h"
#include "tasks/capture/photo.h"
#include "tasks/project/project.h"

#define PREVIEW_SECONDS 10
#define PREVIEW_FPS 1

/* The state of the named device; of all of its kind when none is named. */
static cJSON *state_of(struct rig *rig, enum device_kind kind, const char *name)
{
	size_t n = rig_count(rig, kind);
	cJSON *all, *list;
	char plural[32];

	for (size_t i = 0; i < n; i++)
		if (n == 1 || (name && !strcmp(rig_name(rig, kind, i), name)))
			return rig_state(rig, kind, i);
	all = cJSON_CreateObject();
	snprintf(plural, sizeof(plural), "%ss", device_kind_name(kind));
	list = cJSON_AddArrayToObject(all, plural);
	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, rig_state(rig, kind, i));
	return all;
}

/* ---- motors ---- */

static int motor_move(const struct deed *deed, const cJSON *body, cJSON **data,
		      struct err *err)
{
	struct rig *rig = deed->services->rig;
	struct rig_target target = {
		.motor = json_string(body, "name"),
		.degrees = json_number(body, "degrees", 0),
		.relative = json_bool(body, "relative", false),
	};
	int ret = rig_move(rig, &target, 1, deed->cancel, err);

	if (ret == 0)
		*data = state_of(rig, DEVICE_MOTOR, target.motor);
	return ret;
}

static int motor_home(const struct deed *deed, const cJSON *body, cJSON **data,
		      struct err *err)
{
	const char *name = json_string(body, "name");
	int ret = rig_home(deed->services->rig, name, deed->cancel, err);

	if (ret == 0)
		*data = state_of(deed->services->rig, DEVICE_MOTOR, name);
	return ret;
}

static int motor_stop(const struct deed *deed, const cJSON *body, cJSON **data,
		      struct err *err)
{
	(void)err;
	rig_stop_motion(deed->services->rig);
	*data = state_of(deed->services->rig, DEVICE_MOTOR, json_string(body, "name"));
	return 0;
}

static int motor_override(const struct deed *deed, const cJSON *body, cJSON **data,
			  struct err *err)
{
	const char *name = json_string(body, "name");
	int ret = rig_override(deed->services->rig, name, json_number(body, "degrees", 0),
			       err);

	if (ret == 0)
		*data = state_of(deed->services->rig, DEVICE_MOTOR, name);
	return ret;
}

/* ---- lights ---- */

static int light_set(const struct deed *deed, const cJSON *body, cJSON **data,
		     struct err *err)
{
	const char *name = json_string(body, "name");
	const char *state = json_string(body, "state");
	int brightness = (int)json_number(body, "brightness", -1);
	bool on = state ? !strcmp(state, "ON") : brightness != 0;
	int ret = rig_light_set(deed->services->rig, name, on, brightness, err);

	if (ret == 0)
		*data = state_of(deed->services->rig, DEVICE_LIGHT, name);
	return ret;
}

static int light_toggle(const struct deed *deed, const cJSON *body, cJSON **data,
			struct err *err)
{
	struct rig *rig = deed->services->rig;
	const char *name = json_string(body, "name");

	for (size_t i = 0; i < rig_count(rig, DEVICE_LIGHT); i++) {
		const char *light = rig_name(rig, DEVICE_LIGHT, i);
		struct rig_light now;
		int ret;

		if (name && strcmp(name, light) != 0)
			continue;
		ret = rig_light_get(rig, light, &now, err);
		if (ret == 0)
			ret = rig_light_set(rig, light, !now.on, -1, err);
		if (ret < 0)
			return ret;
	}
	*data = state_of(rig, DEVICE_LIGHT, name);
	return 0;
}

/* ---- cameras, triggers ---- */

/* One picture, taken by take(), on the camera's image topic. */
static int show(const struct deed *deed, size_t camera,
		int (*take)(struct rig *rig, size_t camera, struct cancel *cancel,
			    struct frame **frame, struct err *err),
		struct err *err)
{
	struct rig *rig = deed->services->rig;
	struct frame *frame = NULL;
	void *jpeg = NULL;
	size_t size = 0;
	int ret = take(rig, camera, deed->cancel, &frame, err);

	if (ret == 0)
		ret = photo_preview(frame, &jpeg, &size, err);
	if (ret == 0)
		deed->image(deed->context, rig_name(rig, DEVICE_CAMERA, camera), jpeg,
			    size);
	free(jpeg);
	frame_free(frame);
	return ret;
}

static int camera_capture(const struct deed *deed, const cJSON *body, cJSON **data,
			  struct err *err)
{
	struct rig *rig = deed->services->rig;
	int camera = rig_find(rig, DEVICE_CAMERA, json_string(body, "name"), err);
	int ret = camera < 0 ? camera : show(deed, (size_t)camera, rig_capture, err);

	if (ret == 0)
		*data = rig_state(rig, DEVICE_CAMERA, (size_t)camera);
	return ret;
}

/* A slow camera shows fewer pictures; none is made up for. */
static int camera_preview(const struct deed *deed, const cJSON *body, cJSON **data,
			  struct err *err)
{
	struct rig *rig = deed->services->rig;
	int camera = rig_find(rig, DEVICE_CAMERA, json_string(body, "name"), err);
	int64_t step_ns = (int64_t)(1e9 / json_number(body, "fps", PREVIEW_FPS));
	int64_t due = clock_monotonic_ns(), end;
	int ret = camera < 0 ? camera : 0, frames = 0;

	end = due + (int64_t)(1e9 * json_number(body, "seconds", PREVIEW_SECONDS));
	while (ret == 0 && due < end) {
		ret = show(deed, (size_t)camera, rig_preview, err);
		frames += ret == 0;
		due += step_ns;
		if (due < clock_monotonic_ns())
			due = clock_monotonic_ns();
		if (ret == 0 && cancel_wait_until(deed->cancel, due < end ? due : end))
			ret = err_code(err, -EINTR, "interrupted",
				       "the preview was interrupted");
	}
	if (ret < 0)
		return ret;
	*data = rig_state(rig, DEVICE_CAMERA, (size_t)camera);
	cJSON_AddNumberToObject(*data, "frames", frames);
	return 0;
}

static int camera_calibrate(const struct deed *deed, const cJSON *body, cJSON **data,
			    struct err *err)
{
	struct rig *rig = deed->services->rig;
	int camera = rig_find(rig, DEVICE_CAMERA, json_string(body, "name"), err);
	int ret = camera < 0
			  ? camera
			  : rig_camera_calibrate(rig, (size_t)camera, deed->cancel, err);

	if (ret == 0)
		*data = rig_state(rig, DEVICE_CAMERA, (size_t)camera);
	return ret;
}

static int camera_settings(const struct deed *deed, const cJSON *body, cJSON **data,
			   struct err *err)
{
	struct rig *rig = deed->services->rig;
	const cJSON *settings = cJSON_GetObjectItemCaseSensitive(body, "settings");
	int camera = rig_find(rig, DEVICE_CAMERA, json_string(body, "name"), err);
	int ret = camera < 0 ? camera : 0;

	if (ret == 0 && settings)
		ret = rig_camera_set(rig, (size_t)camera, settings, err);
	if (ret == 0)
		*data = rig_state(rig, DEVICE_CAMERA, (size_t)camera);
	return ret;
}

static int trigger_fire(const struct deed *deed, const cJSON *body, cJSON **data,
			struct err *err)
{
	struct rig *rig = deed->services->rig;
	int trigger = rig_find(rig, DEVICE_TRIGGER, json_string(body, "name"), err);
	int ret;

	if (trigger < 0)
		return trigger;
	ret = rig_trigger(rig, rig_name(rig, DEVICE_TRIGGER, (size_t)trigger),
			  (int64_t)json_number(body, "pre_ms", 0),
			  (int64_t)json_number(body, "post_ms", 0), deed->cancel, err);
	if (ret == 0)
		*data = rig_state(rig, DEVICE_TRIGGER, (size_t)trigger);
	return ret;
}

/* ---- lines ---- */

static cJSON *line_state(int line, bool value)
{
	cJSON *state = cJSON_CreateObject();

	cJSON_AddNumberToObject(state, "line", line);
	cJSON_AddNumberToObject(state, "value", value);
	return state;
}

static int gpio_read(const struct deed *deed, const cJSON *body, cJSON **data,
		     struct err *err)
{
	int line = (int)json_number(body, "line", -1);
	int ret = rig_line_get(deed->services->rig, line, err);

	if (ret < 0)
		return ret;
	*data = line_state(line, ret);
	return 0;
}

static int gpio_set(const struct deed *deed, const cJSON *body, cJSON **data,
		    struct err *err)
{
	int line = (int)json_number(body, "line", -1);
	bool value = json_number(body, "value", 0) > 0;
	int ret = rig_line_set(deed->services->rig, line, value, err);

	if (ret == 0)
		*data = line_state(line, value);
	return ret;
}

/* ---- projects ---- */

static int project_create(const struct deed *deed, const cJSON *body, cJSON **data,
			  struct err *err)
{
	return projects_create(deed->services->projects, json_string(body, "project"),
			       json_string(body, "description"), data, err);
}

static int project_list(const struct deed *deed, const cJSON *body, cJSON **data,
			struct err *err)
{
	return projects_list(deed->services->projects,
			     (int)json_number(body, "limit", 50),
			     json_string(body, "next"), data, err);
}

static int project_get(const struct deed *deed, const cJSON *body, cJSON **data,
		       struct err *err)
{
	return projects_get(deed->services->projects, json_string(body, "project"), data,
			    err);
}

static int project_delete(const struct deed *deed, const cJSON *body, cJSON **data,
			  struct err *err)
{
	return projects_delete(deed->services->projects, json_string(body, "project"),
			       data, err);
}

/* ---- task types ---- */

static int agent_sync(const struct deed *deed, const cJSON *body, cJSON **data,
		      struct err *err)
{
	(void)body;
	(void)data;
	(void)err;
	deed->types(deed->context, community_refresh(deed->services->community));
	return 0;
}

/* ---- the network ---- */

/* The core's own at a start: nobody waits for an answer. */
static int look_for_network(const struct deed *deed, const cJSON *body, cJSON **data,
			    struct err *err)
{
	bool connected = false;
	int ret = network_look(deed->cancel, &connected, err);

	(void)body;
	(void)data;
	if (ret < 0)
		log_warn("no Wi-Fi code is looked for: %s", err->text);
	else if (connected)
		log_info("a network is there: no Wi-Fi code is looked for");
	else
		deed->offline(deed->context);
	return ret;
}

/* ---- the whole rig ---- */

static int device_reload(const struct deed *deed, const cJSON *body, cJSON **data,
			 struct err *err)
{
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(body, "config");
	int ret = seat_exchange(deed->seat, config, err);

	if (ret == 0)
		*data = seat_describe(deed->seat);
	return ret;
}

/* ---- dry_run ---- */

static int dry_run(const struct deed *deed, const char *args, cJSON **data,
		   struct err *err)
{
	struct task_estimate estimate = {
		.bytes_free = (double)projects_bytes_free(deed->services->projects)};
	const struct task_type *type = deed->type->type;
	cJSON *problems;

	if (type->estimate && type->estimate(type, deed->services, args, &estimate) < 0)
		return err_code(err, -EIO, "internal",
				"%s cannot estimate these arguments", type->name);
	problems =
		estimate.problems ? cJSON_Parse(estimate.problems) : cJSON_CreateArray();
	free(estimate.problems);
	*data = cJSON_CreateObject();
	cJSON_AddNumberToObject(*data, "photos", estimate.photos);
	cJSON_AddNumberToObject(*data, "bytes", estimate.bytes);
	cJSON_AddNumberToObject(*data, "seconds", round(estimate.seconds * 10) / 10);
	cJSON_AddNumberToObject(*data, "bytes_free", estimate.bytes_free);
	cJSON_AddItemToObject(*data, "problems", problems);
	return 0;
}

static const struct {
	const char *verb;
	int (*function)(const struct deed *deed, const cJSON *body, cJSON **data,
			struct err *err);
} deeds[] = {
	{"motor/move", motor_move},
	{"motor/home", motor_home},
	{"motor/stop", motor_stop},
	{"motor/override", motor_override},
	{"light/set", light_set},
	{"light/toggle", light_toggle},
	{"camera/capture", camera_capture},
	{"camera/preview", camera_preview},
	{"camera/calibrate", camera_calibrate},
	{"camera/settings", camera_settings},
	{"trigger/fire", trigger_fire},
	{"gpio/read", gpio_read},
	{"gpio/set", gpio_set},
	{"agent/sync", agent_sync},
	{"network/look", look_for_network},
	{"device/reload", device_reload},
	{"project/create", project_create},
	{"project/list", project_list},
	{"project/get", project_get},
	{"project/delete", project_delete},
};

int deed_do(const struct deed *deed, const char *verb, const char *body, cJSON **data,
	    struct err *err)
{
	cJSON *object;
	int ret;

	if (deed->type)
		return dry_run(deed, body, data, err);
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		if (strcmp(deeds[i].verb, verb) != 0)
			continue;
		object = cJSON_Parse(body);
		ret = deeds[i].function(deed, object, data, err);
		cJSON_Delete(object);
		return ret;
	}
	return err_set(err, -ENOSYS, "nobody carries out %s", verb);
}
