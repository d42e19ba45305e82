/* A box blur with a running sum. */
#include "tasks/stack/blur.h"

#include <stddef.h>
#include <string.h>

#include "agent/base/simd.h"

static void blur_row(const float *restrict row, float *restrict to, int width, int radius)
{
	float share = 1.f / (float)(2 * radius + 1), sum = 0;

	for (int x = -radius; x < width; x++) {
		if (x + radius < width)
			sum += row[x + radius];
		if (x - radius > 0)
			sum -= row[x - radius - 1];
		if (x >= 0)
			to[x] = sum * share;
	}
}

/* Moves the running sum of columns down by one row. */
SIMD_CLONES static void shift(float *restrict sum, const float *restrict enters,
			      const float *restrict leaves, int width)
{
	for (int x = 0; x < width; x++)
		sum[x] += (enters ? enters[x] : 0) - (leaves ? leaves[x] : 0);
}

SIMD_CLONES static void scale(const float *restrict sum, float *restrict to, int width,
			      float share)
{
	for (int x = 0; x < width; x++)
		to[x] = sum[x] * share;
}

static const float *row_of(const float *map, int width, int height, int y)
{
	return y >= 0 && y < height ? map + (size_t)y * (size_t)width : NULL;
}

/* The last row of to holds the running sum until it is written itself. */
static void blur_columns(const float *from, float *to, int width, int height, int radius)
{
	float share = 1.f / (float)(2 * radius + 1);
	float *sum = to + (size_t)(height - 1) * (size_t)width;

	memset(sum, 0, (size_t)width * sizeof(*sum));
	for (int y = -radius; y < height; y++) {
		shift(sum, row_of(from, width, height, y + radius),
		      row_of(from, width, height, y - radius - 1), width);
		if (y >= 0 && y < height - 1)
			scale(sum, to + (size_t)y * (size_t)width, width, share);
	}
	for (int x = 0; x < width; x++)
		sum[x] *= share;
}

void blur_box(float *map, int width, int height, int radius, float *scratch)
{
	for (int y = 0; y < height; y++)
		blur_row(map + (size_t)y * (size_t)width,
			 scratch + (size_t)y * (size_t)width, width, radius);
	blur_columns(scratch, map, width, height, radius);
}
