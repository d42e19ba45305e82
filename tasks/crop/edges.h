/* Canny edge detection.  Pure. */
#ifndef TASKS_CROP_EDGES_H
#define TASKS_CROP_EDGES_H

#include "tasks/stack/plane.h"

struct frame;

#define EDGES_SCALE .3 /* of the frame's size: finer detail is noise */

/* Makes a grey image at that scale: each pixel is the mean of the area it covers, then of
 * itself and its neighbours.  -ENOMEM. */
int edges_prepare(const struct frame *frame, struct plane *grey);

/* Makes a map of grey's size: 1 on an edge, else 0.  An edge is a local maximum of the
 * gradient (Sobel's, |x| + |y|) that is over threshold and connected to one that is over
 * twice the threshold.  -ENOMEM. */
int edges_find(const struct plane *grey, int threshold, struct plane *edges);

#endif
