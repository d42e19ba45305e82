/* Blurs an image by a pyramid of ever smaller ones. */
#include "hal/sim/lens.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "agent/base/parallel.h"
#include "agent/base/simd.h"

#define BAND 16	 /* rows per job of a thread */
#define SPAN 128 /* pixels that are halved at once */

/* At the object's outline a pixel's light comes from both sides: softens jagged edges. */
#define OUTLINE (1.0f * BLUR_PIXEL)

/* ---- an image ---- */

int light_image_open(struct light_image *image, int width, int height)
{
	const size_t pixels = (size_t)width * (size_t)height;
	const size_t bytes = pixels * 4 * sizeof(uint16_t);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;

	image->width = width;
	image->height = height;
	image->rgb = memory;
	image->blur = image->rgb + 3 * pixels;
	image->mapped = bytes;
	return 0;
}

void light_image_close(struct light_image *image)
{
	if (image->rgb)
		munmap(image->rgb, image->mapped);
	image->rgb = NULL;
}

/* ---- halving ---- */

struct halving {
	const struct light_image *from;
	struct light_image *to;
};

static int within(int i, int size)
{
	return i < 0 ? 0 : i < size ? i : size - 1;
}

static const uint16_t *rgb_at(const struct light_image *p, int x, int y)
{
	return p->rgb + ((size_t)within(y, p->height) * (size_t)p->width + (size_t)x) * 3;
}

static const uint16_t *blur_row(const struct light_image *p, int y)
{
	return p->blur + (size_t)within(y, p->height) * (size_t)p->width;
}

/* Four rows as one, weighted 1 3 3 1. */
SIMD_CLONES void lens_add_rows(const uint16_t *const row[4], int n,
			       uint32_t *restrict sum)
{
	const uint16_t *a = row[0], *b = row[1], *c = row[2], *d = row[3];

	for (int i = 0; i < n; i++)
		sum[i] = (uint32_t)a[i] + d[i] + 3 * ((uint32_t)b[i] + c[i]);
}

/* The mean blur of those of four pixels that are not empty. */
static uint16_t mean_blur(const uint16_t *upper, const uint16_t *lower, int x0, int x1)
{
	const uint16_t blur[4] = {upper[x0], upper[x1], lower[x0], lower[x1]};
	uint32_t sum = 0, seen = 0;

	for (int i = 0; i < 4; i++) {
		sum += blur[i];
		seen += blur[i] > 0;
	}
	return (uint16_t)(sum / (seen ? seen : 1));
}

static bool empty(const struct light_image *p, int x, int n, int y)
{
	uint16_t any = 0;

	for (int k = -1; k <= 2; k++) {
		const uint16_t *blur = blur_row(p, y + k);

		for (int i = x; i < x + n; i++)
			any |= blur[i];
	}
	return any == 0;
}

/* Pixels x .. x + n - 1 of row y of the smaller picture. */
static void halve_span(const struct halving *h, int x, int n, int y)
{
	const struct light_image *from = h->from;
	const int first = within(2 * x - 1, from->width);
	const int seen = within(2 * (x + n), from->width) + 1 - first;
	const uint16_t *upper = blur_row(from, 2 * y), *lower = blur_row(from, 2 * y + 1);
	const size_t start = (size_t)y * (size_t)h->to->width;
	uint32_t sum[(2 * SPAN + 2) * 3] = {0};

	if (empty(from, first, seen, 2 * y))
		return; /* already black */

	lens_add_rows((const uint16_t *const[]){rgb_at(from, first, 2 * y - 1),
						rgb_at(from, first, 2 * y),
						rgb_at(from, first, 2 * y + 1),
						rgb_at(from, first, 2 * y + 2)},
		      3 * seen, sum);
	for (int i = x; i < x + n; i++) {
		const int x0 = within(2 * i, from->width);
		const int x1 = within(2 * i + 1, from->width);
		const uint32_t *a = sum + 3 * (within(2 * i - 1, from->width) - first);
		const uint32_t *b = sum + 3 * (x0 - first), *c = sum + 3 * (x1 - first);
		const uint32_t *d = sum + 3 * (within(2 * i + 2, from->width) - first);
		uint16_t *out = h->to->rgb + 3 * (start + (size_t)i);

		for (int k = 0; k < 3; k++)
			out[k] = (uint16_t)((a[k] + d[k] + 3 * (b[k] + c[k]) + 32) / 64);
		h->to->blur[start + (size_t)i] = mean_blur(upper, lower, x0, x1);
	}
}

static void halve_band(void *context, int band)
{
	const struct halving *h = context;
	const int end = within((band + 1) * BAND, h->to->height + 1);

	for (int y = band * BAND; y < end; y++)
		for (int x = 0; x < h->to->width; x += SPAN)
			halve_span(h, x,
				   h->to->width - x < SPAN ? h->to->width - x : SPAN, y);
}

/* The variance in square pixels of what level k shows through sample(): 3/4 from each
 * halving and 1/4 from the spline, each in pixels of its own level.  Level 0 is used as
 * it is. */
static float spread(int k)
{
	return k ? .5f * (float)(1 << 2 * k) - .25f : 0;
}

int lens_focus(struct lens *lens, double most_blur, struct cancel *cancel)
{
	const double variance = most_blur * most_blur / 4;
	int wanted = 2;
	int ret = 0;

	while (wanted < LENS_LEVELS && (double)spread(wanted - 1) < variance)
		wanted++;

	lens->levels = 1;
	while (ret == 0 && lens->levels < wanted) {
		const struct light_image *from = &lens->level[lens->levels - 1];
		struct light_image *to = &lens->level[lens->levels];

		ret = light_image_open(to, (from->width + 1) / 2, (from->height + 1) / 2);
		if (ret < 0)
			break;
		lens->levels++;
		ret = parallel_for((to->height + BAND - 1) / BAND, halve_band,
				   &(struct halving){from, to}, cancel);
	}
	return ret;
}

/* The weights of three neighbours at fraction f (-.5 .. .5) from the middle one: the
 * quadratic B-spline, which shows no squares when a coarse level is enlarged. */
static void spline(float f, float weight[3])
{
	weight[0] = .5f * (.5f - f) * (.5f - f);
	weight[1] = .75f - f * f;
	weight[2] = .5f * (.5f + f) * (.5f + f);
}

/* Adds weight times the light at the point (x, y) of level 0 as level k shows it. */
static void sample(const struct light_image *p, int k, int x, int y, float weight,
		   float rgb[3])
{
	const float scale = 1 / (float)(1 << k);
	const float sx = ((float)x + .5f) * scale, sy = ((float)y + .5f) * scale;
	const int ix = (int)sx, iy = (int)sy;
	float across[3], down[3];

	spline(sx - (float)ix - .5f, across);
	spline(sy - (float)iy - .5f, down);
	for (int j = 0; j < 3; j++)
		for (int i = 0; i < 3; i++) {
			const int column = within(ix + i - 1, p->width);
			const uint16_t *from = rgb_at(p, column, iy + j - 1);
			const float part = across[i] * down[j] * weight / LIGHT_ONE;

			rgb[0] += part * (float)from[0];
			rgb[1] += part * (float)from[1];
			rgb[2] += part * (float)from[2];
		}
}

/* The greatest blur of a pixel and its eight neighbours. */
static uint16_t blur_around(const struct light_image *p, int x, int y)
{
	uint16_t most = 0;

	for (int j = -1; j <= 1; j++) {
		const uint16_t *row = blur_row(p, y + j);

		for (int i = -1; i <= 1; i++) {
			const uint16_t blur = row[within(x + i, p->width)];

			most = blur > most ? blur : most;
		}
	}
	return most;
}

/* The blur of the nearest thing in reach, 0 if there is none: light that strays across
 * the object's outline does so as far as the object is out of focus.  The reach is that
 * of the coarsest level's spline, so that its light does not end at a square. */
static uint16_t blur_near(const struct lens *lens, int x, int y)
{
	const int top = lens->levels - 1;
	const uint16_t farthest = blur_around(&lens->level[top], x >> top, y >> top);

	for (int k = 1; farthest && k < top; k++) {
		const uint16_t blur = blur_row(&lens->level[k], y >> k)[x >> k];

		if (blur)
			return blur;
	}
	return farthest;
}

static bool on_outline(const struct light_image *p, int x, int y)
{
	const bool left = blur_row(p, y)[within(x - 1, p->width)];
	const bool right = blur_row(p, y)[within(x + 1, p->width)];
	const bool up = blur_row(p, y - 1)[x], down = blur_row(p, y + 1)[x];

	return !(left && right && up && down) && (left || right || up || down);
}

/* The variance of a mixture of two levels is the mixture of their variances. */
static void blur_pixel(const struct lens *lens, int x, int y, float rgb[3])
{
	const struct light_image *p = &lens->level[0];
	const uint16_t here = blur_row(p, y)[x];
	const uint16_t blur = here ? here : blur_near(lens, x, y);
	float radius = (float)blur - 1;
	float variance, share;
	int k = 0;

	if (blur == 0)
		return;
	if (radius < OUTLINE && on_outline(p, x, y))
		radius = OUTLINE;
	radius /= BLUR_PIXEL;
	variance = radius * radius / 4; /* a disc's */
	if (variance < .01f)
		return;

	while (k < lens->levels - 2 && spread(k + 1) < variance)
		k++;
	share = fminf((variance - spread(k)) / (spread(k + 1) - spread(k)), 1);
	for (int i = 0; i < 3; i++)
		rgb[i] *= k ? 0 : 1 - share;
	if (k > 0)
		sample(&lens->level[k], k, x, y, 1 - share, rgb);
	sample(&lens->level[k + 1], k + 1, x, y, share, rgb);
}

SIMD_CLONES void lens_copy_row(const uint16_t *restrict from, int n, float *restrict row)
{
	for (int i = 0; i < n; i++)
		row[i] = (float)from[i] * (1.f / LIGHT_ONE);
}

void lens_row(const struct lens *lens, int y, float *row)
{
	const struct light_image *p = &lens->level[0];

	lens_copy_row(rgb_at(p, 0, y), 3 * p->width, row);
	for (int x = 0; x < p->width; x++)
		blur_pixel(lens, x, y, row + 3 * x);
}

void lens_close(struct lens *lens)
{
	while (lens->levels > 1)
		light_image_close(&lens->level[--lens->levels]);
}
