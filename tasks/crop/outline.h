/* The outlines of what is set in a map of zeros and ones: outer ones and those of holes,
 * by following the borders (Suzuki and Abe, 1985), as polygons (Douglas and Peucker).
 * Pure. */
#ifndef TASKS_CROP_OUTLINE_H
#define TASKS_CROP_OUTLINE_H

#include <stddef.h>

#include "tasks/crop/polygon.h"
#include "tasks/stack/plane.h"

struct outline {
	const struct point *points; /* corners of a closed polygon */
	size_t count;
};

/* Calls see for each outline, whose corners are on the border to within tolerance pixels.
 * map stays as it is.  -ENOMEM. */
int outlines_find(const struct plane *map, double tolerance,
		  void (*see)(void *context, const struct outline *outline),
		  void *context);

#endif
