/* Where the camera looks from: the positions of a scan, in the order of their numbers.
 *
 * theta is the polar angle in degrees (0: the camera looks straight down, 90: level), fi
 * the azimuth in degrees.  Pure functions; any thread. */
#ifndef TASKS_CAPTURE_PATH_H
#define TASKS_CAPTURE_PATH_H

#include <stddef.h>

#include "agent/base/err.h"

#define PATH_MAX_POINTS 999

struct path_point {
	int index; /* its number: photos are named after it, whatever the visiting order
		    */
	double theta, fi;
};

/* The part of the sphere to cover, in degrees.  min_fi above max_fi wraps through 0;
 * min_fi equal to max_fi is one meridian. */
struct path_range {
	double min_theta, max_theta; /* 0..180 */
	double min_fi, max_fi;	     /* 0..360 */
};

/* Spreads n points evenly over the range: the heights cos(theta) are equal steps, each
 * point is turned by the golden ratio against the one before (a Fibonacci lattice). Point
 * 0 is at max_theta.  Writes n points, or one when the range is a single direction, and
 * returns how many; "invalid_args" with a sentence when the range or n
 * (1..PATH_MAX_POINTS) is wrong. */
int path_fibonacci(const struct path_range *range, int n, struct path_point *points,
		   struct err *err);

/* Rings of equal distance in theta, the points of a ring equally far apart in azimuth,
 * and about as far from each other as from the next ring; exactly n in all.  Point 0
 * begins the ring at max_theta, the numbers go round each ring from min_fi.  Otherwise as
 * path_fibonacci(). */
int path_grid(const struct path_range *range, int n, struct path_point *points,
	      struct err *err);

/* One curve from max_theta to min_theta, with equal arcs between its points and about as
 * much between its turns.  Where the range is no full turn in azimuth it goes to and fro
 * between min_fi and max_fi.  Otherwise as path_fibonacci(). */
int path_spiral(const struct path_range *range, int n, struct path_point *points,
		struct err *err);

enum path_method { PATH_FIBONACCI, PATH_GRID, PATH_SPIRAL };
#define PATH_METHODS 3

/* "fibonacci" "grid" "spiral"; -EINVAL for anything else. */
int path_method_parse(const char *name);
const char *path_method_name(enum path_method method);

/* The points by that method. */
int path_points(enum path_method method, const struct path_range *range, int n,
		struct path_point *points, struct err *err);

/* The place of a point on a sphere of radius r around the object. */
void path_cartesian(const struct path_point *point, double r, double xyz[3]);

#endif
