/* The lens: blurs what is out of focus.
 *
 * A pyramid of pictures, each half as large as the one before, holds the light at every
 * degree of blur; a pixel takes the mixture of two levels that comes closest to its
 * circle of confusion (after L. Williams, "Pyramidal Parametrics", 1983). */
#ifndef HAL_SIM_LENS_H
#define HAL_SIM_LENS_H

#include "agent/base/cancel.h"
#include "hal/sim/picture.h"

#define LENS_LEVELS 8

struct lens {
	struct picture level[LENS_LEVELS]; /* level 0 is what the lens looks at */
	int levels;
};

/* Fills the levels above 0, as many as most_blur (in pixels) needs.  0, -ENOMEM or
 * -EINTR; lens_close() in any case. */
int lens_focus(struct lens *lens, double most_blur, struct cancel *cancel);

/* Row y as the lens shows it: width * 3 values, 1 for PICTURE_ONE. */
void lens_row(const struct lens *lens, int y, float *row);

/* Gives the levels above 0 back. */
void lens_close(struct lens *lens);

#endif
