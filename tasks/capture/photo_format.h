/* The formats that a photo can have on disk.  Pure functions; any thread. */
#ifndef TASKS_CAPTURE_PHOTO_FORMAT_H
#define TASKS_CAPTURE_PHOTO_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"

struct frame;

enum format { FORMAT_JPEG, FORMAT_RGB_ARRAY };

#define FORMAT_LIST "jpeg and rgb_array" /* for sentences */
#define FORMAT_EDGE 8			 /* bytes that format_is_whole() looks at */

/* By the names of OpenScan3's image_format; -ENOTSUP for one that is not there. */
int format_parse(const char *name);
const char *format_name(enum format format);

/* "jpg" "npy". */
const char *format_ending(enum format format);

/* The whole frame as a file; the caller frees *bytes. */
int format_encode(enum format format, const struct frame *frame, void **bytes,
		  size_t *size, struct err *err);

/* Back to pixels, at most max_side on the longest side; the caller frees *out. */
int format_decode(enum format format, const void *bytes, size_t size, int max_side,
		  struct frame **out, struct err *err);

/* Do the first and the last FORMAT_EDGE bytes look like those of a whole file? */
bool format_is_whole(enum format format, const unsigned char *first,
		     const unsigned char *last);

#endif
