#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/stack/jpeg_encode.h"

#define SOI_SIZE 2
#define MARK 0xff
#define SOS 0xda
#define APP1 0xe1 /* EXIF */
#define APP2 0xe2 /* ICC */

static size_t length_of(const unsigned char *segment)
{
	return 2 + (size_t)segment[2] * 256 + segment[3];
}

/* The next segment from at on that is complete and before the pixels, or NULL. */
static const unsigned char *segment_at(const unsigned char *jpeg, size_t size, size_t at)
{
	const unsigned char *segment = jpeg + at;

	if (at + 4 > size || segment[0] != MARK || segment[1] == SOS ||
	    length_of(segment) < 4 || at + length_of(segment) > size)
		return NULL;
	return segment;
}

static size_t copy_segments(const unsigned char *jpeg, size_t size, unsigned char *to)
{
	const unsigned char *segment;
	size_t copied = 0;

	for (size_t at = SOI_SIZE; (segment = segment_at(jpeg, size, at));
	     at += length_of(segment))
		if (segment[1] == APP1 || segment[1] == APP2) {
			if (to)
				memcpy(to + copied, segment, length_of(segment));
			copied += length_of(segment);
		}
	return copied;
}

int tags_copy(struct tags *tags, const void *jpeg, size_t size)
{
	*tags = (struct tags){.size = copy_segments(jpeg, size, NULL)};
	if (!tags->size)
		return 0;
	tags->bytes = malloc(tags->size);
	if (!tags->bytes)
		return -ENOMEM;
	copy_segments(jpeg, size, tags->bytes);
	return 0;
}

void tags_free(struct tags *tags)
{
	free(tags->bytes);
	*tags = (struct tags){0};
}
