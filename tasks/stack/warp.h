/* How one frame of a stack lies over another: scaled, rotated, shifted, and brighter or
 * darker.  Lengths are in pixels of the full image, the origin is its centre.  Pure. */
#ifndef TASKS_STACK_WARP_H
#define TASKS_STACK_WARP_H

/* x' = (1 + scale) x - turn y + x0,  y' = turn x + (1 + scale) y + y0 */
struct warp {
	double scale, turn;
	double x, y; /* x0 and y0 */
	double gain; /* this frame's luma / the other frame's luma */
};

#define WARP_IDENTITY ((struct warp){.gain = 1})

/* Applies inner, then outer: from a frame to a second one, and from there to a third. */
struct warp warp_chain(const struct warp *outer, const struct warp *inner);

struct warp warp_mean(const struct warp *warps, int count);

/* The matrix for pixels numbered from the upper left of an image of this size, as in
 * OpenCV: x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]. */
void warp_matrix(const struct warp *warp, int width, int height, double m[6]);

/* The reverse, with gain 1.  A matrix that is not a rotation and scale gives the nearest
 * one that is. */
struct warp warp_from_matrix(const double m[6], int width, int height);

#endif
