/* A light: one or more lines that are switched together, or a hardware PWM channel. */
#ifndef HAL_LINUX_LIGHT_OUTPUT_H
#define HAL_LINUX_LIGHT_OUTPUT_H

#include "hal/linux/gpio.h"
#include "hal/linux/pin_map.h"

struct light_output {
	struct gpio_line *lines[LIGHT_PINS_MAX];
	size_t count;
	struct pwm *pwm; /* NULL: none */
	struct light_pins pins;
};

/* Requests the lines or the PWM channel of the light called name, off. */
int light_output_open(struct light_output *light, struct gpio_chip *chip,
		      const char *name, const struct light_pins *pins, struct err *err);
void light_output_close(struct light_output *light); /* fine if it is not open */

/* 0..100.  Without a hardware PWM, -ENOTSUP for values between: a line switched by a
 * program is too slow and would flicker in every photo. */
int light_output_set(struct light_output *light, int brightness);

#endif
