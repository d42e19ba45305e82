/* In which order the positions of a scan are visited.
 *
 * The cost of a step is its time: both axes move together, so the slower one counts.  The
 * time of an axis is that of a trapezoid ramp over whole steps (constant acceleration to
 * the top speed and back; a triangle when the way is too short to reach it).  Pure
 * functions; any thread.  route_sort() is deterministic: the same input gives the same
 * order. */
#ifndef TASKS_CAPTURE_VISIT_ORDER_H
#define TASKS_CAPTURE_VISIT_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"
#include "tasks/capture/path.h"

struct route_axis {
	double steps_per_degree;
	double max_speed;    /* steps/s */
	double acceleration; /* steps/s^2 */
	bool endless;	     /* may go the shorter way round */
};

/* The two axes and where they stand. */
struct route_rig {
	struct route_axis theta, fi;
	double start_theta, start_fi;
};

enum route_method {
	ROUTE_BEST, /* nearest neighbour, then improved; never slower than the other two
		     */
	ROUTE_NEAREST, /* always the nearest that is left; of equals the first */
	ROUTE_NONE,    /* as numbered */
};

/* "best" "nearest_neighbor" "none"; -EINVAL for anything else. */
int route_method_parse(const char *name);

/* Seconds that an axis takes from one angle to another. */
double route_axis_seconds(const struct route_axis *axis, double from, double to);

/* Seconds of all moves from the start through the n points as they are ordered. */
double route_seconds(const struct route_rig *rig, const struct path_point *points,
		     size_t n);

/* Sorts points.  Takes n * n floats of memory while it works (4 MB for 999 points) and at
 * most some tenths of a second.  -ENOMEM leaves the order as it is. */
int route_sort(const struct route_rig *rig, enum route_method method,
	       struct path_point *points, size_t n, struct err *err);

#endif
