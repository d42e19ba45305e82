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

int picture_make(struct picture *picture, const struct layout *layout)
{
	*picture = (struct picture){.layout = *layout};
	for (int c = 0; c < layout->channels; c++) {
		int ret = plane_make(&picture->planes[c], layout_width(layout, c),
				     layout_height(layout, c));

		if (ret < 0) {
			picture_free(picture);
			return ret;
		}
	}
	return 0;
}

void picture_free(struct picture *picture)
{
	for (int c = 0; c < PICTURE_CHANNELS; c++)
		plane_free(&picture->planes[c]);
}
