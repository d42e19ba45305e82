/* Simplifies a polygon (Douglas and Peucker).  Pure. */
#ifndef TASKS_CROP_POLYGON_H
#define TASKS_CROP_POLYGON_H

#include <stddef.h>

struct point {
	int x, y;
};

/* Scratch memory. */
struct polygon_slice {
	size_t from, to;
};

/* Writes to corners the points that are needed so that no other point is further than
 * tolerance from the polygon.  corners and slices must have room for count.  Returns the
 * number of corners. */
size_t polygon_simplify(const struct point *points, size_t count, double tolerance,
			struct point *corners, struct polygon_slice *slices);

#endif
