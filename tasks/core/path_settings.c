/* Reads the settings of a path and computes its points. */
#include "tasks/core/path_settings.h"

#include <errno.h>
#include <math.h>

#include "agent/base/json.h"

#define MIN_THETA 12
#define MAX_THETA 125

/* An explicit limit must be reachable; a default is clamped to the rotor's range. */
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

int path_settings_read(struct path_settings *out, const cJSON *settings,
		       const struct rig_axis *rotor, struct err *err)
{
	const char *name = json_string(settings, "optimization_algorithm");
	int order = visit_order_parse(name ? name : "best");
	const char *path = json_string(settings, "path_method");
	int kind = path_method_parse(path ? path : "fibonacci");
	struct path_range *range = &out->range;
	int ret;

	out->method = kind < 0 ? PATH_FIBONACCI : (enum path_method)kind;
	ret = read_theta(settings, "min_theta", MIN_THETA, rotor, &range->min_theta, err);
	if (ret == 0)
		ret = read_theta(settings, "max_theta", MAX_THETA, rotor,
				 &range->max_theta, err);
	if (ret < 0)
		return ret;
	if (range->min_theta > range->max_theta)
		return err_code(
			err, -EINVAL, "invalid_args",
			"min_theta (%g) must be less than or equal to max_theta (%g)",
			range->min_theta, range->max_theta);

	range->min_fi = json_number(settings, "min_phi", 0);
	range->max_fi = json_number(settings, "max_phi", 360);
	out->points = (int)json_number(settings, "points", 130);
	out->order = json_bool(settings, "optimize_path", true) && order >= 0
			     ? (enum visit_order)order
			     : VISIT_ORDER_NONE;
	return 0;
}

void path_settings_put(const struct path_settings *settings, cJSON *json)
{
	json_put_string(json, "path_method", path_method_name(settings->method));
	cJSON_AddNumberToObject(json, "points", settings->points);
	cJSON_AddNumberToObject(json, "min_theta", settings->range.min_theta);
	cJSON_AddNumberToObject(json, "max_theta", settings->range.max_theta);
	cJSON_AddNumberToObject(json, "min_phi", settings->range.min_fi);
	cJSON_AddNumberToObject(json, "max_phi", settings->range.max_fi);
	cJSON_AddBoolToObject(json, "optimize_path", settings->order != VISIT_ORDER_NONE);
	json_put_string(json, "optimization_algorithm",
			visit_order_name(settings->order));
}

int path_settings_points(const struct path_settings *settings,
			 const struct visit_order_axes *axes, struct path_point *points,
			 struct err *err)
{
	int n = path_points(settings->method, &settings->range, settings->points, points,
			    err);
	int ret;

	if (n < 0)
		return n;
	ret = visit_order_sort(axes, settings->order, points, (size_t)n, err);
	return ret < 0 ? ret : n;
}
