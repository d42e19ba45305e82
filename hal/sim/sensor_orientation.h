/* How the simulated camera is built in: its sensor may lie on its side or on its head.
 * The orientation flag of EXIF tells how its photos must be turned to stand upright, so
 * here an upright picture becomes what such a sensor delivers. */
#ifndef HAL_SIM_SENSOR_ORIENTATION_H
#define HAL_SIM_SENSOR_ORIENTATION_H

#include <stdbool.h>

#include "hal/frame.h"

/* Does the sensor lie on its side: is its width the picture's height? */
bool sensor_is_sideways(int orientation);

/* The same picture as the sensor has it, orientation 1 to 8; takes upright, also when
 * memory is out (NULL).  Only pixels and sizes are taken over. */
struct frame *sensor_orient_frame(struct frame *upright, int orientation);

#endif
