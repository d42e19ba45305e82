/* Measures the sharpness and the exposure of a photo. */
#include "tasks/capture/quality.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "hal/frame.h"

#define OBJECT_SHARE 0.002 /* share of all pixels; fewer are no object */

/* Sums for the variance of the Laplacian. */
struct sums {
	double n, sum, squares;
};

static int luma_of(const uint8_t *pixel)
{
	return (299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] + 500) / 1000;
}

static int luma_at(const struct frame *frame, int x, int y)
{
	return luma_of(frame->rgb + ((size_t)y * (size_t)frame->width + (size_t)x) * 3);
}

static void add(struct sums *sums, double value)
{
	sums->n++;
	sums->sum += value;
	sums->squares += value * value;
}

static double variance(const struct sums *sums)
{
	double mean = sums->n > 0 ? sums->sum / sums->n : 0;

	return sums->n > 0 ? sums->squares / sums->n - mean * mean : 0;
}

/* Counts only pixels whose neighbours belong to the object, too: the silhouette is a
 * sharp edge even when the surface is out of focus. */
static double sharpness_of(const struct frame *frame)
{
	struct sums object = {0}, all = {0};

	for (int y = 1; y < frame->height - 1; y++) {
		for (int x = 1; x < frame->width - 1; x++) {
			int here = luma_at(frame, x, y);
			int around[] = {
				luma_at(frame, x - 1, y), luma_at(frame, x + 1, y),
				luma_at(frame, x, y - 1), luma_at(frame, x, y + 1)};
			int laplacian = -4 * here, least = here;

			for (int i = 0; i < 4; i++) {
				laplacian += around[i];
				least = around[i] < least ? around[i] : least;
			}
			add(&all, laplacian);
			if (least >= QUALITY_DARK)
				add(&object, laplacian);
		}
	}
	return variance(object.n > OBJECT_SHARE * all.n ? &object : &all);
}

void quality_measure(const struct frame *frame, struct quality *quality)
{
	size_t pixels = (size_t)frame->width * (size_t)frame->height, clipped = 0;
	size_t bins[QUALITY_BINS] = {0};

	for (size_t i = 0; i < pixels; i++) {
		const uint8_t *p = frame->rgb + i * 3;

		clipped += p[0] == 255 || p[1] == 255 || p[2] == 255;
		bins[luma_of(p) * QUALITY_BINS / 256]++;
	}
	quality->sharpness = sharpness_of(frame);
	quality->clipped = (double)clipped / (double)pixels;
	for (int i = 0; i < QUALITY_BINS; i++)
		quality->histogram[i] = (double)bins[i] / (double)pixels;
}

/* Four digits are enough for people. */
static double rounded(double value)
{
	return round(value * 1e4) / 1e4;
}

void quality_put(const struct quality *quality, cJSON *object)
{
	cJSON *histogram;

	cJSON_AddNumberToObject(object, "sharpness", rounded(quality->sharpness));
	cJSON_AddNumberToObject(object, "clipped", rounded(quality->clipped));
	histogram = cJSON_AddArrayToObject(object, "histogram");
	for (int i = 0; i < QUALITY_BINS; i++)
		cJSON_AddItemToArray(histogram,
				     cJSON_CreateNumber(rounded(quality->histogram[i])));
}
