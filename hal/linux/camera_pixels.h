/* From a picture as a camera left it to the pixels of a frame.  Pure. */
#ifndef HAL_LINUX_CAMERA_PIXELS_H
#define HAL_LINUX_CAMERA_PIXELS_H

#include "hal/linux/camera_module.h"

/* Writes part, which lies within the picture, to rgb: part->width * part->height * 3
 * bytes of red, green, blue.  A YUV picture's x and y begin at even pixels: an odd one is
 * rounded down. */
void camera_pixels(const struct camera_picture *picture, const struct camera_part *part,
		   uint8_t *rgb);

#endif
