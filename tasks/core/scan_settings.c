/* The arguments of scan_task. */
#include "tasks/core/scan_settings.h"

#include <errno.h>
#include <string.h>

#include "agent/base/json.h"

#define MIN_FOCUS 10 /* dioptres */
#define MAX_FOCUS 15

const char scan_settings_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"project\"],"
	"\"properties\":{"
	"\"project\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":150,"
	"\"description\":\"The project; made when it is missing\"},"
	"\"scan\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9999,"
	"\"description\":\"Go on with this scan, its stored path and settings\"},"
	"\"camera\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64,"
	"\"description\":\"The camera; the only one when left out\"},"
	"\"description\":{\"type\":[\"string\",\"null\"],\"maxLength\":1000},"
	"\"on_photo_error\":{\"enum\":[\"skip\",\"stop\"],\"default\":\"skip\","
	"\"description\":\"When a photo failed three times\"},"
	"\"settings\":{\"type\":\"object\",\"additionalProperties\":false,\"default\":{},"
	"\"properties\":{" PATH_SETTINGS_SCHEMA ","
	"\"image_format\":{\"enum\":[\"jpeg\",\"raw\",\"dng\",\"rgb_array\","
	"\"yuv_array\"],\"default\":\"jpeg\"},"
	"\"focus_stacks\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":99,"
	"\"default\":1,"
	"\"description\":\"Photos at each point, each with another focus\"},"
	"\"focus_range\":{\"type\":\"array\",\"minItems\":2,\"maxItems\":2,\"items\":"
	"{\"type\":\"number\",\"minimum\":0,\"maximum\":15},\"default\":[10,15],"
	"\"description\":\"First and last focus of a bracket in dioptres\"},"
	"\"pause_before_capture_ms\":{\"type\":\"integer\",\"minimum\":0,"
	"\"maximum\":600000,\"default\":0,"
	"\"description\":\"Rest between arriving and the photo\"}"
	"}}}}";

static int check_format(const cJSON *settings, struct err *err)
{
	const char *format = json_string(settings, "image_format");

	if (!format || photo_format_parse(format) >= 0)
		return 0;
	return err_code(err, -ENOTSUP, "not_supported",
			"image_format %s is not supported, only " PHOTO_FORMAT_LIST,
			format);
}

static int check_focus(const struct scan_settings *settings, struct err *err)
{
	const double *range = settings->focus_range;

	if (range[0] <= range[1])
		return 0;
	return err_code(
		err, -EINVAL, "invalid_args",
		"focus_range must go from the smaller to the larger value, not from "
		"%g to %g",
		range[0], range[1]);
}

static double range_end(const cJSON *settings, int end, double usual)
{
	const cJSON *range = cJSON_GetObjectItemCaseSensitive(settings, "focus_range");
	const cJSON *value = cJSON_GetArrayItem(range, end);

	return cJSON_IsNumber(value) ? value->valuedouble : usual;
}

void scan_settings_recall(struct scan_settings *out, const cJSON *settings)
{
	const char *name = json_string(settings, "image_format");
	int format = photo_format_parse(name ? name : "jpeg");

	out->pause_ms = (int64_t)json_number(settings, "pause_before_capture_ms", 0);
	out->format = format < 0 ? PHOTO_FORMAT_JPEG : (enum photo_format)format;
	out->stacks = (int)json_number(settings, "focus_stacks", 1);
	out->focus_range[0] = range_end(settings, 0, MIN_FOCUS);
	out->focus_range[1] = range_end(settings, 1, MAX_FOCUS);
}

double scan_settings_focus(const struct scan_settings *settings, int stack)
{
	const double *range = settings->focus_range;

	if (settings->stacks == 1)
		return range[0];
	return range[0] + stack * (range[1] - range[0]) / (settings->stacks - 1);
}

int scan_settings_read(struct scan_settings *out, const cJSON *settings,
		       const struct rig_axis *rotor, struct err *err)
{
	int ret = check_format(settings, err);

	scan_settings_recall(out, settings);
	if (ret == 0)
		ret = check_focus(out, err);
	if (ret == 0)
		ret = path_settings_read(&out->path, settings, rotor, err);
	return ret;
}

cJSON *scan_settings_json(const struct scan_settings *settings)
{
	cJSON *json = cJSON_CreateObject();

	path_settings_put(&settings->path, json);
	json_put_string(json, "image_format", photo_format_name(settings->format));
	cJSON_AddNumberToObject(json, "focus_stacks", settings->stacks);
	cJSON_AddItemToObject(json, "focus_range",
			      cJSON_CreateDoubleArray(settings->focus_range, 2));
	cJSON_AddNumberToObject(json, "pause_before_capture_ms",
				(double)settings->pause_ms);
	return json;
}
