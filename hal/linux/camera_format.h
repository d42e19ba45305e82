/* Which pixel formats of libcamera a photo is made of, and how their bytes lie.  Pure. */
#ifndef HAL_LINUX_CAMERA_FORMAT_H
#define HAL_LINUX_CAMERA_FORMAT_H

#include "hal/linux/camera_module.h"

/* fourcc: as DRM has it, without a modifier.  An enum camera_layout, or -1 when it is
 * none that camera_pixels() knows. */
int camera_format_layout(uint32_t fourcc);

/* The one to ask for: of those that are offered the one with the least work; 0 when none
 * of them is known. */
uint32_t camera_format_best(const uint32_t *offered, size_t count);

/* Sets where the planes of a picture lie, one behind the other, by its layout and height
 * and the bytes from row to row of its first plane: picture->stride, offset and size.
 * Returns how many planes there are, and the bytes of each. */
int camera_format_place(struct camera_picture *picture, size_t stride,
			size_t sizes[CAMERA_PLANES]);

#endif
