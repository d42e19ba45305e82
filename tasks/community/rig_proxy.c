#include "tasks/community/rig_proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "hal/frame.h"
#include "hal/rig.h"
#include "tasks/capture/photo.h"

struct loan {
	const struct lend *lend;
	cJSON *request;
	struct cancel *cancel;
	cJSON **value;
};

/* The answer is how the device is now: of the one that was named, or the first of its
 * kind. */
static int tell_state(const struct loan *loan, enum device_kind kind)
{
	struct rig *rig = loan->lend->rig;
	const char *name = json_string(loan->request, "name");
	struct err none;
	int device = name ? rig_find(rig, kind, name, &none) : 0;

	*loan->value = rig_state(rig, kind, device < 0 ? 0 : (size_t)device);
	return 0;
}

/* The distance becomes a place, so that a move that was interrupted ends where it should.
 */
static int make_absolute(const struct loan *loan, const char *motor, double *degrees,
			 struct err *err)
{
	struct rig_axis axis;
	int ret = rig_axis(loan->lend->rig, motor, &axis, err);

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
	cJSON_ReplaceItemInObjectCaseSensitive(loan->request, "degrees",
					       cJSON_CreateNumber(*degrees));
	cJSON_DeleteItemFromObjectCaseSensitive(loan->request, "relative");
	return 0;
}

static int lend_move(const struct loan *loan, struct err *err)
{
	struct rig *rig = loan->lend->rig;
	int motor = rig_find(rig, DEVICE_MOTOR, json_string(loan->request, "name"), err);
	struct rig_target target = {.degrees = json_number(loan->request, "degrees", 0)};
	int ret = motor;

	if (motor < 0)
		return motor;
	if (!cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(loan->request, "degrees")))
		return err_code(err, -EINVAL, "invalid_args", "move needs degrees");
	target.motor = rig_name(rig, DEVICE_MOTOR, (size_t)motor);
	if (json_bool(loan->request, "relative", false))
		ret = make_absolute(loan, target.motor, &target.degrees, err);
	if (ret >= 0)
		ret = rig_check_targets(rig, &target, 1, err);
	if (ret == 0)
		ret = rig_move(rig, &target, 1, loan->cancel, err);
	return ret < 0 ? ret : tell_state(loan, DEVICE_MOTOR);
}

static int lend_home(const struct loan *loan, struct err *err)
{
	int ret = rig_home(loan->lend->rig, json_string(loan->request, "name"),
			   loan->cancel, err);

	return ret < 0 ? ret : tell_state(loan, DEVICE_MOTOR);
}

static int lend_light(const struct loan *loan, struct err *err)
{
	const char *state = json_string(loan->request, "state");
	double brightness = json_number(loan->request, "brightness", -1);
	bool on = state ? !strcmp(state, "ON") : brightness != 0;
	int ret;

	if (state && strcmp(state, "ON") != 0 && strcmp(state, "OFF") != 0)
		return err_code(err, -EINVAL, "invalid_args", "state must be ON or OFF");
	if (brightness > 100 || (brightness < 0 && brightness != -1))
		return err_code(err, -EINVAL, "invalid_args",
				"brightness must be 0 to 100");
	ret = rig_light_set(loan->lend->rig, json_string(loan->request, "name"), on,
			    (int)brightness, err);
	return ret < 0 ? ret : tell_state(loan, DEVICE_LIGHT);
}

/* Small, on the camera's image topic.  A picture that cannot be shown is a picture. */
static void show_frame(const struct loan *loan, const struct frame *frame)
{
	void *jpeg = NULL;
	size_t size = 0;
	struct err none;

	if (photo_preview(frame, &jpeg, &size, &none) == 0)
		loan->lend->host->image(loan->lend->run, frame->camera, jpeg, size);
	free(jpeg);
}

/* A picture in the working folder, whole or not at all. */
static int keep_frame(const struct loan *loan, const struct frame *frame,
		      const char *file, struct err *err)
{
	void *jpeg = NULL;
	size_t size = 0;
	int ret = photo_encode(frame, &jpeg, &size, err);

	if (ret == 0)
		ret = workroom_write(loan->lend->room, file, jpeg, size, err);
	free(jpeg);
	if (ret < 0)
		return ret;
	*loan->value = cJSON_CreateObject();
	cJSON_AddStringToObject(*loan->value, "file", file);
	cJSON_AddNumberToObject(*loan->value, "bytes", (double)size);
	cJSON_AddNumberToObject(*loan->value, "width", frame->width);
	cJSON_AddNumberToObject(*loan->value, "height", frame->height);
	return 0;
}

static int lend_capture(const struct loan *loan, struct err *err)
{
	struct rig *rig = loan->lend->rig;
	const char *file = json_string(loan->request, "file");
	int camera =
		rig_find(rig, DEVICE_CAMERA, json_string(loan->request, "name"), err);
	struct frame *frame = NULL;
	int ret;

	if (camera < 0)
		return camera;
	if (!workroom_name_valid(file))
		return err_code(
			err, -EINVAL, "invalid_args",
			"capture needs file, a plain name of letters, digits, - _ and .");
	ret = rig_capture(rig, (size_t)camera, loan->cancel, &frame, err);
	if (ret == 0)
		ret = keep_frame(loan, frame, file, err);
	if (ret == 0)
		show_frame(loan, frame);
	frame_free(frame);
	return ret;
}

/* A pulse that has begun is not taken back, and a second one would be one too many. */
static int lend_trigger(const struct loan *loan, struct err *err)
{
	struct rig *rig = loan->lend->rig;
	int trigger =
		rig_find(rig, DEVICE_TRIGGER, json_string(loan->request, "name"), err);
	int ret = trigger;

	if (trigger >= 0)
		ret = rig_trigger(rig, rig_name(rig, DEVICE_TRIGGER, (size_t)trigger), 0,
				  0, NULL, err);
	return ret < 0 ? ret : tell_state(loan, DEVICE_TRIGGER);
}

static const struct {
	const char *verb;
	enum device_kind kind;
	int (*function)(const struct loan *loan, struct err *err);
} verbs[] = {
	{"move", DEVICE_MOTOR, lend_move},
	{"home", DEVICE_MOTOR, lend_home},
	{"light", DEVICE_LIGHT, lend_light},
	{"capture", DEVICE_CAMERA, lend_capture},
	{"trigger", DEVICE_TRIGGER, lend_trigger},
};

/* Does the type say that it uses this device?  Without a name: all of the kind that there
 * are. */
static bool is_lent(const struct lend *lend, enum device_kind kind, const char *name)
{
	const char *word = device_kind_name(kind);
	size_t length = strlen(word);

	if (!name && rig_count(lend->rig, kind) == 1)
		name = rig_name(lend->rig, kind, 0);
	for (const char *const *use = lend->uses; use && *use; use++) {
		if (strncmp(*use, word, length) != 0)
			continue;
		if ((*use)[length] == '\0' ||
		    ((*use)[length] == '/' && name && !strcmp(*use + length + 1, name)))
			return true;
	}
	return false;
}

int lend_do(const struct lend *lend, cJSON *request, struct cancel *cancel, cJSON **value,
	    struct err *err)
{
	const struct loan loan = {lend, request, cancel, value};
	const char *verb = json_string(request, "verb"),
		   *name = json_string(request, "name");

	*value = NULL;
	for (size_t i = 0; verb && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].verb, verb) != 0)
			continue;
		if (!is_lent(lend, verbs[i].kind, name))
			return err_code(
				err, -EPERM, "not_supported",
				"its description does not say that it uses %s%s%s",
				device_kind_name(verbs[i].kind), name ? "/" : "",
				name ? name : "");
		return verbs[i].function(&loan, err);
	}
	return err_code(err, -EINVAL, "invalid_args", "the rig has no verb '%.64s'",
			verb ? verb : "");
}
