#include "tasks/stack/fuse.h"

#include <math.h>
#include <string.h>

#include "agent/base/simd.h"
#include "tasks/stack/resample.h"

#define SIDE RESAMPLE_SIDE
#define EDGE (SIDE / 4 + 2) /* most cells that touch a tile, in a row */
#define LEAST_GAIN .004	    /* less of a change is none: rounding would cost more */

/* A square of the picture, SIDE luma pixels a side or what is left at the edge. */
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

/* The warp for one channel, whose samples lie in the middle of the pixels they cover. */
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

/* ---- how much of a pixel is this frame's ---- */

/* What the cells around a tile say. */
struct cells {
	float here[EDGE][EDGE];	  /* 1 where the label is the frame's */
	float so_far[EDGE][EDGE]; /* 1 where it is that or an earlier one's */
	bool all, none;		  /* are the frame's */
	bool none_before;
};

static int clamp(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

/* Cell (0, 0) of cells is the one left of and above the tile's first. */
static void look_at_cells(const struct focus_map *map, int number,
			  const struct tile *tile, struct cells *cells)
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

/* One row between two rows of cells, from a cell's width apart to a pixel's. */
SIMD_CLONES static void spread_row(const float *restrict above,
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

/* The part of each pixel, of what this and earlier frames give, that is this frame's. */
static void find_parts(const struct cells *cells, int cell, const struct tile *tile,
		       float parts[SIDE * SIDE])
{
	float so_far[SIDE];
	int half = cell / 2;

	for (int y = 0; y < tile->height; y++) {
		int from = y + half, j = from / cell;
		float down = ((float)(from - j * cell) + .5f) / (float)cell;
		float *row = parts + (size_t)y * SIDE;

		spread_row(cells->here[j], cells->here[j + 1], down, cell, tile->width,
			   row);
		spread_row(cells->so_far[j], cells->so_far[j + 1], down, cell,
			   tile->width, so_far);
		for (int x = 0; x < tile->width; x++)
			row[x] = so_far[x] > 0 ? row[x] / so_far[x] : 0;
	}
}

/* The mean of the parts that one sample of a channel covers. */
static float mean_part(const float *parts, const struct tile *tile,
		       const struct layout *layout, int c, int x, int y)
{
	int across = layout->across[c], down = layout->down[c];
	float sum = 0;

	for (int j = 0; j < down; j++)
		for (int i = 0; i < across; i++)
			sum += parts[clamp(y * down + j, 0, tile->height - 1) * SIDE +
				     clamp(x * across + i, 0, tile->width - 1)];
	return sum / (float)(across * down);
}

static void shrink_parts(const float *parts, const struct tile *tile,
			 const struct layout *layout, int c, int width, int height,
			 float *to)
{
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			to[y * SIDE + x] = mean_part(parts, tile, layout, c, x, y);
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

SIMD_CLONES static void mix_row(const float *restrict values, const float *restrict parts,
				uint8_t *restrict to, int width)
{
	for (int x = 0; x < width; x++) {
		float v = values[x] < 0 ? 0 : values[x] > 255 ? 255 : values[x];

		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
		v = (float)to[x] + (v - (float)to[x]) * parts[x]; /* all are there */
		to[x] = (uint8_t)(int)(v + .5f);
	}
}

/* The middle frame's pixels as they are. */
static void copy_part(const struct plane *from, const struct plane *to, int x, int y,
		      int width, int height)
{
	for (int i = 0; i < height; i++)
		memcpy(plane_row(to, y + i) + x, plane_row(from, y + i) + x,
		       (size_t)width);
}

static void fuse_channel(const struct fuse *fuse, const struct tile *tile,
			 const float *parts, int c)
{
	const struct layout *layout = &fuse->frame->layout;
	const struct plane *to = &fuse->result->planes[c];
	int across = layout->across[c], down = layout->down[c];
	int x = tile->x / across, y = tile->y / down;
	int width = (tile->width + across - 1) / across;
	int height = (tile->height + down - 1) / down;
	float values[SIDE * SIDE], shrunk[SIDE * SIDE];
	struct resample r = channel_warp(fuse, c);

	if (!parts && is_middle(&fuse->warp)) {
		copy_part(r.from, to, x, y, width, height);
		return;
	}
	resample(&r, x, y, width, height, values);
	if (parts && across * down > 1) {
		shrink_parts(parts, tile, layout, c, width, height, shrunk);
		parts = shrunk;
	}
	for (int i = 0; i < height; i++)
		if (parts)
			mix_row(values + i * SIDE, parts + i * SIDE,
				plane_row(to, y + i) + x, width);
		else
			put_row(values + i * SIDE, plane_row(to, y + i) + x, width);
}

static void fuse_tile(const struct fuse *fuse, const struct tile *tile)
{
	float parts[SIDE * SIDE];
	struct cells cells = {0};
	bool whole;

	look_at_cells(fuse->map, fuse->number, tile, &cells);
	if (cells.none)
		return;
	whole = cells.all || cells.none_before;
	if (!whole)
		find_parts(&cells, fuse->map->cell, tile, parts);
	for (int c = 0; c < fuse->frame->layout.channels; c++)
		fuse_channel(fuse, tile, whole ? NULL : parts, c);
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
