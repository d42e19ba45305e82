/* One channel of a picture: bytes in rows.  Pixels are mapped, not malloc'ed, so that the
 * memory of a large one goes back to the system.  Not shared while it is written to. */
#ifndef TASKS_STACK_PLANE_H
#define TASKS_STACK_PLANE_H

#include <stddef.h>
#include <stdint.h>

struct plane {
	uint8_t *pixels;   /* from the upper left; row y begins at y * stride */
	int width, height; /* pixels */
	size_t stride;	   /* bytes from row to row, at least width */
	size_t bytes;	   /* mapped; 0 for a view of another's pixels */
};

/* Room for rows of width pixels and a margin: stride and the rows that are there are
 * multiples of 64, since codecs work in blocks.  -ENOMEM. */
int plane_make(struct plane *plane, int width, int height);
void plane_free(struct plane *plane); /* one that is all zeros is fine */

static inline uint8_t *plane_row(const struct plane *plane, int y)
{
	return plane->pixels + (size_t)y * plane->stride;
}

/* Half the width and height, rounded down: each pixel the mean of four.  to has that size
 * already; from's first row becomes to's row number row. */
void plane_halve(const struct plane *from, const struct plane *to, int row);

#endif
