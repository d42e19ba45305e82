/* How one frame of a stack lies over another: turned, scaled, shifted, and lighter or
 * darker.  Lengths in pixels of the full picture, the origin in its middle.  Pure. */
#ifndef TASKS_STACK_WARP_H
#define TASKS_STACK_WARP_H

struct warp {
	double scale, turn; /* less 1: x' = (1 + scale) x - turn y + x0 */
	double x, y;	    /* x0 and y0: y' = turn x + (1 + scale) y + y0 */
	double gain;	    /* the other frame's luma times this is this one's */
};

#define WARP_IDENTITY ((struct warp){.gain = 1})

/* First inner, then outer: from a frame to a second one, and from there to a third. */
struct warp warp_chain(const struct warp *outer, const struct warp *inner);

/* The mean of warps. */
struct warp warp_mean(const struct warp *warps, int count);

/* As two rows of three for pixels numbered from the upper left of a picture of this size,
 * as OpenCV has it: x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]. */
void warp_matrix(const struct warp *warp, int width, int height, double m[6]);

/* Back again, with gain 1; what is no turn and scale becomes the nearest. */
struct warp warp_from_matrix(const double m[6], int width, int height);

#endif
