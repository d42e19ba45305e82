/* A JPEG as what is in it: luma and two channels of chroma, in the resolution that each
 * has there.  No colours are converted, so nothing is lost and little memory is needed.
 */
#ifndef TASKS_STACK_YCC_IMAGE_H
#define TASKS_STACK_YCC_IMAGE_H

#include <stdbool.h>

#include "tasks/stack/plane.h"

#define YCC_CHANNELS 3

/* What the pictures of one stack have in common. */
struct layout {
	int width, height;	  /* pixels */
	int channels;		  /* 3, or 1 for a grey picture */
	int across[YCC_CHANNELS]; /* luma pixels that one sample covers: 1, 2 or 4 */
	int down[YCC_CHANNELS];
};

/* How finely a JPEG keeps each channel: its quantization tables, in natural order. */
struct coarseness {
	uint16_t steps[YCC_CHANNELS][64];
};

struct ycc_image {
	struct layout layout;
	struct plane planes[YCC_CHANNELS];
};

bool layout_equal(const struct layout *a, const struct layout *b);

/* Samples of a channel in a row, and rows. */
int layout_width(const struct layout *layout, int channel);
int layout_height(const struct layout *layout, int channel);

/* Bytes of the channels together. */
size_t layout_bytes(const struct layout *layout);

/* Planes of that layout, black in luma.  -ENOMEM; nothing is left then. */
int ycc_image_make(struct ycc_image *image, const struct layout *layout);
void ycc_image_free(struct ycc_image *image); /* one that is all zeros is fine */

#endif
