/* Renders what the simulated rig's camera sees: an owl of painted stoneware on the
 * turntable.
 *
 * The picture is computed, not stored: any angle, any size, always the same object, so
 * that photos of it can be reconstructed and checked.  Its surface has detail down to the
 * pixel at every resolution.
 *
 * Frame of the object: z up, x where the owl looks; the optical axis passes through the
 * origin.  At the turntable's angle phi and the rotor's angle theta the camera is,
 * relative to the object, at
 *
 *     radius * (sin theta cos phi, sin theta sin phi, cos theta)
 *
 * and looks at the origin, with the top of the image away from growing theta: theta 0
 * looks straight down, 90 is level with the object, beyond 90 from below.  The room, if
 * lit, does not move while the object turns. */
#ifndef HAL_SIM_RENDER_H
#define HAL_SIM_RENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/cancel.h"

struct render_view {
	double theta_deg; /* the rotor's angle: 0 above the object, 90 level with it */
	double phi_deg;	  /* the turntable's angle; 360 is 0 again */
	/* From the lens to the middle of the object, above 0; the object's size is 0.45
	 * times this. */
	double radius_mm;
	double light;	 /* ring light around the lens, 0 dark .. 1 full */
	double exposure; /* shutter_ms / 50 * gain: 1 is well exposed at full light */
	double gain;	 /* the sensor's; only the noise grows with it */
	/* 1000 / distance in mm of sharp focus; 0: everything is sharp. */
	double focus_dioptres;

	double focal_px;   /* 0: that of a mode of this width */
	int width, height; /* pixels of the sensor mode, before cropping */
	/* Fractions 0..1 of width and height that are cut away, half of it per side. */
	double crop_width, crop_height;

	uint64_t seed; /* of the noise: one per photo */
	bool room_lit; /* lights the room behind the object */
};

/* Focal length in pixels of a mode that is full_width pixels wide; cropping keeps it. */
double render_focal_px(int full_width);

/* A lens that is focused nearer is farther from the sensor, so the picture grows
 * ("breathing").  Returns the focal length relative to focus on the object's face, 104 mm
 * away, where render_focal_px() was measured; 1 for 0 dioptres, where everything is
 * sharp. */
double render_breathing(double focus_dioptres);

/* How many of `full` pixels are left when the fraction `crop` is cut away: even, at least
 * 2. */
int render_cropped(int full, double crop);

/* Renders view into rgb: render_cropped(width, crop_width) * 3 bytes per row,
 * render_cropped(height, crop_height) rows from the top, gamma 2.2.
 *
 * Any thread.  Uses one thread per processor, all ended before it returns, and up to 11
 * bytes of memory per pixel.  The same view gives the same bytes in one build on one
 * machine; elsewhere they differ by rounding.
 *
 * 0, -EINTR soon after cancel (may be NULL) was requested, -ENOMEM, or -EINVAL for a view
 * without pixels or radius; rgb is unspecified unless 0. */
int render_photo(const struct render_view *view, uint8_t *rgb, struct cancel *cancel);

#endif
