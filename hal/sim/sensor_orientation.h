/* The orientation of the simulated camera's sensor, which may be rotated or mirrored.
 * The EXIF orientation flag says how its photos must be turned to be upright; this turns
 * an upright picture into what such a sensor delivers. */
#ifndef HAL_SIM_SENSOR_ORIENTATION_H
#define HAL_SIM_SENSOR_ORIENTATION_H

#include <stdbool.h>

#include "hal/frame.h"

/* Whether the sensor is rotated by 90 degrees, so its width is the picture's height. */
bool sensor_is_sideways(int orientation);

/* The picture as a sensor of orientation 1 to 8 delivers it.  Takes ownership of upright,
 * also when memory is out (NULL).  Copies pixels and sizes only. */
struct frame *sensor_orient_frame(struct frame *upright, int orientation);

#endif
