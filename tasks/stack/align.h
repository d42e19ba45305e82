/* Finds how one frame lies over its neighbour: the same scene in another focus.
 *
 * Minimises the difference of the two, from small pictures to large ones (Gauss-Newton
 * with the mean of both frames' gradients, so that neither's blur pulls), with weights
 * that let what differs count little.  Where there is nothing to see, the answer tends to
 * identity. Pure; takes some 10 ms. */
#ifndef TASKS_STACK_ALIGN_H
#define TASKS_STACK_ALIGN_H

#include <stdbool.h>

#include "tasks/stack/sharpness.h"
#include "tasks/stack/warp.h"

/* Where a point of to lies in from; both of that layout.  1; 0 when from cannot be laid
 * over to believably (*warp is the identity then); -ENOMEM. */
int align(const struct sharpness *from, const struct sharpness *to,
	  const struct layout *layout, struct warp *warp);

#endif
