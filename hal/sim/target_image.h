/* A picture that is shown to the simulated camera instead of the object, for example a QR
 * code. */
#ifndef HAL_SIM_TARGET_IMAGE_H
#define HAL_SIM_TARGET_IMAGE_H

#include "agent/base/err.h"
#include "hal/frame.h"

struct target_image;

/* Reads the JPEG at path, of at most TARGET_IMAGE_SIDE pixels per side.  "invalid_args"
 * with a sentence if that fails. */
#define TARGET_IMAGE_SIDE 8192
int target_image_open(struct target_image **out, const char *path, struct err *err);
void target_image_close(struct target_image *target); /* NULL is fine */

/* Draws it into frame: as large as fits, centred, black around it.  Any thread. */
void target_image_show(const struct target_image *target, struct frame *frame);

#endif
