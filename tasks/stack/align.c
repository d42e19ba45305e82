#include "tasks/stack/align.h"

#include <errno.h>
#include <math.h>

#include "tasks/stack/residual.h"

#define MOST_STEPS 12
#define MOST_STEPS_FINE 6 /* in the second finest level */
#define MOST_STEPS_FINEST 8
#define STILL .006 /* pixels of the level: a step that is shorter is the last */
#define MANY_COLUMNS                                                                     \
	800 /* in a picture with more of them every other pixel tells enough */
#define LEAST_SPREAD .3
#define FIRST_SPREAD 20.
#define PRIOR 16. /* how many pixels' worth of certainty the expectation has */

/* What is expected of neighbours: the standard deviations of scale, turn, shift as a part
 * of the width, and gain. */
#define EXPECT_SCALE .02
#define EXPECT_TURN .003
#define EXPECT_SHIFT .02
#define EXPECT_GAIN .1

/* What is believed of neighbours. */
#define MOST_SCALE .1
#define MOST_TURN .05
#define MOST_SHIFT .08
#define LEAST_LIKENESS .5
#define ALIKE 1e-4 /* so much less alike than unaligned is the same */

/* The median's way to tell the standard deviation. */
static double spread_of(const struct difference_sums *sums)
{
	unsigned half = sums->pixels / 2, seen = 0;
	int bin = 0;

	while (bin < DIFFERENCE_BINS - 1 && (seen += sums->bins[bin]) <= half)
		bin++;
	return fmax(1.4826 * (bin + .5) * DIFFERENCE_BIN, LEAST_SPREAD);
}

/* Adds what is expected to what is seen. */
static void add_prior(const struct difference *d, struct difference_sums *sums)
{
	double shift = EXPECT_SHIFT * d->to->width;
	const double expect[] = {EXPECT_SCALE, EXPECT_TURN, shift, shift, EXPECT_GAIN};
	const double now[] = {d->warp.scale, d->warp.turn, d->warp.x, d->warp.y,
			      d->warp.gain - 1};

	for (int j = 0; j < UNKNOWNS - 1; j++) {
		double certainty =
			PRIOR * d->spread * d->spread / (expect[j] * expect[j]);

		sums->products[j][j] += certainty;
		sums->rest[j] += certainty * now[j];
	}
}

/* Solves m x = rest, x in rest's place, by m = L D L^T; false when m is not positive
 * definite. */
static bool solve(double m[UNKNOWNS][UNKNOWNS], double rest[UNKNOWNS])
{
	for (int j = 0; j < UNKNOWNS; j++)
		for (int i = j; i < UNKNOWNS; i++) {
			for (int k = 0; k < j; k++)
				m[i][j] -= m[i][k] * m[j][k] * m[k][k];
			if (i > j)
				m[i][j] /= m[j][j];
			else if (!(m[j][j] > 0))
				return false;
		}
	for (int i = 0; i < UNKNOWNS; i++)
		for (int k = 0; k < i; k++)
			rest[i] -= m[i][k] * rest[k];
	for (int i = 0; i < UNKNOWNS; i++)
		rest[i] /= m[i][i];
	for (int i = UNKNOWNS - 1; i >= 0; i--)
		for (int k = i + 1; k < UNKNOWNS; k++)
			rest[i] -= m[k][i] * rest[k];
	return true;
}

/* Returns how far the corner has moved, in pixels of the level. */
static double take_step(struct difference *d, const double by[UNKNOWNS])
{
	struct warp *warp = &d->warp;

	warp->scale -= by[0];
	warp->turn -= by[1];
	warp->x -= by[2];
	warp->y -= by[3];
	warp->gain -= by[4];
	d->offset -= by[5];
	return hypot(by[2], by[3]) + hypot(by[0], by[1]) * hypot(d->cx, d->cy);
}

static void refine(struct difference *d, int steps)
{
	struct difference_sums sums;

	for (int i = 0; i < steps; i++) {
		difference_sum(d, &sums);
		d->spread = spread_of(&sums);
		add_prior(d, &sums);
		if (!solve(sums.products, sums.rest) || take_step(d, sums.rest) < STILL)
			break;
	}
}

/* The warp in pixels of the full picture when a pixel of the level is unit of them. */
static struct warp in_units(const struct warp *warp, double unit)
{
	struct warp full = *warp;

	full.x *= unit;
	full.y *= unit;
	return full;
}

static void look_at(struct difference *d, const struct sharpness *from,
		    const struct sharpness *to, const struct layout *layout, int level)
{
	double unit = from->cell * (double)(1 << level);

	d->from = &from->levels[level];
	d->to = &to->levels[level];
	d->cx = layout->width / (2 * unit) - .5;
	d->cy = layout->height / (2 * unit) - .5;
	d->step = d->to->width > MANY_COLUMNS ? 2 : 1;
}

static int steps_of(int level)
{
	return level == 0 ? MOST_STEPS_FINEST : level == 1 ? MOST_STEPS_FINE : MOST_STEPS;
}

static bool is_believable(const struct warp *warp, int width)
{
	return fabs(warp->scale) <= MOST_SCALE && fabs(warp->turn) <= MOST_TURN &&
	       fabs(warp->x) <= MOST_SHIFT * width &&
	       fabs(warp->y) <= MOST_SHIFT * width && warp->gain > .25 && warp->gain < 4;
}

/* Tells the gain, too.  Judged in the second finest level: noise is less there, and
 * detail still to be seen. */
static bool is_better(struct difference *d, const struct sharpness *from,
		      const struct sharpness *to, const struct layout *layout,
		      struct warp *warp)
{
	int level = from->count > 1 ? 1 : 0;
	double unit = from->cell * (double)(1 << level);
	struct likeness before, after;

	look_at(d, from, to, layout, level);
	d->warp = WARP_IDENTITY;
	before = difference_likeness(d);
	d->warp = in_units(warp, 1 / unit);
	after = difference_likeness(d);
	warp->gain = after.gain;
	return after.correlation >= before.correlation - ALIKE &&
	       after.correlation >= LEAST_LIKENESS;
}

int align(const struct sharpness *from, const struct sharpness *to,
	  const struct layout *layout, struct warp *warp)
{
	struct difference d = {.warp = WARP_IDENTITY, .spread = FIRST_SPREAD};
	int ret = difference_open(&d, to->width);

	if (ret < 0)
		return ret;
	for (int level = from->count - 1; level >= 0; level--) {
		look_at(&d, from, to, layout, level);
		refine(&d, steps_of(level));
		d.warp = in_units(&d.warp, level > 0 ? 2 : from->cell);
	}
	*warp = d.warp;
	ret = is_believable(warp, layout->width) && is_better(&d, from, to, layout, warp);
	if (!ret)
		*warp = WARP_IDENTITY;
	difference_close(&d);
	return ret;
}
