/* Photos as NumPy arrays: .npy files of version 1.0, height x width x 3 bytes (described
 * in numpy.lib.format).
 *
 * Pure functions; any thread.  Errors: a negative errno and a sentence. */
#ifndef TASKS_CAPTURE_NPY_H
#define TASKS_CAPTURE_NPY_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"

struct frame;

#define NPY_START 6 /* bytes that npy_starts() looks at */

/* Encodes the pixels unchanged; the caller frees *bytes. */
int npy_encode(const struct frame *frame, void **bytes, size_t *size, struct err *err);

/* Decodes to pixels with orientation 1; -EBADMSG unless it is such an array.  The caller
 * frees the frame. */
int npy_decode(const void *bytes, size_t size, struct frame **out, struct err *err);

/* True when these NPY_START bytes begin a .npy file. */
bool npy_starts(const void *bytes);

#endif
