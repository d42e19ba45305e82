/* The light and the colours of a camera's picture, as it left them. */
#ifndef HAL_LINUX_CAMERA_YUV_H
#define HAL_LINUX_CAMERA_YUV_H

#include "hal/linux/camera_module.h"
#include "hal/yuv.h"

/* part of the picture, as camera_pixels_part() has it.  The picture's bytes go with what
 * is returned, and picture->bytes is NULL then.  NULL, and nothing changed, where the
 * picture has no such values or memory is out. */
struct yuv *camera_yuv(struct camera_picture *picture, const struct camera_part *part);

#endif
