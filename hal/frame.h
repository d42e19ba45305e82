/* The pixels of one photo, from a camera to the encoder. */
#ifndef HAL_FRAME_H
#define HAL_FRAME_H

#include <stdint.h>

#include "hal/yuv.h"

struct frame {
	int width, height; /* pixels, as the sensor sees them (not turned) */
	uint8_t *rgb;	   /* width * height * 3 bytes, rows from the top */
	struct yuv *yuv; /* the same picture as the camera delivered it; NULL: only rgb */
	int rows;	 /* how many arrived; fewer than height: the photo is torn */
	int64_t taken_at_ms; /* wall clock, when the shutter opened */
	double shutter_ms;
	double gain;
	double focal_px;   /* focal length in pixels */
	double focal_mm;   /* focal length of the lens; 0 if unknown */
	int orientation;   /* EXIF orientation flag 1..8 */
	int jpeg_quality;  /* 0..100 */
	char camera[65];   /* its name */
	char comment[160]; /* for people: what it shows and from where; may be empty */
};

/* A black frame with all its rows.  Pixels are mapped, not malloc'ed, so that a photo's
 * memory goes back to the system. */
struct frame *frame_new(int width, int height);
void frame_free(struct frame *frame); /* NULL is fine */

#endif
