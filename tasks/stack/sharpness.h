/* The sharpness of a frame, cell by cell, and the image pyramid for its alignment.  Pure.
 */
#ifndef TASKS_STACK_SHARPNESS_H
#define TASKS_STACK_SHARPNESS_H

#include "tasks/stack/ycc_image.h"

#define SHARPNESS_LEVELS 8

/* Of one frame. */
struct sharpness {
	int cell;	   /* the side of a cell in luma pixels: 4, in large images 8 */
	int width, height; /* in cells */
	uint16_t *energy;  /* of each cell, from the upper left; 0: no detail */

	/* Luma with one pixel per cell, then at half the size each.  The last level has
	 * about 30 rows. */
	struct plane levels[SHARPNESS_LEVELS];
	int count;
};

/* The side of a cell for an image of that layout. */
int sharpness_cell(const struct layout *layout);

/* half is the frame's luma at half its width and height.  -ENOMEM. */
int sharpness_measure(struct sharpness *sharpness, const struct layout *layout,
		      const struct plane *half);
void sharpness_free(struct sharpness *sharpness); /* one that is all zeros is fine */

#endif
