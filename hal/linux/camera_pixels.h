/* From a picture as a camera left it to the pixels of a frame.  Pure. */
#ifndef HAL_LINUX_CAMERA_PIXELS_H
#define HAL_LINUX_CAMERA_PIXELS_H

#include "hal/linux/camera_module.h"

/* Light and colours, rather than red, green and blue. */
bool camera_pixels_are_yuv(enum camera_layout layout);

/* What is taken when part is asked for: a part of a YUV picture begins at even pixels,
 * odd ones are rounded down. */
struct camera_part camera_pixels_part(const struct camera_picture *picture,
				      const struct camera_part *part);

/* Writes part, which lies within the picture, to rgb: part->width * part->height * 3
 * bytes of red, green, blue. */
void camera_pixels(const struct camera_picture *picture, const struct camera_part *part,
		   uint8_t *rgb);

#endif
