/* A closed line with fewer corners.  Pure. */
#ifndef TASKS_CROP_POLYGON_H
#define TASKS_CROP_POLYGON_H

#include <stddef.h>

struct point {
	int x, y;
};

/* Room to work in. */
struct polygon_slice {
	size_t from, to;
};

/* Writes those of count points to corners that are needed so that no other is more than
 * tolerance beside the polygon.  Both corners and slices have room for count.  How many.
 */
size_t polygon_simplify(const struct point *points, size_t count, double tolerance,
			struct point *corners, struct polygon_slice *slices);

#endif
