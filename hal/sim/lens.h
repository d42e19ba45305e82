/* The lens: blurs what is out of focus.
 *
 * A pyramid of images, each half as large as the one before, holds the light at every
 * degree of blur; a pixel takes the mixture of two levels that comes closest to its
 * circle of confusion (after L. Williams, "Pyramidal Parametrics", 1983). */
#ifndef HAL_SIM_LENS_H
#define HAL_SIM_LENS_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/cancel.h"

#define LIGHT_ONE 16384 /* of rgb: fully exposed at full light and exposure 1 */
#define BLUR_PIXEL 64	/* of blur: one pixel */
#define LENS_LEVELS 8

/* The light that arrives in the camera, before lens and sensor spoil it.  Pixels in rows
 * from the top, as fixed point to save memory: a photo of the large sensor has 16 million
 * of them. */
struct light_image {
	int width, height;
	uint16_t *rgb; /* linear light, three values per pixel */
	/* 1 + radius of the circle of confusion; 0 where there is nothing. */
	uint16_t *blur;
	size_t mapped; /* bytes */
};

/* All black and empty.  Mapped, so that closing gives the memory back.  0 or -ENOMEM. */
int light_image_open(struct light_image *image, int width, int height);
void light_image_close(struct light_image *image); /* all zeros is fine */

struct lens {
	struct light_image level[LENS_LEVELS]; /* level 0 is what the lens looks at */
	int levels;
};

/* Fills the levels above 0, as many as most_blur (in pixels) needs.  0, -ENOMEM or
 * -EINTR; call lens_close() in any case. */
int lens_focus(struct lens *lens, double most_blur, struct cancel *cancel);

/* Row y as the lens shows it: width * 3 values, 1 for LIGHT_ONE. */
void lens_row(const struct lens *lens, int y, float *row);

/* Frees the levels above 0. */
void lens_close(struct lens *lens);

#endif
