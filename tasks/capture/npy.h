/* Photos as arrays for NumPy: version 1.0 of its .npy files, height x width x 3 bytes
 * (numpy.lib.format describes them).
 *
 * Pure functions; any thread.  Errors: a negative errno and a sentence. */
#ifndef TASKS_CAPTURE_NPY_H
#define TASKS_CAPTURE_NPY_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"

struct frame;

#define NPY_START 6 /* bytes that npy_starts() looks at */

/* The pixels as they are; the caller frees *bytes. */
int npy_encode(const struct frame *frame, void **bytes, size_t *size, struct err *err);

/* Back to pixels, orientation 1; -EBADMSG for what is no such array.  The caller frees
 * the frame. */
int npy_decode(const void *bytes, size_t size, struct frame **out, struct err *err);

/* Do these NPY_START bytes begin a .npy file? */
bool npy_starts(const void *bytes);

#endif
