/* The path methods: Fibonacci lattice, grid and spiral. */
#include "tasks/capture/path.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEGREE (M_PI / 180)
#define CURVE 16384 /* straight pieces by which a spiral is measured */
#define BISECTIONS 40

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

/* The width in azimuth: 0 for one meridian, 360 for a full turn. */
static double azimuth_span(const struct path_range *range)
{
	double span = fmod(range->max_fi - range->min_fi + 360, 360);

	if (range->min_fi == range->max_fi)
		return 0;
	return span == 0 ? 360 : span;
}

/* In such a range a second point would repeat the first photo. */
static bool is_direction(const struct path_range *range)
{
	return range->min_theta == range->max_theta && azimuth_span(range) == 0;
}

static struct path_point point_at(const struct path_range *range, int index, double theta,
				  double turned)
{
	return (struct path_point){
		.index = index,
		.theta = clamp(theta, range->min_theta, range->max_theta),
		.fi = fmod(range->min_fi + turned, 360),
	};
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
	if (is_direction(range))
		n = 1;

	for (int i = 0; i < n; i++) {
		double height = n == 1 ? (bottom + top) / 2
				       : bottom + (top - bottom) * i / (n - 1);
		double turn = i * golden;
		double theta = acos(clamp(height, -1, 1)) / DEGREE;

		points[i] = point_at(range, i, theta, span * (turn - floor(turn)));
	}
	return n;
}

/* ---- grid ---- */

static double ring_theta(const struct path_range *range, int rings, int ring)
{
	if (rings == 1)
		return (range->min_theta + range->max_theta) / 2;
	return range->max_theta -
	       (range->max_theta - range->min_theta) * ring / (rings - 1);
}

/* The length of a ring in degrees, as seen from its centre. */
static double ring_length(const struct path_range *range, int rings, int ring)
{
	return sin(ring_theta(range, rings, ring) * DEGREE) * azimuth_span(range);
}

/* The number of points for a ring of this length. */
static double fair_share(double length, double all, int n, int rings)
{
	return all > 0 ? n * length / all : (double)n / rings;
}

static double rings_length(const struct path_range *range, int rings)
{
	double length = 0;

	for (int ring = 0; ring < rings; ring++)
		length += ring_length(range, rings, ring);
	return length;
}

/* The number of rings that makes the distance between rings that between points. */
static int best_rings(const struct path_range *range, int n)
{
	double height = range->max_theta - range->min_theta;
	double best = INFINITY;
	int rings = 1;

	if (azimuth_span(range) == 0)
		return n;
	for (int k = 2; k <= n && height > 0; k++) {
		double along = rings_length(range, k) / n;
		double off = fabs(log(along / (height / (k - 1))));

		if (off < best) {
			best = off;
			rings = k;
		}
	}
	if (rings == 2 && height < rings_length(range, 1) / n / 2)
		return 1; /* less high than half the distance between two points */
	return rings;
}

/* At least one point per ring, the others by length; rounding errors go to the rings
 * where they are smallest. */
static void share_out(const struct path_range *range, int n, int rings, int *counts)
{
	double length = rings_length(range, rings);
	int left = n;

	for (int ring = 0; ring < rings; ring++) {
		double fair =
			fair_share(ring_length(range, rings, ring), length, n, rings);

		counts[ring] = fair < 1 ? 1 : (int)fair;
		left -= counts[ring];
	}
	while (left != 0) {
		int step = left > 0 ? 1 : -1, most = -1;
		double worst = -INFINITY;

		for (int ring = 0; ring < rings; ring++) {
			double fair = fair_share(ring_length(range, rings, ring), length,
						 n, rings);
			double lacks = step * (fair - counts[ring]);

			if (lacks > worst && counts[ring] + step >= 1) {
				worst = lacks;
				most = ring;
			}
		}
		counts[most] += step;
		left -= step;
	}
}

/* A full turn has no ends; an arc has a point at each of its ends. */
static double ring_azimuth(double span, int count, int i)
{
	if (span == 360)
		return span * i / count;
	return count == 1 ? span / 2 : span * i / (count - 1);
}

int path_grid(const struct path_range *range, int n, struct path_point *points,
	      struct err *err)
{
	int ret = check(range, n, err), counts[PATH_MAX_POINTS], rings, used = 0;

	if (ret < 0)
		return ret;
	if (is_direction(range))
		n = 1;
	rings = best_rings(range, n);
	share_out(range, n, rings, counts);
	for (int ring = 0; ring < rings; ring++) {
		double theta = ring_theta(range, rings, ring);

		for (int i = 0; i < counts[ring]; i++) {
			double turned =
				ring_azimuth(azimuth_span(range), counts[ring], i);

			points[used] = point_at(range, used, theta, turned);
			used++;
		}
	}
	return n;
}

/* ---- spiral ---- */

/* The length in degrees of the curve whose azimuth grows by rate per degree of theta,
 * measured in CURVE pieces; arcs (may be NULL) gets the length up to the end of each
 * piece. */
static double curve_length(const struct path_range *range, double rate, double *arcs)
{
	double step = (range->max_theta - range->min_theta) / CURVE, length = 0;

	for (int i = 0; i < CURVE; i++) {
		double theta = range->max_theta - (i + 0.5) * step;

		length += step * hypot(1, rate * sin(theta * DEGREE));
		if (arcs)
			arcs[i] = length;
	}
	return length;
}

/* Finds the rate at which the turns are as far apart as the points. */
static double best_rate(const struct path_range *range, int n)
{
	double span = azimuth_span(range), low = 0;
	double high = n * 360.0 / (range->max_theta - range->min_theta);

	for (int i = 0; i < BISECTIONS; i++) {
		double rate = (low + high) / 2;

		if (curve_length(range, rate, NULL) / (n - 1) < span / rate)
			low = rate;
		else
			high = rate;
	}
	return low;
}

/* The azimuth after this much turning: round and round, or back and forth in an arc. */
static double folded(double turned, double span)
{
	if (span == 0 || span == 360)
		return span == 0 ? 0 : fmod(turned, 360);
	turned = fmod(turned, 2 * span);
	return turned <= span ? turned : 2 * span - turned;
}

static void walk_curve(const struct path_range *range, double rate, int n,
		       const double *arcs, struct path_point *points)
{
	double height = range->max_theta - range->min_theta;
	int piece = 0;

	for (int i = 0; i < n; i++) {
		double arc = n == 1 ? arcs[CURVE - 1] / 2 : arcs[CURVE - 1] * i / (n - 1);
		double before, down;

		while (piece < CURVE - 1 && arcs[piece] < arc)
			piece++;
		before = piece ? arcs[piece - 1] : 0;
		down = height * (piece + (arc - before) / (arcs[piece] - before)) / CURVE;
		points[i] = point_at(range, i, range->max_theta - down,
				     folded(rate * down, azimuth_span(range)));
	}
}

int path_spiral(const struct path_range *range, int n, struct path_point *points,
		struct err *err)
{
	int ret = check(range, n, err);
	double *arcs, rate;

	if (ret < 0)
		return ret;
	if (range->min_theta == range->max_theta)
		return path_grid(range, n, points, err); /* one ring, or one direction */
	arcs = calloc(CURVE, sizeof(*arcs));
	if (!arcs)
		return err_set(err, -ENOMEM, "out of memory");
	rate = n > 1 && azimuth_span(range) > 0 ? best_rate(range, n) : 0;
	curve_length(range, rate, arcs);
	walk_curve(range, rate, n, arcs, points);
	free(arcs);
	return n;
}

/* ---- methods by name ---- */

static const struct {
	const char *name;
	int (*points)(const struct path_range *range, int n, struct path_point *points,
		      struct err *err);
} methods[PATH_METHODS] = {
	[PATH_FIBONACCI] = {"fibonacci", path_fibonacci},
	[PATH_GRID] = {"grid", path_grid},
	[PATH_SPIRAL] = {"spiral", path_spiral},
};

int path_method_parse(const char *name)
{
	for (int i = 0; i < PATH_METHODS; i++)
		if (!strcmp(methods[i].name, name))
			return i;
	return -EINVAL;
}

const char *path_method_name(enum path_method method)
{
	return methods[method].name;
}

int path_points(enum path_method method, const struct path_range *range, int n,
		struct path_point *points, struct err *err)
{
	return methods[method].points(range, n, points, err);
}

void path_cartesian(const struct path_point *point, double r, double xyz[3])
{
	double theta = point->theta * DEGREE, fi = point->fi * DEGREE;

	xyz[0] = r * sin(theta) * cos(fi);
	xyz[1] = r * sin(theta) * sin(fi);
	xyz[2] = r * cos(theta);
}
