/* What of a picture shows something, and how much of its sides can be cut away.  Pure;
 * takes some ten milliseconds a megapixel. */
#ifndef TASKS_CROP_CROP_H
#define TASKS_CROP_CROP_H

#include <stddef.h>

#include "agent/base/err.h"

struct frame;

struct crop {
	int x, y, width, height;     /* of the box around all outlines, in pixels of the
				      * frame;     without any, the whole frame */
	int crop_width, crop_height; /* percent that can be cut away, the same left and
				      * right, above and below; 0 to 100 */
	size_t outlines;
};

/* frame stands upright.  threshold is what a change of brightness must come up to, see
 * edges_find().  *sketch, where asked for, shows in EDGES_SCALE the outlines, their boxes
 * and circles, and the box around all in red; the caller frees it.  -ENOMEM. */
int crop_find(const struct frame *frame, int threshold, struct crop *crop,
	      struct frame **sketch, struct err *err);

#endif
