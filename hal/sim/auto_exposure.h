/* The simulated camera's light meter: how far its exposure and its white balance are from
 * where they should be, judged by a photo.
 *
 * White balance takes the object for grey in the mean; the exposure is right when the
 * brightest twentieth of the object begins at METER_BRIGHT of full light.  Only what is
 * neither dark nor clipped is looked at for colour. */
#ifndef HAL_SIM_AUTO_EXPOSURE_H
#define HAL_SIM_AUTO_EXPOSURE_H

#include <stdbool.h>

#include "hal/frame.h"

#define AUTO_EXPOSURE_BRIGHT 0.6

/* What to multiply the settings by. */
struct auto_exposure {
	double exposure, red, blue;
};

/* False when the photo shows next to nothing. */
bool auto_exposure_read(const struct frame *frame, struct auto_exposure *auto_exposure);

#endif
