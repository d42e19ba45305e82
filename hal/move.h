/* Carries out a move of claimed motors: counts, then pulses, and watches the endstops. */
#ifndef HAL_MOVE_H
#define HAL_MOVE_H

#include "hal/motor.h"
#include "hal/operation.h"

/* What ends an axis' part of a move, besides its goal. */
enum move_until {
	MOVE_GOAL,     /* nothing; meeting the endstop far from its angle is a fault */
	MOVE_PRESSED,  /* brakes when its endstop is pressed */
	MOVE_EDGE,     /* halts there, on the step: needs a speed below sqrt(2 a) */
	MOVE_RELEASED, /* brakes when its endstop is released */
};

/* One axis' part. */
struct move_leg {
	struct motor *motor;
	int64_t goal; /* count */
	double speed; /* steps/s, at most the motor's; 0 means that */
	enum move_until until;
	bool met; /* the answer: did what it waits for come? */
};

/* Moves all legs together, at most one an axis, and returns when all rest; legs stay the
 * caller's.  0, -EINTR, -ECANCELED, or an error
 * with "hardware_fault".  Counts are exact except after a fault of the hardware, which
 * makes the position of that axis unknown. */
int move_run(const struct operation *op, struct position_file *positions,
	     struct move_leg *legs, size_t n, struct err *err);

#endif
