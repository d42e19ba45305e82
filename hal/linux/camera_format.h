/* The pixel formats of libcamera that a photo can be made of, and their memory layout.
 * Pure. */
#ifndef HAL_LINUX_CAMERA_FORMAT_H
#define HAL_LINUX_CAMERA_FORMAT_H

#include "hal/linux/camera_module.h"

/* The enum camera_layout for a DRM fourcc without modifier, or -1 for one that
 * camera_pixels() does not know. */
int camera_format_layout(uint32_t fourcc);

/* The best of the offered formats, i.e. the one that needs the least work; 0 if none is
 * known. */
uint32_t camera_format_best(const uint32_t *offered, size_t count);

/* Computes where the planes of a picture are, one behind the other, from its layout, its
 * height and the stride of its first plane: picture->stride, offset and size.  Returns
 * the number of planes, and the bytes of each in sizes. */
int camera_format_place(struct camera_picture *picture, size_t stride,
			size_t sizes[CAMERA_PLANES]);

#endif
