/* Homing: finds the position of an axis by moving it to its endstop. */
#ifndef HAL_HOMING_H
#define HAL_HOMING_H

#include "hal/move.h"

/* Homes a claimed motor that has an endstop: leaves the endstop if it is pressed, seeks
 * it at the homing speed, backs off, and comes back at a speed that can stop within one
 * step.  Afterwards the axis is at the endstop and its position is known.
 *
 * 0, -EINTR or -ECANCELED (the position stays as known as before), or "hardware_fault"
 * and an unknown position when the endstop is not met or not released. */
int homing_run(const struct operation *op, struct position_file *positions,
	       struct motor *motor, struct err *err);

#endif
