/* The difference between two frames of a stack when one is warped over the other, and its
 * derivatives: the sums for one Gauss-Newton step.  Pure. */
#ifndef TASKS_STACK_RESIDUAL_H
#define TASKS_STACK_RESIDUAL_H

#include "tasks/stack/plane.h"
#include "tasks/stack/warp.h"

#define UNKNOWNS 6 /* scale, turn, x, y, gain, offset */
#define RESIDUAL_BINS 256
#define RESIDUAL_BIN .25 /* grey levels */

/* Two small images of one size. */
struct residual {
	const struct plane *from, *to;
	double cx, cy;	  /* the centre of the full image, in their pixels */
	int step;	  /* every step-th pixel is used, in both directions */
	struct warp warp; /* its x and y in their pixels */
	double offset;	  /* brightness still missing in from after the warp's gain */
	double spread;	  /* of the residuals, in grey levels: sets the weights */
	float *rows;	  /* scratch memory */
};

struct residual_sums {
	double products[UNKNOWNS][UNKNOWNS]; /* of derivatives; the lower triangle */
	double rest[UNKNOWNS];		     /* of derivatives and residuals */
	unsigned bins[RESIDUAL_BINS];	     /* a histogram of the residuals' sizes */
	unsigned pixels;
};

/* Allocates scratch memory for images up to that width.  -ENOMEM. */
int residual_open(struct residual *r, int width);
void residual_close(struct residual *r);

void residual_sum(const struct residual *r, struct residual_sums *sums);

/* How similar the two are where they overlap and neither is overexposed. */
struct similarity {
	double correlation; /* -1 to 1; 0 when they hardly overlap or one is flat */
	double gain;	    /* mean of to / mean of from: blur changes neither */
};

struct similarity residual_similarity(const struct residual *r);

#endif
