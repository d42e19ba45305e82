/* Compresses a frame's YUV planes directly, without the loss of a conversion to RGB.
 *
 * Both functions are for frames that have yuv; call them between jpeg_set_defaults() and
 * jpeg_finish_compress().  They fail as those do. */
#ifndef TASKS_CAPTURE_JPEG_YUV_H
#define TASKS_CAPTURE_JPEG_YUV_H

#include "hal/frame.h"
#include "tasks/capture/jpeg.h"

void jpeg_yuv_prepare(struct jpeg_compress_struct *info, const struct frame *frame);

/* Writes all rows, after jpeg_start_compress(). */
void jpeg_yuv_write(struct jpeg_compress_struct *info, const struct frame *frame);

#endif
