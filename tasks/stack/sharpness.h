/* How sharp a frame is, cell by cell, and the small pictures that it is aligned by. Pure.
 */
#ifndef TASKS_STACK_SHARPNESS_H
#define TASKS_STACK_SHARPNESS_H

#include "tasks/stack/ycc_image.h"

#define SHARPNESS_LEVELS 8

/* Of one frame. */
struct sharpness {
	int cell;	   /* luma pixels a side of a cell: 4, in large pictures 8 */
	int width, height; /* cells */
	uint16_t *energy;  /* of each cell, from the upper left; 0 is without detail */
	/* Luma with a pixel a cell, then always half. */
	struct plane levels[SHARPNESS_LEVELS];
	int count; /* levels, the last about 30 rows high */
};

/* The cells of a picture of that layout. */
int sharpness_cell(const struct layout *layout);

/* half is the frame's luma in half its width and height.  -ENOMEM. */
int sharpness_measure(struct sharpness *sharpness, const struct layout *layout,
		      const struct plane *half);
void sharpness_free(struct sharpness *sharpness); /* one that is all zeros is fine */

#endif
