/* Homing: finds out where an axis stands by going to its endstop. */
#ifndef HAL_HOMING_H
#define HAL_HOMING_H

#include "hal/move.h"

/* Homes a claimed motor that has an endstop: leaves the endstop if it is pressed, seeks
 * it at its homing speed, backs off, and comes back at a speed that can stop within
 * a step.  Afterwards the axis stands at the endstop and its position is known.
 *
 * 0, -EINTR or -ECANCELED (what was known before stays known), or "hardware_fault" with
 * an unknown position, when the endstop is not met or does not let go. */
int homing_run(const struct operation *op, struct position_file *positions,
	       struct motor *motor, struct err *err);

#endif
