/* From a picture as a camera left it to the pixels of a frame: RGB, or YUV where the
 * picture came that way.  Pure. */
#ifndef HAL_LINUX_CAMERA_PIXELS_H
#define HAL_LINUX_CAMERA_PIXELS_H

#include "hal/linux/camera_module.h"
#include "hal/yuv.h"

/* Whether pixels are light and colours rather than red, green and blue. */
bool camera_pixels_are_yuv(enum camera_layout layout);

/* The part that is taken when `part` is asked for: a part of a YUV picture begins at even
 * pixels, odd ones are rounded down. */
struct camera_part camera_pixels_part(const struct camera_picture *picture,
				      const struct camera_part *part);

/* Writes part, which must lie within the picture, to rgb: part->width * part->height * 3
 * bytes of red, green, blue. */
void camera_pixels(const struct camera_picture *picture, const struct camera_part *part,
		   uint8_t *rgb);

/* The part as YUV, as camera_pixels_part() rounds it.  The result owns the picture's
 * bytes, and picture->bytes becomes NULL.  Returns NULL and changes nothing if the
 * picture is RGB or memory is out. */
struct yuv *camera_yuv(struct camera_picture *picture, const struct camera_part *part);

#endif
