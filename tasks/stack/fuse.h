/* Combines the frames of a stack according to the focus map, one frame after the other in
 * ascending order.  Between two cells of different frames the pixels of both are mixed,
 * so a seam is as wide as a cell.  Most pixels come from one frame and are warped once.
 */
#ifndef TASKS_STACK_FUSE_H
#define TASKS_STACK_FUSE_H

#include "tasks/stack/focus_map.h"
#include "tasks/stack/ycc_image.h"
#include "tasks/stack/warp.h"

/* The contribution of one frame. */
struct fuse {
	const struct focus_map *map;
	const struct ycc_image *frame;
	struct warp warp;
	int number;		  /* the frame's */
	struct ycc_image *result; /* of the frames' layout; holds the earlier frames */
};

/* The work is split into this many parts, which may be done in parallel. */
int fuse_parts(const struct layout *layout);
void fuse_part(const struct fuse *fuse, int part);

#endif
