/* Finds the part of a photo that contains something, and how much of its sides can be cut
 * off.  Pure; takes some ten milliseconds per megapixel. */
#ifndef TASKS_CROP_CROP_H
#define TASKS_CROP_CROP_H

#include <stddef.h>

#include "agent/base/err.h"

struct frame;

struct crop {
	/* The box around all outlines in pixels of the frame; the whole frame if there
	 * are none. */
	int x, y, width, height;

	/* The percentage that can be cut off, 0 to 100: equally left and right, and above
	 * and below. */
	int crop_width, crop_height;

	size_t outlines;
};

/* frame must be upright; threshold is as in edges_find().  Unless drawing is NULL,
 * *drawing becomes an image at EDGES_SCALE of the outlines, their boxes and circles, and,
 * in red, the box around all; the caller frees it.  -ENOMEM. */
int crop_find(const struct frame *frame, int threshold, struct crop *crop,
	      struct frame **drawing, struct err *err);

#endif
