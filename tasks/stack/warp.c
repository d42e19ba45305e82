/* Arithmetic on warps. */
#include "tasks/stack/warp.h"

struct warp warp_chain(const struct warp *outer, const struct warp *inner)
{
	double co = 1 + outer->scale, ci = 1 + inner->scale;

	return (struct warp){
		.scale = co * ci - outer->turn * inner->turn - 1,
		.turn = co * inner->turn + outer->turn * ci,
		.x = co * inner->x - outer->turn * inner->y + outer->x,
		.y = outer->turn * inner->x + co * inner->y + outer->y,
		.gain = inner->gain * outer->gain,
	};
}

struct warp warp_mean(const struct warp *warps, int count)
{
	struct warp mean = {0};

	for (int i = 0; i < count; i++) {
		mean.scale += warps[i].scale / count;
		mean.turn += warps[i].turn / count;
		mean.x += warps[i].x / count;
		mean.y += warps[i].y / count;
		mean.gain += warps[i].gain / count;
	}
	return mean;
}

void warp_matrix(const struct warp *warp, int width, int height, double m[6])
{
	double cx = (width - 1) / 2.0, cy = (height - 1) / 2.0;

	m[0] = m[4] = 1 + warp->scale;
	m[1] = -warp->turn;
	m[3] = warp->turn;
	m[2] = warp->x + cx - m[0] * cx - m[1] * cy;
	m[5] = warp->y + cy - m[3] * cx - m[4] * cy;
}

struct warp warp_from_matrix(const double m[6], int width, int height)
{
	double cx = (width - 1) / 2.0, cy = (height - 1) / 2.0;

	return (struct warp){
		.scale = (m[0] + m[4]) / 2 - 1,
		.turn = (m[3] - m[1]) / 2,
		.x = m[2] - cx + m[0] * cx + m[1] * cy,
		.y = m[5] - cy + m[3] * cx + m[4] * cy,
		.gain = 1,
	};
}
