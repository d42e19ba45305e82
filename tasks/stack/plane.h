/* One channel of an image: bytes in rows.  The pixels are mapped, not allocated by
 * malloc(), so that the memory of a large image goes back to the system.  Not to be
 * shared while it is written to. */
#ifndef TASKS_STACK_PLANE_H
#define TASKS_STACK_PLANE_H

#include <stddef.h>
#include <stdint.h>

struct plane {
	uint8_t *pixels;   /* from the upper left; row y begins at y * stride */
	int width, height; /* pixels */
	size_t stride;	   /* bytes from row to row, at least width */
	size_t bytes;	   /* mapped; 0 for a view of another plane's pixels */
};

/* Makes room for rows of width pixels and a margin: stride and the number of rows are
 * multiples of 64, since codecs work in blocks.  -ENOMEM. */
int plane_make(struct plane *plane, int width, int height);
void plane_free(struct plane *plane); /* one that is all zeros is fine */

static inline uint8_t *plane_row(const struct plane *plane, int y)
{
	return plane->pixels + (size_t)y * plane->stride;
}

/* Halves the width and height, rounded down: each pixel is the mean of four.  to must
 * have that size; the first row of from becomes the given row of to. */
void plane_halve(const struct plane *from, const struct plane *to, int row);

#endif
