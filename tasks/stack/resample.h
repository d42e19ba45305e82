/* A part of a plane as it looks under a warp that is near to the identity.
 *
 * Cubic (Catmull and Rom) in two passes, rows first, in floating point: sharp, and each
 * pixel costs two nanoseconds.  Pure; any thread. */
#ifndef TASKS_STACK_RESAMPLE_H
#define TASKS_STACK_RESAMPLE_H

#include "tasks/stack/plane.h"

#define RESAMPLE_SIDE 64 /* the largest part */

struct resample {
	const struct plane *from;
	double m[6]; /* x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5; m0 and m4 are .8
		      * to 1.25, m1 and m3 -.1 to .1 */
	float gain, offset; /* on each value */
};

/* Writes the part of width by height pixels from (x, y) on to values, rows of
 * RESAMPLE_SIDE.  What is outside of from looks like its edge. */
void resample(const struct resample *r, int x, int y, int width, int height,
	      float values[RESAMPLE_SIDE * RESAMPLE_SIDE]);

#endif
