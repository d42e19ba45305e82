/* A picture that is held before the simulated camera instead of the object: a QR code,
 * say. */
#ifndef HAL_SIM_TARGET_IMAGE_H
#define HAL_SIM_TARGET_IMAGE_H

#include "agent/base/err.h"
#include "hal/frame.h"

struct target_image;

/* Reads the JPEG at path, of at most TARGET_IMAGE_SIDE pixels a side.  "invalid_args"
 * with a sentence for what is none. */
#define TARGET_IMAGE_SIDE 8192
int target_image_open(struct target_image **out, const char *path, struct err *err);
void target_image_close(struct target_image *target); /* NULL is fine */

/* Fills frame with it: as large as it fits, in the middle, black around it.  Any thread.
 */
void target_image_show(const struct target_image *target, struct frame *frame);

#endif
