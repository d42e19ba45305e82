#include "tasks/core/scan_settings.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "agent/base/json.h"

#define MIN_THETA 12
#define MAX_THETA 125
#define MIN_FOCUS 10 /* dioptres */
#define MAX_FOCUS 15

#define ANGLE(max)                                                                       \
	"{\"type\":\"number\",\"minimum\":0,\"maximum\":" #max ",\"description\":"
#define PHI                                                                              \
	"{\"type\":[\"number\",\"null\"],\"minimum\":0,\"maximum\":360,\"description\":"

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
	"\"properties\":{"
	"\"path_method\":{\"enum\":[\"fibonacci\",\"grid\",\"spiral\"],"
	"\"default\":\"fibonacci\","
	"\"description\":\"Evenly spread, in rings, or along one curve\"},"
	"\"points\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":999,\"default\":130,"
	"\"description\":\"From how many places\"},"
	"\"image_format\":{\"enum\":[\"jpeg\",\"raw\",\"dng\",\"rgb_array\",\"yuv_"
	"array\"],"
	"\"default\":\"jpeg\"},"
	"\"min_theta\":" ANGLE(
		180) "\"Highest view in degrees; left out: 12, or what the rotor "
		     "reaches\"},"
		     "\"max_theta\":" ANGLE(
			     180) "\"Lowest view in degrees; left out: 125, or what the "
				  "rotor "
				  "reaches\"},"
				  "\"min_phi\":" PHI
				  "\"First azimuth in degrees; left out: 0\"},"
				  "\"max_phi\":" PHI
				  "\"Last azimuth in degrees; left out: 360\"},"
				  "\"optimize_path\":{\"type\":\"boolean\",\"default\":"
				  "true},"
				  "\"optimization_algorithm\":{\"enum\":[\"best\","
				  "\"nearest_neighbor\",\"none\"],"
				  "\"default\":\"best\"},"
				  "\"focus_stacks\":{\"type\":\"integer\",\"minimum\":1,"
				  "\"maximum\":99,\"default\":1,\"description\":"
				  "\"Photos at each point, each with another focus\"},"
				  "\"focus_range\":{\"type\":\"array\",\"minItems\":2,"
				  "\"maxItems\":2,\"items\":"
				  "{\"type\":\"number\",\"minimum\":0,\"maximum\":15},"
				  "\"default\":[10,15],\"description\":"
				  "\"First and last focus of a bracket in dioptres\"},"
				  "\"pause_before_capture_ms\":{\"type\":\"integer\","
				  "\"minimum\":0,\"maximum\":600000,"
				  "\"default\":0,\"description\":\"Rest between arriving "
				  "and the photo\"}"
				  "}}}}";

/* A wished limit must be reachable; one that nobody wished is moved to where it is. */
static int read_theta(const cJSON *settings, const char *key, double usual,
		      const struct rig_axis *rotor, double *theta, struct err *err)
{
	double wished = json_number(settings, key, NAN);

	if (isnan(wished)) {
		*theta = fmax(rotor->min, fmin(rotor->max, usual));
		return 0;
	}
	if (wished < rotor->min || wished > rotor->max)
		return err_code(err, -EINVAL, "invalid_args",
				"%s must be %g to %g, as far as the rotor goes, not %g",
				key, rotor->min, rotor->max, wished);
	*theta = wished;
	return 0;
}

static int check_format(const cJSON *settings, struct err *err)
{
	const char *format = json_string(settings, "image_format");

	if (!format || format_parse(format) >= 0)
		return 0;
	return err_code(err, -ENOTSUP, "not_supported",
			"image_format %s is not supported, only " FORMAT_LIST, format);
}

static int check_focus(const struct scan_settings *settings, struct err *err)
{
	const double *range = settings->focus_range;

	if (range[0] <= range[1])
		return 0;
	return err_code(err, -EINVAL, "invalid_args",
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
	int format = format_parse(name ? name : "jpeg");

	out->pause_ms = (int64_t)json_number(settings, "pause_before_capture_ms", 0);
	out->format = format < 0 ? FORMAT_JPEG : (enum format)format;
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
	const char *route = json_string(settings, "optimization_algorithm");
	int method = route_method_parse(route ? route : "best");
	const char *path = json_string(settings, "path_method");
	int kind = path_method_parse(path ? path : "fibonacci");
	int ret = check_format(settings, err);

	scan_settings_recall(out, settings);
	if (ret == 0)
		ret = check_focus(out, err);
	if (ret < 0)
		return ret;
	out->path = kind < 0 ? PATH_FIBONACCI : (enum path_method)kind;
	ret = read_theta(settings, "min_theta", MIN_THETA, rotor, &out->range.min_theta,
			 err);
	if (ret == 0)
		ret = read_theta(settings, "max_theta", MAX_THETA, rotor,
				 &out->range.max_theta, err);
	if (ret < 0)
		return ret;
	if (out->range.min_theta > out->range.max_theta)
		return err_code(
			err, -EINVAL, "invalid_args",
			"min_theta (%g) must be less than or equal to max_theta (%g)",
			out->range.min_theta, out->range.max_theta);

	out->range.min_fi = json_number(settings, "min_phi", 0);
	out->range.max_fi = json_number(settings, "max_phi", 360);
	out->points = (int)json_number(settings, "points", 130);
	out->route = json_bool(settings, "optimize_path", true) && method >= 0
			     ? (enum route_method)method
			     : ROUTE_NONE;
	return 0;
}

cJSON *scan_settings_json(const struct scan_settings *settings)
{
	static const char *const routes[] = {"best", "nearest_neighbor", "none"};
	cJSON *json = cJSON_CreateObject();

	json_put_string(json, "path_method", path_method_name(settings->path));
	cJSON_AddNumberToObject(json, "points", settings->points);
	json_put_string(json, "image_format", format_name(settings->format));
	cJSON_AddNumberToObject(json, "min_theta", settings->range.min_theta);
	cJSON_AddNumberToObject(json, "max_theta", settings->range.max_theta);
	cJSON_AddNumberToObject(json, "min_phi", settings->range.min_fi);
	cJSON_AddNumberToObject(json, "max_phi", settings->range.max_fi);
	cJSON_AddBoolToObject(json, "optimize_path", settings->route != ROUTE_NONE);
	json_put_string(json, "optimization_algorithm", routes[settings->route]);
	cJSON_AddNumberToObject(json, "focus_stacks", settings->stacks);
	cJSON_AddItemToObject(json, "focus_range",
			      cJSON_CreateDoubleArray(settings->focus_range, 2));
	cJSON_AddNumberToObject(json, "pause_before_capture_ms",
				(double)settings->pause_ms);
	return json;
}
