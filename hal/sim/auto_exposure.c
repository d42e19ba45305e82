/* Measures a photo's brightness and colour balance by its histogram. */
#include "hal/sim/auto_exposure.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define GAMMA 2.2
#define DARK 24 /* of 255: darker pixels are background */
#define CLIPPED 250
#define TOP 0.05	  /* the brightest fraction of the object */
#define LEAST_SHARE 0.005 /* fraction of the pixels: fewer are no object */
#define MOST_CHANGE 4	  /* in one step */

/* A histogram of the object's pixels by their brightest channel, and the light of those
 * that are used for colour. */
struct sums {
	size_t bins[256], object, coloured;
	double red, green, blue;
};

static double light_of(int byte)
{
	return pow(byte / 255.0, GAMMA);
}

static void add(struct sums *sums, const uint8_t *p)
{
	int most = p[0] > p[1] ? p[0] : p[1];

	most = p[2] > most ? p[2] : most;
	if (most < DARK)
		return;
	sums->bins[most]++;
	sums->object++;
	if (most > CLIPPED)
		return;
	sums->red += light_of(p[0]);
	sums->green += light_of(p[1]);
	sums->blue += light_of(p[2]);
	sums->coloured++;
}

/* The value above which the brightest TOP of the object lies. */
static int top_of(const struct sums *sums)
{
	size_t above = 0;
	int value = 255;

	while (value > DARK &&
	       (double)(above += sums->bins[value]) < TOP * (double)sums->object)
		value--;
	return value;
}

static double bounded(double factor)
{
	return fmax(1.0 / MOST_CHANGE, fmin(MOST_CHANGE, factor));
}

bool auto_exposure_read(const struct frame *frame, struct auto_exposure *auto_exposure)
{
	size_t pixels = (size_t)frame->width * (size_t)frame->height;
	struct sums sums = {.object = 0};

	for (size_t i = 0; i < pixels; i++)
		add(&sums, frame->rgb + i * 3);
	if ((double)sums.object < LEAST_SHARE * (double)pixels)
		return false;
	auto_exposure->exposure = bounded(AUTO_EXPOSURE_BRIGHT / light_of(top_of(&sums)));
	auto_exposure->red = auto_exposure->blue = 1;
	if (sums.coloured && sums.red > 0 && sums.blue > 0) {
		auto_exposure->red = bounded(sums.green / sums.red);
		auto_exposure->blue = bounded(sums.green / sums.blue);
	}
	return true;
}
