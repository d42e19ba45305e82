/* Sums the normal equations over the pixels of two frames. */
#include "tasks/stack/residual.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/simd.h"

#define WHITE 250 /* brighter pixels may be overexposed */

/* One row of both frames. */
struct row {
	float *value, *target;	/* luma of from and of to */
	float *dx, *dy;		/* from's gradient */
	float *tx, *ty;		/* to's */
	float *inside;		/* 1 where both frames have pixels, else 0 */
	float *terms[UNKNOWNS]; /* the derivative of the residual by each unknown */
	float *rest, *weight;	/* the residual and its weight */
	float *weighted;	/* a term multiplied by the weight */
	int count;
};

#define ROW_ARRAYS (7 + UNKNOWNS + 3)

static size_t array_size(int width)
{
	return ((size_t)width + 15) / 16 * 16;
}

int residual_open(struct residual *r, int width)
{
	r->rows = calloc(array_size(width) * ROW_ARRAYS, sizeof(float));
	return r->rows ? 0 : -ENOMEM;
}

void residual_close(struct residual *r)
{
	free(r->rows);
	r->rows = NULL;
}

static struct row rows_of(const struct residual *r)
{
	size_t size = array_size(r->to->width);
	float *at = r->rows;
	struct row row = {.count = (r->to->width - 2) / r->step};
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

/* Samples row y of to, and from at the position that the warp gives for each pixel. */
SIMD_CLONES static void sample_row(const struct residual *r, struct row *row, int y)
{
	const struct plane *from = r->from, *to = r->to;
	const uint8_t *here = plane_row(to, y), *above = plane_row(to, y - 1),
		      *below = plane_row(to, y + 1);
	float scale = (float)(1 + r->warp.scale), turn = (float)r->warp.turn;
	float dy = (float)(y - r->cy), cx = (float)r->cx;
	float u0 = (float)(r->warp.x + r->cx) - turn * dy;
	float v0 = (float)(r->warp.y + r->cy) + scale * dy;
	float right = (float)(from->width - 2), bottom = (float)(from->height - 2);

	for (int i = 0; i < row->count; i++) {
		int x = 1 + i * r->step;
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

SIMD_CLONES static void weigh_row(const struct residual *r, struct row *row, int y)
{
	float gain = (float)r->warp.gain, offset = (float)r->offset;
	float narrow = (float)(1 / (9 * r->spread * r->spread));
	float dy = (float)(y - r->cy), cx = (float)r->cx;
	int step = r->step;

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

static void add_row(const struct row *row, struct residual_sums *sums)
{
	for (int j = 0; j < UNKNOWNS; j++) {
		multiply(row->terms[j], row->weight, row->weighted, row->count);
		for (int k = 0; k <= j; k++)
			sums->products[j][k] +=
				(double)dot(row->weighted, row->terms[k], row->count);
		sums->rest[j] += (double)dot(row->weighted, row->rest, row->count);
	}
}

static void count_row(const struct row *row, struct residual_sums *sums)
{
	for (int i = 0; i < row->count; i++) {
		float bin = fabsf(row->rest[i]) / (float)RESIDUAL_BIN;
		bool fits = bin < RESIDUAL_BINS - 1;

		if (row->inside[i] > 0) {
			sums->bins[fits ? (int)bin : RESIDUAL_BINS - 1]++;
			sums->pixels++;
		}
	}
}

void residual_sum(const struct residual *r, struct residual_sums *sums)
{
	struct row row = rows_of(r);

	memset(sums, 0, sizeof(*sums));
	for (int y = 1; y < r->to->height - 1; y += r->step) {
		sample_row(r, &row, y);
		weigh_row(r, &row, y);
		add_row(&row, sums);
		count_row(&row, sums);
	}
}

/* The sums for a correlation. */
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

struct similarity residual_similarity(const struct residual *r)
{
	struct row row = rows_of(r);
	struct similarity similarity = {0, 1};
	struct moments m = {0};
	double a, b;

	for (int y = 1; y < r->to->height - 1; y += r->step) {
		sample_row(r, &row, y);
		add_moments(&row, &m);
	}
	if (m.n < .25 * row.count * r->to->height / r->step)
		return similarity;
	a = m.aa - m.a * m.a / m.n;
	b = m.bb - m.b * m.b / m.n;
	if (a > 0 && b > 0) {
		similarity.correlation = (m.ab - m.a * m.b / m.n) / sqrt(a * b);
		similarity.gain = m.b / m.a;
	}
	return similarity;
}
