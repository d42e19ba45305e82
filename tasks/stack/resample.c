/* Resamples in two passes, rows first. */
#include "tasks/stack/resample.h"

#include <math.h>
#include <string.h>

#include "agent/base/simd.h"

#define SIDE RESAMPLE_SIDE
#define REACH 2			 /* pixels that the kernel needs around the part */
#define SPAN (SIDE * 5 / 4 + 16) /* rows or columns of from that one part covers */
#define ONE 65536	 /* positions are fixed-point numbers with 16 fractional bits */
#define SHARPNESS (-.5f) /* Catmull and Rom's kernel */

/* The pixels of from that one part needs. */
struct window {
	const uint8_t *pixels;
	size_t stride;
	int x, y, width, height; /* its place in from */
	uint8_t copy[SPAN * SPAN];
};

static int clamp(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

/* The range of rows or columns of from that the part covers. */
static void find_range(double scale, double turn, double at, int along, int across,
		       int *from, int *size)
{
	double ends[4] = {at, at + scale * (along - 1), at + turn * (across - 1),
			  at + scale * (along - 1) + turn * (across - 1)};
	double least = ends[0], most = ends[0];

	for (int i = 1; i < 4; i++) {
		least = fmin(least, ends[i]);
		most = fmax(most, ends[i]);
	}
	*from = (int)floor(least) - REACH;
	*size = (int)floor(most) + REACH + 2 - *from;
	if (*size > SPAN) /* m is out of range: better a wrong image than a crash */
		*size = SPAN;
}

static void copy_window(struct window *w, const struct plane *from)
{
	for (int y = 0; y < w->height; y++) {
		const uint8_t *row =
			plane_row(from, clamp(w->y + y, 0, from->height - 1));
		uint8_t *to = w->copy + y * SPAN;

		for (int x = 0; x < w->width; x++)
			to[x] = row[clamp(w->x + x, 0, from->width - 1)];
	}
	w->pixels = w->copy;
	w->stride = SPAN;
}

static void open_window(struct window *w, const struct plane *from)
{
	if (w->x >= 0 && w->y >= 0 && w->x + w->width + 4 <= from->width &&
	    w->y + w->height <= from->height) {
		w->pixels = plane_row(from, w->y) + w->x;
		w->stride = from->stride;
	} else {
		copy_window(w, from);
	}
}

struct taps {
	float w[4][SIDE];
};

/* The kernel's weights for the four pixels around each position. */
SIMD_INLINE void weigh(const int32_t *restrict at, struct taps *restrict taps, int count)
{
	const float a = SHARPNESS;

	for (int i = 0; i < count; i++) {
		float t = (float)(at[i] & (ONE - 1)) * (1.f / ONE), s = 1 - t;

		taps->w[0][i] = a * t * s * s;
		taps->w[1][i] = ((a + 2) * t - (a + 3)) * t * t + 1;
		taps->w[2][i] = ((a + 2) * s - (a + 3)) * s * s + 1;
		taps->w[3][i] = a * s * t * t;
	}
}

/* Resamples one row of the window at the positions where the part's columns cross it. */
SIMD_CLONES static void pass_along(const uint8_t *restrict row, int limit, int32_t start,
				   int32_t step, float *restrict to, int count)
{
	int32_t at[SIDE];
	uint32_t four[SIDE];
	struct taps taps;

	for (int i = 0; i < count; i++)
		at[i] = start + i * step;
	weigh(at, &taps, count);
	for (int i = 0; i < count; i++) {
		int x = (at[i] >> 16) - 1;

		x = x < 0 ? 0 : x > limit ? limit : x;
		memcpy(&four[i], row + x, sizeof(four[i]));
	}
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (int i = 0; i < count; i++)
		four[i] = __builtin_bswap32(four[i]);
#endif
	for (int i = 0; i < count; i++)
		to[i] = taps.w[0][i] * (float)(int32_t)(four[i] & 255) +
			taps.w[1][i] * (float)(int32_t)(four[i] >> 8 & 255) +
			taps.w[2][i] * (float)(int32_t)(four[i] >> 16 & 255) +
			taps.w[3][i] * (float)(int32_t)(four[i] >> 24);
}

/* Resamples columns first to last - 1 of one row of the part, all of which lie between
 * the same two rows of the window. */
SIMD_CLONES static void pass_down(const float *restrict rows,
				  const struct taps *restrict taps, int first, int last,
				  float gain, float offset, float *restrict to)
{
	/* Every window has rows. */
	/* NOLINTBEGIN(clang-analyzer-core.UndefinedBinaryOperatorResult) */
	for (int i = first; i < last; i++)
		to[i] = (taps->w[0][i] * rows[i] + taps->w[1][i] * rows[SIDE + i] +
			 taps->w[2][i] * rows[2 * SIDE + i] +
			 taps->w[3][i] * rows[3 * SIDE + i]) *
				gain +
			offset;
	/* NOLINTEND(clang-analyzer-core.UndefinedBinaryOperatorResult) */
}

SIMD_CLONES static void weigh_down(int32_t start, int32_t step, int32_t *at,
				   struct taps *taps, int count)
{
	for (int i = 0; i < count; i++)
		at[i] = start + i * step;
	weigh(at, taps, count);
}

static int32_t fixed(double value)
{
	return (int32_t)lrint(value * ONE);
}

/* Makes one row of the part from the rows that pass_along() has made. */
static void make_row(const float *rows, int count, double start, double step, int width,
		     float gain, float offset, float *to)
{
	int32_t at[SIDE];
	struct taps taps;

	weigh_down(fixed(start), fixed(step), at, &taps, width);
	for (int first = 0, last; first < width; first = last) {
		int y = at[first] >> 16;

		for (last = first + 1; last < width && at[last] >> 16 == y;)
			last++;
		pass_down(rows + (size_t)clamp(y - 1, 0, count - 4) * SIDE, &taps, first,
			  last, gain, offset, to);
	}
}

void resample(const struct resample *r, int x, int y, int width, int height,
	      float values[SIDE * SIDE])
{
	const double *m = r->m;
	double u = m[0] * x + m[1] * y + m[2], v = m[3] * x + m[4] * y + m[5];
	double lean = m[1] / m[4]; /* the shift of columns from row to row of from */
	double along = m[0] - lean * m[3];
	float rows[SPAN * SIDE];
	struct window w;

	find_range(m[0], m[1], u, width, height, &w.x, &w.width);
	find_range(m[4], m[3], v, height, width, &w.y, &w.height);
	open_window(&w, r->from);
	for (int i = 0; i < w.height; i++)
		pass_along(w.pixels + (size_t)i * w.stride, w.width - 4,
			   fixed(u - w.x + lean * (w.y + i - v)), fixed(along),
			   rows + (size_t)i * SIDE, width);
	for (int i = 0; i < height; i++)
		make_row(rows, w.height, v - w.y + m[4] * i, m[3], width, r->gain,
			 r->offset, values + (size_t)i * SIDE);
}
