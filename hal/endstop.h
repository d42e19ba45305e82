/* An endstop: a switch that an axis presses at one known angle. */
#ifndef HAL_ENDSTOP_H
#define HAL_ENDSTOP_H

#include "hal/chassis.h"

struct endstop {
	struct chassis *chassis;
	size_t index;
	char name[CHASSIS_NAME];
	char motor[CHASSIS_NAME];
	double angle; /* where it is pressed */
};

/* Reads the member item of the config's endstops. */
int endstop_open(struct endstop *endstop, struct chassis *chassis, size_t index,
		 const cJSON *item, struct err *err);

/* 1 while pressed, 0, or a negative errno with "hardware_fault". */
int endstop_pressed(const struct endstop *endstop, struct err *err);

/* {name, motor, pressed}; pressed is null when it cannot be read. */
cJSON *endstop_state(const struct endstop *endstop);

#endif
