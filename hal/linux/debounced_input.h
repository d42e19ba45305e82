/* A switch on an input line, debounced. */
#ifndef HAL_LINUX_DEBOUNCED_INPUT_H
#define HAL_LINUX_DEBOUNCED_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/linux/gpio.h"
#include "hal/linux/pin_map.h"

struct debounced_input {
	struct gpio_line *line;
	struct endstop_pins pins;
	bool debounced;	 /* by the kernel */
	bool pressed;	 /* as last reported */
	int64_t edge_ns; /* the newest edge */
};

/* Requests the line of the endstop called name, with its pull and, where the kernel can,
 * its debounce time. */
int debounced_input_open(struct debounced_input *input, struct gpio_chip *chip,
			 const char *name, const struct endstop_pins *pins,
			 struct err *err);
void debounced_input_close(struct debounced_input *input); /* fine if it is not open */

/* 1 while pressed, 0, or a negative errno; never waits.  One caller at a time.  A press
 * is reported at its first edge, even if it is already over; a release when there was no
 * edge for the bounce time. */
int debounced_input_pressed(struct debounced_input *input, int64_t now_ns);

#endif
