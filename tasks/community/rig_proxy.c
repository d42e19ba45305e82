/* Carries out a community program's rig requests. */
#include "tasks/community/rig_proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "hal/frame.h"
#include "hal/rig_json.h"
#include "tasks/capture/photo.h"

struct proxy_request {
	const struct rig_proxy *proxy;
	cJSON *members;
	struct cancel *cancel;
	cJSON **value;
};

/* Answers with the device's state now: that of the named device, or of the first of its
 * kind. */
static int answer_state(const struct proxy_request *request, enum device_kind kind)
{
	struct rig *rig = request->proxy->rig;
	const char *name = json_string(request->members, "name");
	struct err none;
	int device = name ? rig_find(rig, kind, name, &none) : 0;

	*request->value = rig_state(rig, kind, device < 0 ? 0 : (size_t)device);
	return 0;
}

/* Turns a distance into a position in the request itself, so that a move that was
 * interrupted still ends where it should. */
static int make_absolute(const struct proxy_request *request, const char *motor,
			 double *degrees, struct err *err)
{
	struct rig_axis axis;
	int ret = rig_axis(request->proxy->rig, motor, &axis, err);

	if (ret < 0)
		return ret;
	if (!axis.known)
		return err_code(err, -ENODATA, "invalid_state",
				"the position of %s is not known, so nothing can be "
				"relative to it",
				motor);
	*degrees += axis.angle;
	if (axis.endless) {
		*degrees -= 360 * (double)(int64_t)(*degrees / 360);
		*degrees += *degrees < 0 ? 360 : 0;
	}
	cJSON_ReplaceItemInObjectCaseSensitive(request->members, "degrees",
					       cJSON_CreateNumber(*degrees));
	cJSON_DeleteItemFromObjectCaseSensitive(request->members, "relative");
	return 0;
}

static int do_move(const struct proxy_request *request, struct err *err)
{
	struct rig *rig = request->proxy->rig;
	struct rig_target target;
	int ret = rig_json_target(rig, request->members, &target, err);

	if (ret == 0 && target.relative)
		ret = make_absolute(request, target.motor, &target.degrees, err);
	target.relative = false;
	if (ret == 0)
		ret = rig_check_targets(rig, &target, 1, err);
	if (ret == 0)
		ret = rig_move(rig, &target, 1, request->cancel, err);
	return ret < 0 ? ret : answer_state(request, DEVICE_MOTOR);
}

static int do_home(const struct proxy_request *request, struct err *err)
{
	int ret = rig_home(request->proxy->rig, json_string(request->members, "name"),
			   request->cancel, err);

	return ret < 0 ? ret : answer_state(request, DEVICE_MOTOR);
}

static int do_light(const struct proxy_request *request, struct err *err)
{
	int ret = rig_json_light(request->proxy->rig, request->members, err);

	return ret < 0 ? ret : answer_state(request, DEVICE_LIGHT);
}

/* Publishes a preview on the camera's image topic.  A failure is ignored: the photo
 * itself is unaffected. */
static void publish_preview(const struct proxy_request *request,
			    const struct frame *frame)
{
	void *jpeg = NULL;
	size_t size = 0;
	struct err none;

	if (photo_preview(frame, &jpeg, &size, &none) == 0)
		request->proxy->host->image(request->proxy->run, frame->camera, jpeg,
					    size);
	free(jpeg);
}

/* Writes the photo into the working folder, whole or not at all. */
static int write_photo(const struct proxy_request *request, const struct frame *frame,
		       const char *file, struct err *err)
{
	void *jpeg = NULL;
	size_t size = 0;
	int ret = photo_encode(frame, &jpeg, &size, err);

	if (ret == 0)
		ret = work_dir_write(request->proxy->work_dir, file, jpeg, size, err);
	free(jpeg);
	if (ret < 0)
		return ret;
	*request->value = cJSON_CreateObject();
	cJSON_AddStringToObject(*request->value, "file", file);
	cJSON_AddNumberToObject(*request->value, "bytes", (double)size);
	cJSON_AddNumberToObject(*request->value, "width", frame->width);
	cJSON_AddNumberToObject(*request->value, "height", frame->height);
	return 0;
}

static int do_capture(const struct proxy_request *request, struct err *err)
{
	struct rig *rig = request->proxy->rig;
	const char *file = json_string(request->members, "file");
	int camera =
		rig_find(rig, DEVICE_CAMERA, json_string(request->members, "name"), err);
	struct frame *frame = NULL;
	int ret;

	if (camera < 0)
		return camera;
	if (!work_dir_name_valid(file))
		return err_code(
			err, -EINVAL, "invalid_args",
			"capture needs file, a plain name of letters, digits, - _ and .");
	ret = rig_capture(rig, (size_t)camera, request->cancel, &frame, err);
	if (ret == 0)
		ret = write_photo(request, frame, file, err);
	if (ret == 0)
		publish_preview(request, frame);
	frame_free(frame);
	return ret;
}

/* Cannot be cancelled: repeating the request after a pause would fire a second pulse. */
static int do_trigger(const struct proxy_request *request, struct err *err)
{
	struct rig *rig = request->proxy->rig;
	int trigger =
		rig_find(rig, DEVICE_TRIGGER, json_string(request->members, "name"), err);
	int ret = trigger;

	if (trigger >= 0)
		ret = rig_trigger(rig, rig_name(rig, DEVICE_TRIGGER, (size_t)trigger), 0,
				  0, NULL, err);
	return ret < 0 ? ret : answer_state(request, DEVICE_TRIGGER);
}

static const struct {
	const char *verb;
	enum device_kind kind;
	int (*function)(const struct proxy_request *request, struct err *err);
} verbs[] = {
	{"move", DEVICE_MOTOR, do_move},	 {"home", DEVICE_MOTOR, do_home},
	{"light", DEVICE_LIGHT, do_light},	 {"capture", DEVICE_CAMERA, do_capture},
	{"trigger", DEVICE_TRIGGER, do_trigger},
};

/* Does the type's description list this device under "uses"?  Without a name, the whole
 * kind must be listed, unless the rig has only one such device. */
static bool may_use(const struct rig_proxy *proxy, enum device_kind kind,
		    const char *name)
{
	const char *word = device_kind_name(kind);
	size_t length = strlen(word);

	if (!name && rig_count(proxy->rig, kind) == 1)
		name = rig_name(proxy->rig, kind, 0);
	for (const char *const *use = proxy->uses; use && *use; use++) {
		if (strncmp(*use, word, length) != 0)
			continue;
		if ((*use)[length] == '\0' ||
		    ((*use)[length] == '/' && name && !strcmp(*use + length + 1, name)))
			return true;
	}
	return false;
}

int rig_proxy_call(const struct rig_proxy *proxy, cJSON *members, struct cancel *cancel,
		   cJSON **value, struct err *err)
{
	const struct proxy_request request = {proxy, members, cancel, value};
	const char *verb = json_string(members, "verb"),
		   *name = json_string(members, "name");

	*value = NULL;
	for (size_t i = 0; verb && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].verb, verb) != 0)
			continue;
		if (!may_use(proxy, verbs[i].kind, name))
			return err_code(
				err, -EPERM, "not_supported",
				"its description does not say that it uses %s%s%s",
				device_kind_name(verbs[i].kind), name ? "/" : "",
				name ? name : "");
		return verbs[i].function(&request, err);
	}
	return err_code(err, -EINVAL, "invalid_args", "the rig has no verb '%.64s'",
			verb ? verb : "");
}
