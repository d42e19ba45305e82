/* Encodes channels as a JPEG, on all processors.  Blocks. */
#ifndef TASKS_STACK_JPEG_ENCODE_H
#define TASKS_STACK_JPEG_ENCODE_H

#include <stddef.h>

#include "agent/base/err.h"
#include "agent/base/cancel.h"
#include "tasks/stack/ycc_image.h"

/* The EXIF block and the colour profile, byte for byte as in the JPEG they come from. */
struct tags {
	unsigned char *bytes;
	size_t size;
};

/* Copies the tags of a JPEG; none for data that is no JPEG.  -ENOMEM. */
int tags_copy(struct tags *tags, const void *jpeg, size_t size);
void tags_free(struct tags *tags); /* all zeros is fine */

struct jpeg_encode_options {
	int quality; /* libjpeg's, 1 to 100; 0: use coarseness */
	const struct coarseness *coarseness;
	const struct tags *tags; /* NULL: none */
	struct cancel *cancel;	 /* may be NULL */
};

/* The caller frees *jpeg.  -ENOMEM, -EINTR, -EIO. */
int jpeg_encode(const struct ycc_image *image, const struct jpeg_encode_options *options,
		void **jpeg, size_t *size, struct err *err);

#endif
