/* Puts the frames of a stack together as the labels say, one frame after the other, in
 * ascending order.  Pixels between two cells of different labels are mixed of both, so a
 * seam is as wide as a cell.  Most pixels come from one frame and are warped once. */
#ifndef TASKS_STACK_FUSE_H
#define TASKS_STACK_FUSE_H

#include "tasks/stack/focus_map.h"
#include "tasks/stack/ycc_image.h"
#include "tasks/stack/warp.h"

/* One frame's turn. */
struct fuse {
	const struct focus_map *map;
	const struct ycc_image *frame;
	struct warp warp;
	int number;		  /* of the frame */
	struct ycc_image *result; /* of the frames' layout; what earlier turns left */
};

/* The result's rows are done in this many parts, which may run at the same time. */
int fuse_parts(const struct layout *layout);
void fuse_part(const struct fuse *fuse, int part);

#endif
