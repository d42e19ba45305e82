/* Finds how one frame lies over its neighbour, the same scene focused elsewhere.
 *
 * Minimises the difference of the two by Gauss-Newton steps, from small images to large
 * ones.  The mean gradient of both frames is used, so that the blur of neither biases the
 * result, and pixels that differ much get a low weight.  Where there is no detail, the
 * result tends to the identity.  Pure; takes about 10 ms. */
#ifndef TASKS_STACK_ALIGN_H
#define TASKS_STACK_ALIGN_H

#include <stdbool.h>

#include "tasks/stack/sharpness.h"
#include "tasks/stack/warp.h"

/* Sets *warp to where a point of to lies in from; both have that layout.  1 on success; 0
 * when no plausible warp was found (*warp is the identity then); -ENOMEM. */
int align(const struct sharpness *from, const struct sharpness *to,
	  const struct layout *layout, struct warp *warp);

#endif
