/* The order in which the positions of a scan are visited.
 *
 * The cost of a move is its time: both axes move together, so the slower one counts.  The
 * time of an axis is that of a trapezoid ramp over whole steps (constant acceleration to
 * the top speed and back; a triangle when the move is too short to reach it).  Pure
 * functions; any thread.  visit_order_sort() is deterministic: the same input gives the
 * same order. */
#ifndef TASKS_CAPTURE_VISIT_ORDER_H
#define TASKS_CAPTURE_VISIT_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"
#include "tasks/capture/path.h"

struct visit_order_axis {
	double steps_per_degree;
	double max_speed;    /* steps/s */
	double acceleration; /* steps/s^2 */
	bool endless;	     /* takes the shorter way round */
};

/* The two axes and their positions before the first move. */
struct visit_order_axes {
	struct visit_order_axis theta, fi;
	double start_theta, start_fi;
};

enum visit_order {
	/* Nearest neighbour, then improved; never slower than the other two. */
	VISIT_ORDER_BEST,
	/* Always the nearest point that is left; among equals the first. */
	VISIT_ORDER_NEAREST,
	/* By index. */
	VISIT_ORDER_NONE,
};

/* "best" "nearest_neighbor" "none"; -EINVAL for anything else. */
int visit_order_parse(const char *name);
const char *visit_order_name(enum visit_order order);

/* Seconds that an axis needs from one angle to another. */
double visit_order_axis_seconds(const struct visit_order_axis *axis, double from,
				double to);

/* Seconds of all moves from the start through the n points in their present order. */
double visit_order_seconds(const struct visit_order_axes *axes,
			   const struct path_point *points, size_t n);

/* Sorts points.  Takes n * n floats of memory while it works (4 MB for 999 points) and at
 * most some tenths of a second.  -ENOMEM leaves the order unchanged. */
int visit_order_sort(const struct visit_order_axes *axes, enum visit_order order,
		     struct path_point *points, size_t n, struct err *err);

#endif
