/* Where a picture changes from one brightness to another: Canny's edges.  Pure. */
#ifndef TASKS_CROP_EDGES_H
#define TASKS_CROP_EDGES_H

#include "tasks/stack/plane.h"

struct frame;

#define EDGES_SCALE .3 /* of the frame: finer than that is noise */

/* The frame's brightness at that scale, each pixel the mean of what it covers, and then
 * of its neighbours.  -ENOMEM. */
int edges_prepare(const struct frame *frame, struct plane *grey);

/* A map of grey's size: 1 on an edge, else 0.  An edge is where the gradient (Sobel's,
 * its two parts added) is greatest across it and over threshold, and that hangs together
 * with a place where it is over twice that.  -ENOMEM. */
int edges_find(const struct plane *grey, int threshold, struct plane *edges);

#endif
