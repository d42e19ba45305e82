/* A stepper driver (A4988, TMC2209): its step, direction and enable lines. */
#ifndef HAL_LINUX_STEPPER_DRIVER_H
#define HAL_LINUX_STEPPER_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/linux/gpio.h"
#include "hal/linux/pin_map.h"

/* An enable line, which motors may share: low while one of them is enabled. */
struct enable_line {
	struct gpio_line *line;
	unsigned pin;
	unsigned users; /* bits of the motors that are enabled */
};

struct stepper_driver {
	struct gpio_line *step, *direction;
	struct enable_line *enable;
	unsigned user; /* its bit of the enable line */
	int64_t pulse_ns, setup_ns;
	struct motor_pins pins;
};

/* Requests the lines of the motor called name, disabled.  enables has room for count
 * lines; a line that another motor already uses is shared.  user is below 32. */
int stepper_driver_open(struct stepper_driver *driver, struct gpio_chip *chip,
			const char *name, const struct motor_pins *pins,
			struct enable_line *enables, size_t count, unsigned user,
			struct err *err);
void stepper_driver_close(struct stepper_driver *driver); /* fine if it is not open */

/* All of these return 0, or the negative errno of a line.  A driver has one user at a
 * time; drivers that share an enable line are enabled by one thread at a time. */

/* Switches the coils' current.  A shared enable line is low while any of its motors is
 * enabled. */
int stepper_driver_enable(struct stepper_driver *driver, bool on);

/* Sets the direction of the following steps; returns after the set-up time. */
int stepper_driver_set_direction(struct stepper_driver *driver, bool forward);

/* Sends one pulse and returns when it is over.  *sent_ns becomes a time at which the
 * rising edge had certainly been sent; it is unchanged if there was none. */
int stepper_driver_step(struct stepper_driver *driver, int64_t *sent_ns);

#endif
