/* A picture as luma and two colours, as cameras deliver it and JPEG stores it: it can
 * be encoded without converting it to RGB and back.
 *
 * Values are JPEG's: BT.601, full range.  There is one value of each colour per two
 * columns of the picture; an odd last column has its own. */
#ifndef HAL_YUV_H
#define HAL_YUV_H

#include <stdint.h>

struct yuv {
	int rows_by; /* rows of the picture per row of its colours: 1 or 2 */

	/* Write row y: of the picture for light(), of the colours for colours(). */
	void (*light)(const struct yuv *yuv, int y, uint8_t *light);
	void (*colours)(const struct yuv *yuv, int y, uint8_t *u, uint8_t *v);
	void (*free)(struct yuv *yuv);
};

#endif
