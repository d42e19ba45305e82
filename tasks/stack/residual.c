#include "tasks/stack/residual.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/simd.h"

#define WHITE 250 /* from here on a pixel may be overexposed */

/* One row of both frames where they overlap. */
struct row {
	float *value, *target;	/* luma of from and of to */
	float *dx, *dy;		/* from's gradient */
	float *tx, *ty;		/* to's */
	float *inside;		/* 1 where both frames have pixels, else 0 */
	float *terms[UNKNOWNS]; /* by how much each unknown changes the difference */
	float *rest, *weight;	/* the difference, and how much it counts */
	float *weighted;	/* a term times its weight */
	int count;
};

#define ROW_ARRAYS (7 + UNKNOWNS + 3)

static size_t array_size(int width)
{
	return ((size_t)width + 15) / 16 * 16;
}

int difference_open(struct difference *d, int width)
{
	d->rows = calloc(array_size(width) * ROW_ARRAYS, sizeof(float));
	return d->rows ? 0 : -ENOMEM;
}

void difference_close(struct difference *d)
{
	free(d->rows);
	d->rows = NULL;
}

static struct row rows_of(const struct difference *d)
{
	size_t size = array_size(d->to->width);
	float *at = d->rows;
	struct row row = {.count = (d->to->width - 2) / d->step};
	float **arrays[] = {&row.value,	 &row.target,  &row.dx,	    &row.dy,
			    &row.tx,	 &row.ty,      &row.inside, &row.rest,
			    &row.weight, &row.weighted};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++, at += size)
		*arrays[i] = at;
	for (size_t i = 0; i < UNKNOWNS; i++, at += size)
		row.terms[i] = at;
	return row;
}

SIMD_INLINE float mix(float a, float b, float t)
{
	return a + (b - a) * t;
}

SIMD_INLINE void sample_pixel(const struct plane *from, float u, float v, struct row *row,
			      int i)
{
	int iu = (int)u, iv = (int)v;
	float fu = u - (float)iu, fv = v - (float)iv;
	const uint8_t *p = plane_row(from, iv) + iu, *q = p + from->stride;
	float above = mix(p[0], p[1], fu), below = mix(q[0], q[1], fu);

	row->value[i] = mix(above, below, fv);
	row->dx[i] = mix((float)(p[1] - p[0]), (float)(q[1] - q[0]), fv);
	row->dy[i] = below - above;
}

/* What to has at each pixel of row y, and from at the place that it is warped from. */
SIMD_CLONES static void sample_row(const struct difference *d, struct row *row, int y)
{
	const struct plane *from = d->from, *to = d->to;
	const uint8_t *here = plane_row(to, y), *above = plane_row(to, y - 1),
		      *below = plane_row(to, y + 1);
	float scale = (float)(1 + d->warp.scale), turn = (float)d->warp.turn;
	float dy = (float)(y - d->cy), cx = (float)d->cx;
	float u0 = (float)(d->warp.x + d->cx) - turn * dy;
	float v0 = (float)(d->warp.y + d->cy) + scale * dy;
	float right = (float)(from->width - 2), bottom = (float)(from->height - 2);

	for (int i = 0; i < row->count; i++) {
		int x = 1 + i * d->step;
		float dx = (float)x - cx;
		float u = u0 + scale * dx, v = v0 + turn * dx;
		bool inside = u >= 1 && v >= 1 && u < right && v < bottom;

		sample_pixel(from, inside ? u : 1, inside ? v : 1, row, i);
		row->inside[i] = inside ? 1 : 0;
		row->target[i] = here[x];
		row->tx[i] = .5f * (float)(here[x + 1] - here[x - 1]);
		row->ty[i] = .5f * (float)(below[x] - above[x]);
	}
}

SIMD_CLONES static void weigh_row(const struct difference *d, struct row *row, int y)
{
	float gain = (float)d->warp.gain, offset = (float)d->offset;
	float narrow = (float)(1 / (9 * d->spread * d->spread));
	float dy = (float)(y - d->cy), cx = (float)d->cx;
	int step = d->step;

	for (int i = 0; i < row->count; i++) {
		float dx = (float)(1 + i * step) - cx;
		float gx = .5f * (gain * row->dx[i] + row->tx[i]);
		float gy = .5f * (gain * row->dy[i] + row->ty[i]);
		float rest = gain * row->value[i] + offset - row->target[i];
		float doubt = 1 + rest * rest * narrow;

		row->rest[i] = rest;
		row->weight[i] = row->inside[i] / (doubt * doubt);
		row->terms[0][i] = gx * dx + gy * dy;
		row->terms[1][i] = gy * dx - gx * dy;
		row->terms[2][i] = gx;
		row->terms[3][i] = gy;
		row->terms[4][i] = row->value[i];
		row->terms[5][i] = 1;
	}
}

SIMD_CLONES static float dot(const float *restrict a, const float *restrict b, int count)
{
	float sum = 0;

	for (int i = 0; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

SIMD_CLONES static void multiply(const float *restrict a, const float *restrict b,
				 float *restrict to, int count)
{
	for (int i = 0; i < count; i++)
		to[i] = a[i] * b[i];
}

static void add_row(const struct row *row, struct difference_sums *sums)
{
	for (int j = 0; j < UNKNOWNS; j++) {
		multiply(row->terms[j], row->weight, row->weighted, row->count);
		for (int k = 0; k <= j; k++)
			sums->products[j][k] +=
				(double)dot(row->weighted, row->terms[k], row->count);
		sums->rest[j] += (double)dot(row->weighted, row->rest, row->count);
	}
}

static void count_row(const struct row *row, struct difference_sums *sums)
{
	for (int i = 0; i < row->count; i++) {
		float bin = fabsf(row->rest[i]) / (float)DIFFERENCE_BIN;
		bool fits = bin < DIFFERENCE_BINS - 1;

		if (row->inside[i] > 0) {
			sums->bins[fits ? (int)bin : DIFFERENCE_BINS - 1]++;
			sums->pixels++;
		}
	}
}

void difference_sum(const struct difference *d, struct difference_sums *sums)
{
	struct row row = rows_of(d);

	memset(sums, 0, sizeof(*sums));
	for (int y = 1; y < d->to->height - 1; y += d->step) {
		sample_row(d, &row, y);
		weigh_row(d, &row, y);
		add_row(&row, sums);
		count_row(&row, sums);
	}
}

/* Sums for a correlation. */
struct moments {
	double n, a, b, aa, bb, ab;
};

static void add_moments(const struct row *row, struct moments *m)
{
	for (int i = 0; i < row->count; i++) {
		double a = row->value[i], b = row->target[i];

		if (!(row->inside[i] > 0) || a > WHITE || b > WHITE)
			continue;
		m->n++;
		m->a += a;
		m->b += b;
		m->aa += a * a;
		m->bb += b * b;
		m->ab += a * b;
	}
}

struct likeness difference_likeness(const struct difference *d)
{
	struct row row = rows_of(d);
	struct likeness likeness = {0, 1};
	struct moments m = {0};
	double a, b;

	for (int y = 1; y < d->to->height - 1; y += d->step) {
		sample_row(d, &row, y);
		add_moments(&row, &m);
	}
	if (m.n < .25 * row.count * d->to->height / d->step)
		return likeness;
	a = m.aa - m.a * m.a / m.n;
	b = m.bb - m.b * m.b / m.n;
	if (a > 0 && b > 0) {
		likeness.correlation = (m.ab - m.a * m.b / m.n) / sqrt(a * b);
		likeness.gain = m.b / m.a;
	}
	return likeness;
}
