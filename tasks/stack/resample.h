/* Resamples a part of a plane under a warp that is close to the identity.
 *
 * Cubic (Catmull and Rom) in two passes, rows first, in floating point: sharp, at about
 * two nanoseconds per pixel.  Pure; any thread. */
#ifndef TASKS_STACK_RESAMPLE_H
#define TASKS_STACK_RESAMPLE_H

#include "tasks/stack/plane.h"

#define RESAMPLE_SIDE 64 /* the largest side of a part, in pixels */

struct resample {
	const struct plane *from;
	/* x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5; m0 and m4 must be .8 to 1.25, m1
	 * and m3 -.1 to .1 */
	double m[6];
	float gain, offset; /* applied to each value */
};

/* Writes the part of width by height pixels whose upper left corner is (x, y) to values,
 * in rows of RESAMPLE_SIDE.  Outside from, its edge is repeated. */
void resample(const struct resample *r, int x, int y, int width, int height,
	      float values[RESAMPLE_SIDE * RESAMPLE_SIDE]);

#endif
