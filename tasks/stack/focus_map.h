/* Decides, cell by cell, which frame of a stack is taken: the sharpest, and the middle
 * one where none is certainly sharper.  Frames are ordered by focus, so labels by depth.
 */
#ifndef TASKS_STACK_FOCUS_MAP_H
#define TASKS_STACK_FOCUS_MAP_H

#include "agent/base/cancel.h"
#include "tasks/stack/sharpness.h"
#include "tasks/stack/warp.h"

struct labels {
	int cell;	   /* as sharpness */
	int width, height; /* cells */
	uint8_t *frame;	   /* of each cell, from the upper left */
};

/* warps tell where each frame lies under the middle one; use which frames may be taken at
 * all.  Shares the work among the processors.  -ENOMEM, -EINTR. */
int labels_find(struct labels *labels, const struct sharpness *frames,
		const struct warp *warps, const bool *use, int count,
		const struct layout *layout, struct cancel *cancel);
void labels_free(struct labels *labels); /* one that is all zeros is fine */

#endif
