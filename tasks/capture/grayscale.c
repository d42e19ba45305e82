#include "tasks/capture/grayscale.h"

#include <stddef.h>
#include <stdlib.h>

#include "hal/frame.h"

#define SMALL                                                                            \
	960 /* a longer side below this is doubled: codes of few pixels are read then */

/* Of the eight ways to hold a camera these are seen in a mirror. */
static bool is_mirrored(int orientation)
{
	return orientation == 2 || orientation == 4 || orientation == 5 ||
	       orientation == 7;
}

static uint8_t luma(const uint8_t *rgb)
{
	return (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2]) >> 8);
}

bool grayscale_of(struct grayscale *grey, const struct frame *frame)
{
	bool small = frame->width < SMALL && frame->height < SMALL;
	bool mirrored = is_mirrored(frame->orientation);
	int times = small ? 2 : 1;

	grey->width = frame->width * times;
	grey->height = frame->height * times;
	grey->pixels = malloc((size_t)grey->width * (size_t)grey->height);
	if (!grey->pixels)
		return false;
	for (int y = 0; y < grey->height; y++) {
		const uint8_t *row =
			frame->rgb + (size_t)(y / times) * (size_t)frame->width * 3;
		uint8_t *out = grey->pixels + (size_t)y * (size_t)grey->width;

		for (int x = 0; x < grey->width; x++) {
			int from = x / times;

			if (mirrored)
				from = frame->width - 1 - from;
			out[x] = luma(row + (size_t)from * 3);
		}
	}
	return true;
}

void grayscale_clear(struct grayscale *grey)
{
	free(grey->pixels);
	grey->pixels = NULL;
}
