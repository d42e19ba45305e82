/* A picture as light and two colours, the way cameras make it and JPEG keeps it: one that
 * comes so need not go through red, green and blue to be encoded.
 *
 * Values are those of JPEG: BT.601 of full range.  There is one value of each colour for
 * two columns of the picture; an odd last column has one of its own. */
#ifndef HAL_YUV_H
#define HAL_YUV_H

#include <stdint.h>

struct yuv {
	int rows_by; /* rows of the picture to one of its colours: 1 or 2 */

	/* Write row y, counted in rows of the picture, and in rows of the colours. */
	void (*light)(const struct yuv *yuv, int y, uint8_t *light);
	void (*colours)(const struct yuv *yuv, int y, uint8_t *u, uint8_t *v);
	void (*free)(struct yuv *yuv);
};

#endif
