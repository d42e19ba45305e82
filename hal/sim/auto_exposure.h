/* The simulated camera's auto-exposure: how far exposure and white balance of a photo are
 * from where they should be.
 *
 * White balance assumes that the object is grey on average.  The exposure is right when
 * the brightest twentieth of the object begins at AUTO_EXPOSURE_BRIGHT of full light.
 * For colour, dark and clipped pixels are ignored. */
#ifndef HAL_SIM_AUTO_EXPOSURE_H
#define HAL_SIM_AUTO_EXPOSURE_H

#include <stdbool.h>

#include "hal/frame.h"

#define AUTO_EXPOSURE_BRIGHT 0.6

/* The factors by which to multiply the settings. */
struct auto_exposure {
	double exposure, red, blue;
};

/* False if the photo shows next to nothing. */
bool auto_exposure_read(const struct frame *frame, struct auto_exposure *auto_exposure);

#endif
