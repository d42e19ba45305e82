/* The camera positions of a scan, ordered by index.
 *
 * theta is the polar angle in degrees (0: the camera looks straight down, 90: level), fi
 * the azimuth in degrees.  Pure functions; any thread. */
#ifndef TASKS_CAPTURE_PATH_H
#define TASKS_CAPTURE_PATH_H

#include <stddef.h>

#include "agent/base/err.h"

#define PATH_MAX_POINTS 999

struct path_point {
	int index; /* photos are named after it, whatever the visiting order */
	double theta, fi;
};

/* The part of the sphere to cover, in degrees.  min_fi above max_fi wraps through 0;
 * min_fi equal to max_fi is one meridian. */
struct path_range {
	double min_theta, max_theta; /* 0..180 */
	double min_fi, max_fi;	     /* 0..360 */
};

/* Spreads n points evenly over the range (a Fibonacci lattice): the heights cos(theta)
 * are equally spaced, and each point is rotated by the golden ratio against the previous
 * one. Point 0 is at max_theta.  Writes n points, or one when the range is a single
 * direction, and returns their number; "invalid_args" with a sentence when the range or n
 * (1..PATH_MAX_POINTS) is wrong. */
int path_fibonacci(const struct path_range *range, int n, struct path_point *points,
		   struct err *err);

/* Rings equally spaced in theta.  The points of a ring are equally spaced in azimuth,
 * about as far apart as the rings; n points in all.  Point 0 begins the ring at
 * max_theta, and the numbers of each ring begin at min_fi.  Otherwise as
 * path_fibonacci(). */
int path_grid(const struct path_range *range, int n, struct path_point *points,
	      struct err *err);

/* One curve from max_theta to min_theta, with equal arcs between its points and about the
 * same distance between its turns.  If the range is not a full turn in azimuth, the curve
 * alternates between min_fi and max_fi.  Otherwise as path_fibonacci(). */
int path_spiral(const struct path_range *range, int n, struct path_point *points,
		struct err *err);

enum path_method { PATH_FIBONACCI, PATH_GRID, PATH_SPIRAL };
#define PATH_METHODS 3

/* "fibonacci" "grid" "spiral"; -EINVAL for anything else. */
int path_method_parse(const char *name);
const char *path_method_name(enum path_method method);

/* The points computed by method. */
int path_points(enum path_method method, const struct path_range *range, int n,
		struct path_point *points, struct err *err);

/* The position of a point on a sphere of radius r around the object. */
void path_cartesian(const struct path_point *point, double r, double xyz[3]);

#endif
