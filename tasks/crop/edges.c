/* Scales a photo down and finds its edges. */
#include "tasks/crop/edges.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "hal/frame.h"

#define RGB 3

/* ---- the small grey image ---- */

/* The part of a row or column of the frame that one small pixel covers. */
struct span {
	double from, to;
};

static struct span span_of(int i, int size)
{
	struct span span = {i / EDGES_SCALE, (i + 1) / EDGES_SCALE};

	if (span.to > size)
		span.to = size;
	return span;
}

/* How much of pixel i lies in the span. */
static double share(const struct span *span, int i)
{
	return fmin(span->to, i + 1) - fmax(span->from, i);
}

static uint8_t grayscale_of(const double rgb[RGB])
{
	return (uint8_t)(.299 * rint(rgb[0]) + .587 * rint(rgb[1]) + .114 * rint(rgb[2]) +
			 .5);
}

static uint8_t mean_of(const struct frame *frame, const struct span *x,
		       const struct span *y)
{
	double sum[RGB] = {0}, area = (x->to - x->from) * (y->to - y->from);

	for (int j = (int)y->from; j < y->to; j++)
		for (int i = (int)x->from; i < x->to; i++) {
			const uint8_t *p =
				frame->rgb +
				((size_t)j * (size_t)frame->width + (size_t)i) * RGB;
			double weight = share(x, i) * share(y, j) / area;

			for (int c = 0; c < RGB; c++)
				sum[c] += weight * p[c];
		}
	return grayscale_of(sum);
}

static void shrink(const struct frame *frame, const struct plane *to)
{
	for (int y = 0; y < to->height; y++) {
		struct span down = span_of(y, frame->height);

		for (int x = 0; x < to->width; x++) {
			struct span along = span_of(x, frame->width);

			plane_row(to, y)[x] = mean_of(frame, &along, &down);
		}
	}
}

/* Reflects an index at the border, without repeating the border pixel. */
static int reflect(int i, int size)
{
	if (size == 1)
		return 0;
	return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i;
}

/* The sum of a pixel and its eight neighbours. */
static int sum_of_nine(const struct plane *from, int x, int y)
{
	int sum = 0;

	for (int j = y - 1; j <= y + 1; j++) {
		const uint8_t *row = plane_row(from, reflect(j, from->height));

		for (int i = x - 1; i <= x + 1; i++)
			sum += row[reflect(i, from->width)];
	}
	return sum;
}

static void smooth(const struct plane *from, const struct plane *to)
{
	for (int y = 0; y < from->height; y++)
		for (int x = 0; x < from->width; x++)
			plane_row(to, y)[x] =
				(uint8_t)((sum_of_nine(from, x, y) + 4) / 9);
}

int edges_prepare(const struct frame *frame, struct plane *grey)
{
	int width = (int)rint(frame->width * EDGES_SCALE);
	int height = (int)rint(frame->height * EDGES_SCALE);
	struct plane sharp;
	int ret;

	width = width < 1 ? 1 : width;
	height = height < 1 ? 1 : height;
	ret = plane_make(&sharp, width, height);
	if (ret < 0)
		return ret;
	ret = plane_make(grey, width, height);
	if (ret == 0) {
		shrink(frame, &sharp);
		smooth(&sharp, grey);
	}
	plane_free(&sharp);
	return ret;
}

/* ---- edges ---- */

struct gradient {
	int16_t x, y;
	int size; /* |x| + |y| */
};

enum { NO_EDGE, EDGE, WEAK_EDGE };

static int clamp(int i, int size)
{
	return i < 0 ? 0 : i >= size ? size - 1 : i;
}

static struct gradient gradient_at(const struct plane *grey, int x, int y)
{
	const uint8_t *above = plane_row(grey, clamp(y - 1, grey->height));
	const uint8_t *here = plane_row(grey, y);
	const uint8_t *below = plane_row(grey, clamp(y + 1, grey->height));
	int left = clamp(x - 1, grey->width), right = clamp(x + 1, grey->width);
	int gx = above[right] - above[left] + 2 * (here[right] - here[left]) +
		 below[right] - below[left];
	int gy = below[left] - above[left] + 2 * (below[x] - above[x]) + below[right] -
		 above[right];

	return (struct gradient){(int16_t)gx, (int16_t)gy, abs(gx) + abs(gy)};
}

/* Is the gradient a maximum along its own direction?  g points into a map with a margin
 * of one pixel without gradient; stride is its width. */
static bool is_local_maximum(const struct gradient *g, ptrdiff_t stride)
{
	const double flat = .41421356237309505; /* the tangent of 22.5 degrees */
	double x = abs(g->x), y = abs(g->y);
	ptrdiff_t across;

	if (y < x * flat)
		return g->size > g[-1].size && g->size >= g[1].size;
	if (y > x * (flat + 2))
		return g->size > g[-stride].size && g->size >= g[stride].size;
	across = stride + ((g->x < 0) == (g->y < 0) ? 1 : -1);
	return g->size > g[-across].size && g->size > g[across].size;
}

struct tracker {
	const struct plane *edges;
	int *waiting; /* edge pixels whose neighbours have not been checked yet */
	size_t count;
};

static void mark(struct tracker *t, int x, int y)
{
	plane_row(t->edges, y)[x] = EDGE;
	t->waiting[t->count++] = y * t->edges->width + x;
}

/* Turns weak edges that are connected to an edge into edges. */
static void track_edges(struct tracker *t)
{
	const struct plane *edges = t->edges;

	while (t->count > 0) {
		int at = t->waiting[--t->count];
		int x = at % edges->width, y = at / edges->width;

		for (int j = y - 1; j <= y + 1; j++)
			for (int i = x - 1; i <= x + 1; i++)
				if (i >= 0 && j >= 0 && i < edges->width &&
				    j < edges->height &&
				    plane_row(edges, j)[i] == WEAK_EDGE)
					mark(t, i, j);
	}
}

static void classify(struct tracker *t, const struct gradient *map, int threshold)
{
	const struct plane *edges = t->edges;
	ptrdiff_t stride = edges->width + 2;

	for (int y = 0; y < edges->height; y++)
		for (int x = 0; x < edges->width; x++) {
			const struct gradient *g = map + (y + 1) * stride + x + 1;

			if (g->size <= threshold || !is_local_maximum(g, stride))
				continue;
			if (g->size > 2 * threshold)
				mark(t, x, y);
			else
				plane_row(edges, y)[x] = WEAK_EDGE;
		}
	track_edges(t);
	for (int y = 0; y < edges->height; y++)
		for (int x = 0; x < edges->width; x++)
			plane_row(edges, y)[x] = plane_row(edges, y)[x] == EDGE;
}

static void compute_gradients(const struct plane *grey, struct gradient *map)
{
	ptrdiff_t stride = grey->width + 2;

	for (int y = 0; y < grey->height; y++)
		for (int x = 0; x < grey->width; x++)
			map[(y + 1) * stride + x + 1] = gradient_at(grey, x, y);
}

int edges_find(const struct plane *grey, int threshold, struct plane *edges)
{
	size_t pixels = (size_t)grey->width * (size_t)grey->height;
	struct gradient *map = calloc(
		(size_t)(grey->width + 2) * (size_t)(grey->height + 2), sizeof(*map));
	struct tracker tracker = {edges, malloc(pixels * sizeof(int)), 0};
	int ret = map && tracker.waiting ? plane_make(edges, grey->width, grey->height)
					 : -ENOMEM;

	if (ret == 0) {
		compute_gradients(grey, map);
		classify(&tracker, map, threshold);
	}
	free(tracker.waiting);
	free(map);
	return ret;
}
