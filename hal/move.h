/* Carries out a move of claimed motors: each step is counted, pulsed, and followed by a
 * look at the endstop. */
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

/* One axis' part of a move. */
struct axis_move {
	struct motor *motor;
	int64_t goal; /* count */
	double speed; /* steps/s; capped at the motor's, which 0 stands for */
	enum move_until until;
	bool met; /* result: whether the awaited endstop event came */
};

/* Moves all n axes together and returns when all are at rest.  At most one part per axis;
 * parts stay the caller's.
 *
 * 0, -EINTR, -ECANCELED, or an error with "hardware_fault".  Counts are exact, except
 * that a hardware fault makes the position of its axis unknown. */
int move_run(const struct operation *op, struct position_file *positions,
	     struct axis_move *parts, size_t n, struct err *err);

#endif
