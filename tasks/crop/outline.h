/* Finds the outlines of the areas set in a binary map, outer ones and those of holes, by
 * border following (Suzuki and Abe, 1985), as polygons.  Pure. */
#ifndef TASKS_CROP_OUTLINE_H
#define TASKS_CROP_OUTLINE_H

#include <stddef.h>

#include "tasks/crop/polygon.h"
#include "tasks/stack/plane.h"

struct outline {
	const struct point *points; /* corners of a closed polygon */
	size_t count;
};

/* Calls on_outline for each outline.  Its polygon is within tolerance pixels of the
 * border. map is not changed.  -ENOMEM. */
int outlines_find(const struct plane *map, double tolerance,
		  void (*on_outline)(void *context, const struct outline *outline),
		  void *context);

#endif
