/* The formats of photos on disk.  Pure functions; any thread. */
#ifndef TASKS_CAPTURE_PHOTO_FORMAT_H
#define TASKS_CAPTURE_PHOTO_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"

struct frame;

enum photo_format { PHOTO_FORMAT_JPEG, PHOTO_FORMAT_RGB_ARRAY };

#define PHOTO_FORMAT_LIST "jpeg and rgb_array" /* for sentences */
#define PHOTO_FORMAT_EDGE 8 /* bytes that photo_format_is_whole() looks at */

/* Names are those of OpenScan3's image_format; -ENOTSUP for any other. */
int photo_format_parse(const char *name);
const char *photo_format_name(enum photo_format format);

/* "jpg" "npy". */
const char *photo_format_extension(enum photo_format format);

/* Encodes the whole frame as a file; the caller frees *bytes. */
int photo_format_encode(enum photo_format format, const struct frame *frame, void **bytes,
			size_t *size, struct err *err);

/* Decodes to pixels, at most max_side on the longest side; the caller frees *out. */
int photo_format_decode(enum photo_format format, const void *bytes, size_t size,
			int max_side, struct frame **out, struct err *err);

/* True when these first and last PHOTO_FORMAT_EDGE bytes are those of a complete file. */
bool photo_format_is_whole(enum photo_format format, const unsigned char *first,
			   const unsigned char *last);

#endif
