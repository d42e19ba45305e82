/* Mixes the frames tile by tile. */
#include "tasks/stack/fuse.h"

#include <math.h>
#include <string.h>

#include "agent/base/simd.h"
#include "tasks/stack/resample.h"

#define SIDE RESAMPLE_SIDE
#define EDGE (SIDE / 4 + 2) /* the most cells that touch a tile, per row */
#define LEAST_GAIN .004	    /* a smaller change is ignored: rounding would cost more */

/* A square of the image, with sides of SIDE luma pixels, or less at the edge. */
struct tile {
	int x, y, width, height; /* luma pixels */
};

int fuse_parts(const struct layout *layout)
{
	return (layout->height + SIDE - 1) / SIDE;
}

static bool is_middle(const struct warp *warp)
{
	return fabs(warp->scale) + fabs(warp->turn) < 1e-9 &&
	       fabs(warp->x) + fabs(warp->y) < 1e-6 && fabs(warp->gain - 1) < 1e-6;
}

/* The warp for one channel.  A sample lies at the centre of the luma pixels it covers. */
static struct resample channel_warp(const struct fuse *fuse, int c)
{
	const struct layout *layout = &fuse->frame->layout;
	double across = layout->across[c], down = layout->down[c], full[6];
	bool adjust = fabs(fuse->warp.gain - 1) > LEAST_GAIN;
	float gain = adjust ? (float)fuse->warp.gain : 1;

	warp_matrix(&fuse->warp, layout->width, layout->height, full);
	return (struct resample){
		.from = &fuse->frame->planes[c],
		.m = {full[0], full[1] * down / across,
		      (full[2] + full[0] * (across - 1) / 2 + full[1] * (down - 1) / 2 +
		       .5) / across -
			      .5,
		      full[3] * across / down, full[4],
		      (full[5] + full[3] * (across - 1) / 2 + full[4] * (down - 1) / 2 +
		       .5) / down -
			      .5},
		.gain = gain,
		.offset = c > 0 ? 128 * (1 - gain) : 0,
	};
}

/* ---- the frame's share of each pixel ---- */

/* The cells around a tile. */
struct cells {
	float here[EDGE][EDGE];	  /* 1 where the map has this frame */
	float so_far[EDGE][EDGE]; /* 1 where it has this or an earlier frame */
	bool all, none;		  /* whether all or none have this frame */
	bool none_before;	  /* whether none has an earlier frame */
};

static int clamp(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

/* Cell (0, 0) of cells is above and to the left of the tile's first cell. */
static void read_cells(const struct focus_map *map, int number, const struct tile *tile,
		       struct cells *cells)
{
	int across = (tile->width + map->cell - 1) / map->cell + 2;
	int down = (tile->height + map->cell - 1) / map->cell + 2;

	cells->all = cells->none = cells->none_before = true;
	for (int j = 0; j < down; j++) {
		int y = clamp(tile->y / map->cell + j - 1, 0, map->height - 1);
		const uint8_t *row = map->frame + (size_t)y * (size_t)map->width;

		for (int i = 0; i < across; i++) {
			int x = clamp(tile->x / map->cell + i - 1, 0, map->width - 1);

			cells->here[j][i] = row[x] == number;
			cells->so_far[j][i] = row[x] <= number;
			cells->all = cells->all && row[x] == number;
			cells->none = cells->none && row[x] != number;
			cells->none_before = cells->none_before && row[x] >= number;
		}
	}
}

/* Interpolates one row of pixels between two rows of cells. */
SIMD_CLONES static void interpolate_row(const float *restrict above,
					const float *restrict below, float down, int cell,
					int width, float *restrict to)
{
	float row[EDGE], step = 1.f / (float)cell;
	int half = cell / 2;

	for (int i = 0; i < EDGE; i++)
		row[i] = above[i] + (below[i] - above[i]) * down;
	for (int x = 0; x < width; x++) {
		int from = x + half, i = from / cell;
		float along = ((float)(from - i * cell) + .5f) * step;

		to[x] = row[i] + (row[i + 1] - row[i]) * along;
	}
}

/* The weight of this frame in each pixel, relative to this and all earlier frames. */
static void find_weights(const struct cells *cells, int cell, const struct tile *tile,
			 float weights[SIDE * SIDE])
{
	float so_far[SIDE];
	int half = cell / 2;

	for (int y = 0; y < tile->height; y++) {
		int from = y + half, j = from / cell;
		float down = ((float)(from - j * cell) + .5f) / (float)cell;
		float *row = weights + (size_t)y * SIDE;

		interpolate_row(cells->here[j], cells->here[j + 1], down, cell,
				tile->width, row);
		interpolate_row(cells->so_far[j], cells->so_far[j + 1], down, cell,
				tile->width, so_far);
		for (int x = 0; x < tile->width; x++)
			row[x] = so_far[x] > 0 ? row[x] / so_far[x] : 0;
	}
}

/* The mean weight of the luma pixels that one sample of a channel covers. */
static float mean_weight(const float *weights, const struct tile *tile,
			 const struct layout *layout, int c, int x, int y)
{
	int across = layout->across[c], down = layout->down[c];
	float sum = 0;

	for (int j = 0; j < down; j++)
		for (int i = 0; i < across; i++)
			sum += weights[clamp(y * down + j, 0, tile->height - 1) * SIDE +
				       clamp(x * across + i, 0, tile->width - 1)];
	return sum / (float)(across * down);
}

static void shrink_weights(const float *weights, const struct tile *tile,
			   const struct layout *layout, int c, int width, int height,
			   float *to)
{
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			to[y * SIDE + x] = mean_weight(weights, tile, layout, c, x, y);
}

/* ---- pixels ---- */

SIMD_CLONES static void put_row(const float *restrict values, uint8_t *restrict to,
				int width)
{
	for (int x = 0; x < width; x++) {
		float v = values[x] + .5f;

		v = v < 0 ? 0 : v > 255 ? 255 : v;
		to[x] = (uint8_t)(int)v;
	}
}

SIMD_CLONES static void mix_row(const float *restrict values,
				const float *restrict weights, uint8_t *restrict to,
				int width)
{
	for (int x = 0; x < width; x++) {
		float v = values[x] < 0 ? 0 : values[x] > 255 ? 255 : values[x];

		/* All weights are set. */
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
		v = (float)to[x] + (v - (float)to[x]) * weights[x];
		to[x] = (uint8_t)(int)(v + .5f);
	}
}

/* Copies the middle frame's pixels unchanged. */
static void copy_pixels(const struct plane *from, const struct plane *to, int x, int y,
			int width, int height)
{
	for (int i = 0; i < height; i++)
		memcpy(plane_row(to, y + i) + x, plane_row(from, y + i) + x,
		       (size_t)width);
}

static void fuse_channel(const struct fuse *fuse, const struct tile *tile,
			 const float *weights, int c)
{
	const struct layout *layout = &fuse->frame->layout;
	const struct plane *to = &fuse->result->planes[c];
	int across = layout->across[c], down = layout->down[c];
	int x = tile->x / across, y = tile->y / down;
	int width = (tile->width + across - 1) / across;
	int height = (tile->height + down - 1) / down;
	float values[SIDE * SIDE], shrunk[SIDE * SIDE];
	struct resample r = channel_warp(fuse, c);

	if (!weights && is_middle(&fuse->warp)) {
		copy_pixels(r.from, to, x, y, width, height);
		return;
	}
	resample(&r, x, y, width, height, values);
	if (weights && across * down > 1) {
		shrink_weights(weights, tile, layout, c, width, height, shrunk);
		weights = shrunk;
	}
	for (int i = 0; i < height; i++)
		if (weights)
			mix_row(values + i * SIDE, weights + i * SIDE,
				plane_row(to, y + i) + x, width);
		else
			put_row(values + i * SIDE, plane_row(to, y + i) + x, width);
}

static void fuse_tile(const struct fuse *fuse, const struct tile *tile)
{
	float weights[SIDE * SIDE];
	struct cells cells = {0};
	bool whole;

	read_cells(fuse->map, fuse->number, tile, &cells);
	if (cells.none)
		return;
	whole = cells.all || cells.none_before;
	if (!whole)
		find_weights(&cells, fuse->map->cell, tile, weights);
	for (int c = 0; c < fuse->frame->layout.channels; c++)
		fuse_channel(fuse, tile, whole ? NULL : weights, c);
}

void fuse_part(const struct fuse *fuse, int part)
{
	const struct layout *layout = &fuse->frame->layout;
	struct tile tile = {.y = part * SIDE};

	tile.height = clamp(layout->height - tile.y, 0, SIDE);
	for (tile.x = 0; tile.x < layout->width; tile.x += SIDE) {
		tile.width = clamp(layout->width - tile.x, 0, SIDE);
		fuse_tile(fuse, &tile);
	}
}
