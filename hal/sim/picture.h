/* The light that arrives in the camera, before lens and sensor spoil it. */
#ifndef HAL_SIM_PICTURE_H
#define HAL_SIM_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#define PICTURE_ONE 16384 /* of rgb: what exposes fully at full light and exposure 1 */
#define PICTURE_PIXEL 64  /* of blur: one pixel */

/* Pixels in rows from the top, as fixed point to save memory: a photo of the large sensor
 * has 16 million of them. */
struct picture {
	int width, height;
	uint16_t *rgb; /* linear light, three a pixel */
	uint16_t *
		blur; /* 1 + radius of the circle of confusion; 0 where nothing is seen */
	size_t mapped; /* bytes */
};

/* All black and empty; mapped, so that closing gives the memory back.  0 or -ENOMEM. */
int picture_open(struct picture *picture, int width, int height);
void picture_close(struct picture *picture); /* one that was never opened: all 0 */

#endif
