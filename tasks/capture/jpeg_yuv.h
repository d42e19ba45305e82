/* A frame's light and colours into a JPEG as they are: no way through red, green and
 * blue, and nothing lost on it.
 *
 * Both calls are made between jpeg_set_defaults() and jpeg_finish_compress() for a frame
 * that has yuv, and fail as those do. */
#ifndef TASKS_CAPTURE_JPEG_YUV_H
#define TASKS_CAPTURE_JPEG_YUV_H

#include "hal/frame.h"
#include "tasks/capture/jpeg.h"

void jpeg_yuv_prepare(struct jpeg_compress_struct *info, const struct frame *frame);

/* All rows, after jpeg_start_compress(). */
void jpeg_yuv_write(struct jpeg_compress_struct *info, const struct frame *frame);

#endif
