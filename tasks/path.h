/* Where the camera looks from: the positions of a scan, in the order of their numbers.
 *
 * theta is the polar angle in degrees (0: the camera looks straight down, 90: level), fi
 * the azimuth in degrees.  Pure functions; any thread. */
#ifndef TASKS_PATH_H
#define TASKS_PATH_H

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

/* The place of a point on a sphere of radius r around the object. */
void path_cartesian(const struct path_point *point, double r, double xyz[3]);

#endif
