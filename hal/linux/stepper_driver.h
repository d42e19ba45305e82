/* A stepper driver (A4988, TMC2209): its step, direction and enable lines. */
#ifndef HAL_LINUX_STEPPER_DRIVER_H
#define HAL_LINUX_STEPPER_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/linux/gpio.h"
#include "hal/linux/pin_map.h"

/* An enable line, which motors may share: low while one of them has current. */
struct enable_line {
	struct gpio_line *line;
	unsigned pin;
	unsigned users; /* bits: those that want current */
};

struct stepper_driver {
	struct gpio_line *step, *direction;
	struct enable_line *enable;
	unsigned user; /* its bit of the enable line */
	int64_t pulse_ns, setup_ns;
	struct motor_pins pins;
};

/* Takes the lines of the motor called name, without current.  enables has room for count
 * lines; a line that another motor has is shared.  user is below 32. */
int stepper_driver_open(struct stepper_driver *driver, struct gpio_chip *chip,
			const char *name, const struct motor_pins *pins,
			struct enable_line *enables, size_t count, unsigned user,
			struct err *err);
void stepper_driver_close(struct stepper_driver *driver); /* also one that is not open */

/* All of them: 0, or the negative errno of a line.  A driver has one user at a time;
 * those that share an enable line are powered by one thread at a time. */

/* The coils' current.  The enable line is low while a motor of it wants current. */
int stepper_driver_enable(struct stepper_driver *driver, bool on);

/* The direction of the steps that follow; returns when the driver has taken it. */
int stepper_driver_set_direction(struct stepper_driver *driver, bool forward);

/* One pulse, over when it returns.  *sent_ns becomes the time at which its rising edge
 * had surely been sent; it stays as it is when there was none. */
int stepper_driver_step(struct stepper_driver *driver, int64_t *sent_ns);

#endif
