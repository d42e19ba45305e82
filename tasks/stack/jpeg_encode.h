/* From channels to a JPEG, on all processors.  Blocks. */
#ifndef TASKS_STACK_JPEG_ENCODE_H
#define TASKS_STACK_JPEG_ENCODE_H

#include <stddef.h>

#include "agent/base/err.h"
#include "agent/base/cancel.h"
#include "tasks/stack/ycc_image.h"

/* The EXIF block and the colour profile of a JPEG, as they stand in it. */
struct tags {
	unsigned char *bytes;
	size_t size;
};

/* -ENOMEM.  What is no JPEG has none. */
int tags_copy(struct tags *tags, const void *jpeg, size_t size);
void tags_free(struct tags *tags); /* all zeros is fine */

/* How it is coded. */
struct pack_options {
	int quality; /* libjpeg's, 1 to 100, or 0 for what coarseness says */
	const struct coarseness *coarseness;
	const struct tags *tags; /* NULL for none */
	struct cancel *cancel;	 /* NULL is fine */
};

/* The caller frees *jpeg.  -ENOMEM, -EINTR, -EIO. */
int pack(const struct ycc_image *image, const struct pack_options *options, void **jpeg,
	 size_t *size, struct err *err);

#endif
