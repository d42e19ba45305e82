/* Sizes and allocation of YCbCr images. */
#include "tasks/stack/ycc_image.h"

#include <string.h>

bool layout_equal(const struct layout *a, const struct layout *b)
{
	return a->width == b->width && a->height == b->height &&
	       a->channels == b->channels &&
	       !memcmp(a->across, b->across, sizeof(a->across)) &&
	       !memcmp(a->down, b->down, sizeof(a->down));
}

int layout_width(const struct layout *layout, int channel)
{
	return (layout->width + layout->across[channel] - 1) / layout->across[channel];
}

int layout_height(const struct layout *layout, int channel)
{
	return (layout->height + layout->down[channel] - 1) / layout->down[channel];
}

size_t layout_bytes(const struct layout *layout)
{
	size_t bytes = 0;

	for (int c = 0; c < layout->channels; c++)
		bytes += (size_t)layout_width(layout, c) *
			 (size_t)layout_height(layout, c);
	return bytes;
}

int ycc_image_make(struct ycc_image *image, const struct layout *layout)
{
	*image = (struct ycc_image){.layout = *layout};
	for (int c = 0; c < layout->channels; c++) {
		int ret = plane_make(&image->planes[c], layout_width(layout, c),
				     layout_height(layout, c));

		if (ret < 0) {
			ycc_image_free(image);
			return ret;
		}
	}
	return 0;
}

void ycc_image_free(struct ycc_image *image)
{
	for (int c = 0; c < YCC_CHANNELS; c++)
		plane_free(&image->planes[c]);
}
