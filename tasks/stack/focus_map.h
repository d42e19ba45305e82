/* Chooses, cell by cell, the frame of a stack to take: the sharpest, or the middle one
 * where no other is clearly sharper.  Frames are ordered by focus, so their numbers are
 * ordered by depth. */
#ifndef TASKS_STACK_FOCUS_MAP_H
#define TASKS_STACK_FOCUS_MAP_H

#include "agent/base/cancel.h"
#include "tasks/stack/sharpness.h"
#include "tasks/stack/warp.h"

struct focus_map {
	int cell;	   /* as in struct sharpness */
	int width, height; /* in cells */
	uint8_t *frame;	   /* the frame of each cell, from the upper left */
};

/* warps say where each frame lies under the middle one, use which frames may be taken.
 * Uses all processors.  -ENOMEM, -EINTR. */
int focus_map_find(struct focus_map *map, const struct sharpness *frames,
		   const struct warp *warps, const bool *use, int count,
		   const struct layout *layout, struct cancel *cancel);
void focus_map_free(struct focus_map *map); /* one that is all zeros is fine */

#endif
