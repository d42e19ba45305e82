/* Estimates a warp by Gauss-Newton steps on an image pyramid. */
#include "tasks/stack/align.h"

#include <errno.h>
#include <math.h>

#include "tasks/stack/residual.h"

#define MOST_STEPS 12
#define MOST_STEPS_FINE 6 /* in the second finest level */
#define MOST_STEPS_FINEST 8
#define STILL .006	 /* pixels of the level: a shorter step is the last one */
#define MANY_COLUMNS 800 /* wider levels use every other pixel */
#define LEAST_SPREAD .3
#define FIRST_SPREAD 20.
#define PRIOR 16. /* the weight of the expectation, in pixels */

/* What is expected of neighbouring frames: the standard deviations of scale, turn, shift
 * (as a part of the width) and gain. */
#define EXPECT_SCALE .02
#define EXPECT_TURN .003
#define EXPECT_SHIFT .02
#define EXPECT_GAIN .1

/* A warp beyond these limits is rejected. */
#define MOST_SCALE .1
#define MOST_TURN .05
#define MOST_SHIFT .08
#define LEAST_SIMILARITY .5
#define TOLERANCE 1e-4 /* a correlation this much lower still counts as equal */

/* Estimates the standard deviation from the median, which outliers hardly change. */
static double spread_of(const struct residual_sums *sums)
{
	unsigned half = sums->pixels / 2, seen = 0;
	int bin = 0;

	while (bin < RESIDUAL_BINS - 1 && (seen += sums->bins[bin]) <= half)
		bin++;
	return fmax(1.4826 * (bin + .5) * RESIDUAL_BIN, LEAST_SPREAD);
}

/* Adds the expectation to the sums, as a Gaussian prior. */
static void add_prior(const struct residual *r, struct residual_sums *sums)
{
	double shift = EXPECT_SHIFT * r->to->width;
	const double expect[] = {EXPECT_SCALE, EXPECT_TURN, shift, shift, EXPECT_GAIN};
	const double now[] = {r->warp.scale, r->warp.turn, r->warp.x, r->warp.y,
			      r->warp.gain - 1};

	for (int j = 0; j < UNKNOWNS - 1; j++) {
		double certainty =
			PRIOR * r->spread * r->spread / (expect[j] * expect[j]);

		sums->products[j][j] += certainty;
		sums->rest[j] += certainty * now[j];
	}
}

/* Solves m x = rest by m = L D L^T and stores x in rest.  false when m is not positive
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

/* Returns how far the corner of the image has moved, in pixels of the level. */
static double apply_step(struct residual *r, const double by[UNKNOWNS])
{
	struct warp *warp = &r->warp;

	warp->scale -= by[0];
	warp->turn -= by[1];
	warp->x -= by[2];
	warp->y -= by[3];
	warp->gain -= by[4];
	r->offset -= by[5];
	return hypot(by[2], by[3]) + hypot(by[0], by[1]) * hypot(r->cx, r->cy);
}

static void refine(struct residual *r, int steps)
{
	struct residual_sums sums;

	for (int i = 0; i < steps; i++) {
		residual_sum(r, &sums);
		r->spread = spread_of(&sums);
		add_prior(r, &sums);
		if (!solve(sums.products, sums.rest) || apply_step(r, sums.rest) < STILL)
			break;
	}
}

/* Converts the warp to other units: x and y are multiplied by unit. */
static struct warp in_units(const struct warp *warp, double unit)
{
	struct warp full = *warp;

	full.x *= unit;
	full.y *= unit;
	return full;
}

static void set_level(struct residual *r, const struct sharpness *from,
		      const struct sharpness *to, const struct layout *layout, int level)
{
	double unit = from->cell * (double)(1 << level);

	r->from = &from->levels[level];
	r->to = &to->levels[level];
	r->cx = layout->width / (2 * unit) - .5;
	r->cy = layout->height / (2 * unit) - .5;
	r->step = r->to->width > MANY_COLUMNS ? 2 : 1;
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

/* Also sets the gain.  Compares in the second finest level, where there is less noise and
 * still enough detail. */
static bool is_better(struct residual *r, const struct sharpness *from,
		      const struct sharpness *to, const struct layout *layout,
		      struct warp *warp)
{
	int level = from->count > 1 ? 1 : 0;
	double unit = from->cell * (double)(1 << level);
	struct similarity before, after;

	set_level(r, from, to, layout, level);
	r->warp = WARP_IDENTITY;
	before = residual_similarity(r);
	r->warp = in_units(warp, 1 / unit);
	after = residual_similarity(r);
	warp->gain = after.gain;
	return after.correlation >= before.correlation - TOLERANCE &&
	       after.correlation >= LEAST_SIMILARITY;
}

int align(const struct sharpness *from, const struct sharpness *to,
	  const struct layout *layout, struct warp *warp)
{
	struct residual r = {.warp = WARP_IDENTITY, .spread = FIRST_SPREAD};
	int ret = residual_open(&r, to->width);

	if (ret < 0)
		return ret;
	for (int level = from->count - 1; level >= 0; level--) {
		set_level(&r, from, to, layout, level);
		refine(&r, steps_of(level));
		r.warp = in_units(&r.warp, level > 0 ? 2 : from->cell);
	}
	*warp = r.warp;
	ret = is_believable(warp, layout->width) && is_better(&r, from, to, layout, warp);
	if (!ret)
		*warp = WARP_IDENTITY;
	residual_close(&r);
	return ret;
}
