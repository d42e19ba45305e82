#include "tasks/path.h"

#include <errno.h>
#include <math.h>

#define DEGREE (M_PI / 180)

static const double golden = 0.618033988749894848; /* (sqrt(5) - 1) / 2 */

static double clamp(double value, double min, double max)
{
	return fmax(min, fmin(max, value));
}

static int check(const struct path_range *range, int n, struct err *err)
{
	if (n < 1 || n > PATH_MAX_POINTS)
		return err_code(err, -EINVAL, "invalid_args",
				"points must be 1 to %d, not %d", PATH_MAX_POINTS, n);
	if (!(range->min_theta >= 0 && range->max_theta <= 180))
		return err_code(err, -EINVAL, "invalid_args",
				"theta must be 0 to 180, not %g to %g", range->min_theta,
				range->max_theta);
	if (range->min_theta > range->max_theta)
		return err_code(
			err, -EINVAL, "invalid_args",
			"min_theta (%g) must be less than or equal to max_theta (%g)",
			range->min_theta, range->max_theta);
	if (!(range->min_fi >= 0 && range->min_fi <= 360 && range->max_fi >= 0 &&
	      range->max_fi <= 360))
		return err_code(err, -EINVAL, "invalid_args",
				"phi must be 0 to 360, not %g to %g", range->min_fi,
				range->max_fi);
	return 0;
}

/* 0 when the range is one meridian, a full turn when its ends meet after one. */
static double azimuth_span(const struct path_range *range)
{
	double span = fmod(range->max_fi - range->min_fi + 360, 360);

	if (range->min_fi == range->max_fi)
		return 0;
	return span == 0 ? 360 : span;
}

int path_fibonacci(const struct path_range *range, int n, struct path_point *points,
		   struct err *err)
{
	double top = cos(range->min_theta * DEGREE);
	double bottom = cos(range->max_theta * DEGREE);
	double span = azimuth_span(range);
	int ret = check(range, n, err);

	if (ret < 0)
		return ret;
	if (range->min_theta == range->max_theta && span == 0)
		n = 1; /* any further point would be the same photo again */

	for (int i = 0; i < n; i++) {
		double height = n == 1 ? (bottom + top) / 2
				       : bottom + (top - bottom) * i / (n - 1);
		double turn = i * golden;
		double theta = acos(clamp(height, -1, 1)) / DEGREE;

		points[i].index = i;
		points[i].theta = clamp(theta, range->min_theta, range->max_theta);
		points[i].fi = fmod(range->min_fi + span * (turn - floor(turn)), 360);
	}
	return n;
}

void path_cartesian(const struct path_point *point, double r, double xyz[3])
{
	double theta = point->theta * DEGREE, fi = point->fi * DEGREE;

	xyz[0] = r * sin(theta) * cos(fi);
	xyz[1] = r * sin(theta) * sin(fi);
	xyz[2] = r * cos(theta);
}
