/* What the simulated rig's camera sees: an owl of painted stoneware on the turntable.
 *
 * The picture is computed, not stored: any angle, any size, always the same object, so
 * that what is photographed can be reconstructed and checked.  Its surface carries detail
 * down to the pixel at every resolution.
 *
 * Frame of the object: z up, x where the owl looks; the optical axis passes through the
 * origin.  At the turntable's angle phi and the rotor's angle theta the camera stands,
 * seen from the object, at
 *
 *     radius * (sin theta cos phi, sin theta sin phi, cos theta)
 *
 * and looks at the origin with the image's top away from theta's growth: theta 0 looks
 * straight down, 90 is level with the object, beyond 90 from below.  The room, where lit,
 * stands still while the object turns. */
#ifndef HAL_SIM_RENDER_H
#define HAL_SIM_RENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/cancel.h"

struct render_view {
	double theta_deg; /* the rotor's angle: 0 above the object, 90 level with it */
	double phi_deg;	  /* the turntable's angle; 360 is 0 again */
	double radius_mm; /* from the lens to the middle of the object, above 0; the
			   * object is 0.45 times this, whatever it is */
	double light;	  /* ring light around the lens, 0 dark .. 1 full */
	double exposure;  /* shutter_ms / 50 * gain: 1 is well exposed at full light */
	double gain;	  /* the sensor's; only the noise grows with it */

	double focus_dioptres; /* 1000 / distance in mm that is sharp; 0: everything is */

	double focal_px;    /* 0: that of a mode of this width */
	int width, height;  /* pixels of the sensor's mode, before cropping */
	double crop_width;  /* fraction 0..1 of the width that is cut away, half a side */
	double crop_height; /* the same of the height */

	uint64_t seed; /* of the noise: another photo, another seed */
	bool room_lit; /* shows the room behind the object, as a lamp in it would */
};

/* Focal length in pixels of a mode that is full_width pixels wide; cropping keeps it. */
double render_focal_px(int full_width);

/* A lens focused nearer stands farther from the sensor, so the picture grows
 * ("breathing"): how many times as long the focal length is as with focus on the object's
 * face, 104 mm away, where render_focal_px() is measured.  0 dioptres, where everything
 * is sharp: 1. */
double render_breathing(double focus_dioptres);

/* How many of full pixels are left when the fraction crop is cut away: even, at least 2.
 */
int render_cropped(int full, double crop);

/* Renders view into rgb: render_cropped(width, crop_width) * 3 bytes a row,
 * render_cropped(height, crop_height) rows from the top, gamma 2.2.
 *
 * Any thread; works with one thread for each processor, all of them ended before it
 * returns. Needs up to 11 bytes a pixel meanwhile and gives them back.  The same view
 * gives the same bytes in one build on one machine; elsewhere they differ by rounding.
 *
 * 0, -EINTR soon after cancel (NULL is fine) was requested, -ENOMEM, -EINVAL for a view
 * without pixels or radius; rgb is unspecified unless 0. */
int render_photo(const struct render_view *view, uint8_t *rgb, struct cancel *cancel);

#endif
