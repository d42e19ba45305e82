/* What two frames of a stack differ by when one is warped over the other, and how each
 * unknown of the warp changes that: the sums that a Gauss-Newton step is made of.  Pure.
 */
#ifndef TASKS_STACK_RESIDUAL_H
#define TASKS_STACK_RESIDUAL_H

#include "tasks/stack/plane.h"
#include "tasks/stack/warp.h"

#define UNKNOWNS 6 /* scale turn x y gain offset */
#define DIFFERENCE_BINS 256
#define DIFFERENCE_BIN .25 /* grey levels */

/* Two small pictures, and where their middle is. */
struct difference {
	const struct plane *from, *to; /* of one size */
	double cx, cy;	  /* the middle of the full picture in their pixels */
	int step;	  /* every which pixel is looked at, both ways */
	struct warp warp; /* its x and y in their pixels */
	double offset;	  /* what from has too little after the warp\'s gain */
	double spread;	  /* of the differences, in grey levels: sets the weights */
	float *rows;	  /* to work in */
};

struct difference_sums {
	double products[UNKNOWNS][UNKNOWNS]; /* of the terms; the lower triangle */
	double rest[UNKNOWNS];		     /* of the terms and the differences */
	unsigned bins[DIFFERENCE_BINS];	     /* how many pixels differ by that much */
	unsigned pixels;
};

/* Room to work in for pictures up to that width.  -ENOMEM. */
int difference_open(struct difference *d, int width);
void difference_close(struct difference *d);

void difference_sum(const struct difference *d, struct difference_sums *sums);

/* How alike the two are where they overlap and none is overexposed. */
struct likeness {
	double correlation; /* -1 to 1; 0 when they hardly overlap or one is flat */
	double gain;	    /* the mean of to in that of from, which no blur changes */
};

struct likeness difference_likeness(const struct difference *d);

#endif
