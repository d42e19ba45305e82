/* The EXIF block of a photo, which records how it was taken.
 *
 * The format is that of CIPA DC-008 (Exif 2.3), a TIFF structure in a JPEG APP1 marker;
 * libexif writes and reads it.  Pure functions; any thread. */
#ifndef TASKS_CAPTURE_EXIF_H
#define TASKS_CAPTURE_EXIF_H

#include <stddef.h>

struct frame;

#define EXIF_MAX 2048

/* Writes the block for frame: orientation, camera, software, time (UTC), exposure,
 * sensitivity (gain 1 is ISO 100), the frame's comment, and the focal length if known, in
 * millimetres and as its equivalent on 36 x 24 mm film, the value photogrammetry programs
 * start from.  Returns its size, 0 when memory is out. */
size_t exif_write(const struct frame *frame, unsigned char bytes[EXIF_MAX]);

/* The orientation flag of a block, 1 to 8; 1 when the block has none or is damaged. */
int exif_orientation(const unsigned char *bytes, size_t size);

#endif
