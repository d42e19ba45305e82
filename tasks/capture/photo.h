/* Photos as JPEG: encoding, previews, decoding.
 *
 * No state; any thread.  Encoding a photo takes some tens of milliseconds
 * a megapixel and needs, besides the frame, the memory of the JPEG itself.  Errors: a
 * negative errno and a sentence. */
#ifndef TASKS_CAPTURE_PHOTO_H
#define TASKS_CAPTURE_PHOTO_H

#include <stddef.h>

#include "agent/base/err.h"

struct frame;

#define PHOTO_PREVIEW_SIDE 640
#define PHOTO_PREVIEW_BYTES 100000

/* Encodes the whole frame with its jpeg_quality and an EXIF block; the caller frees
 * *jpeg.
 */
int photo_encode(const struct frame *frame, void **jpeg, size_t *size, struct err *err);

/* Encodes a small copy: at most PHOTO_PREVIEW_SIDE pixels on the longest side and
 * PHOTO_PREVIEW_BYTES long. */
int photo_preview(const struct frame *frame, void **jpeg, size_t *size, struct err *err);

/* Decodes a JPEG to at most max_side pixels on the longest side, without ever holding all
 * pixels of a large photo.  *out has the orientation of the photo's EXIF block; the
 * caller frees it.  -EBADMSG unless it is a complete JPEG. */
int photo_decode(const void *jpeg, size_t size, int max_side, struct frame **out,
		 struct err *err);

/* A copy of at most max_side pixels on the longest side, each the mean of the pixels it
 * covers.
 * NULL when memory is out. */
struct frame *photo_fit(const struct frame *frame, int max_side);

/* A copy whose pixels stand upright, orientation 1.  NULL when memory is out. */
struct frame *photo_upright(const struct frame *frame);

#endif
