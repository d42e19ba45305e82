/* The contents of a JPEG: luma and two channels of chroma, each at its own resolution. No
 * colours are converted, so nothing is lost and little memory is needed. */
#ifndef TASKS_STACK_YCC_IMAGE_H
#define TASKS_STACK_YCC_IMAGE_H

#include <stdbool.h>

#include "tasks/stack/plane.h"

#define YCC_CHANNELS 3

/* Equal for all frames of a stack. */
struct layout {
	int width, height;	  /* pixels */
	int channels;		  /* 3, or 1 for a grey image */
	int across[YCC_CHANNELS]; /* luma pixels per sample: 1, 2 or 4 */
	int down[YCC_CHANNELS];
};

/* The quantization tables of a JPEG, in natural order. */
struct coarseness {
	uint16_t steps[YCC_CHANNELS][64];
};

struct ycc_image {
	struct layout layout;
	struct plane planes[YCC_CHANNELS];
};

bool layout_equal(const struct layout *a, const struct layout *b);

/* The size of a channel in samples. */
int layout_width(const struct layout *layout, int channel);
int layout_height(const struct layout *layout, int channel);

/* The bytes of all channels. */
size_t layout_bytes(const struct layout *layout);

/* Allocates planes of that layout, with luma 0.  -ENOMEM; nothing is left allocated then.
 */
int ycc_image_make(struct ycc_image *image, const struct layout *layout);
void ycc_image_free(struct ycc_image *image); /* one that is all zeros is fine */

#endif
