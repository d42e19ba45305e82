/* A picture that is held before the simulated camera instead of the object: a QR code,
 * say. */
#ifndef HAL_SIM_TARGET_IMAGE_H
#define HAL_SIM_TARGET_IMAGE_H

#include "agent/base/err.h"
#include "hal/frame.h"

struct poster;

/* Reads the JPEG at path, of at most POSTER_SIDE pixels a side.  "invalid_args" with a
 * sentence for what is none. */
#define POSTER_SIDE 8192
int poster_open(struct poster **out, const char *path, struct err *err);
void poster_close(struct poster *poster); /* NULL is fine */

/* Fills frame with it: as large as it fits, in the middle, black around it.  Any thread.
 */
void poster_show(const struct poster *poster, struct frame *frame);

#endif
