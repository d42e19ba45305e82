/* GPIO lines of the kernel, one request per line.
 *
 * Implemented by gpio_v1.c (libgpiod 1.6) or gpio_v2.c (libgpiod 2.x); CMake chooses by
 * the installed library.  Tests link an implementation of their own.
 *
 * Levels are physical: true is high.  Errors are a negative errno; a line that is in use
 * is -EBUSY and "device_busy", with its user in the sentence.
 *
 * Threads: one user per line at a time; different lines may be used at the same time. */
#ifndef HAL_LINUX_GPIO_H
#define HAL_LINUX_GPIO_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"

struct gpio_chip;
struct gpio_line;

enum gpio_pull { GPIO_PULL_AS_IS, GPIO_PULL_UP, GPIO_PULL_DOWN };

#define GPIO_NAME 32 /* of a chip or a consumer, with its NUL: the kernel's limit */

/* Opens the chip of that name ("gpiochip0") or label ("pinctrl-rp1").  -ENODEV with a
 * sentence that lists the existing chips. */
int gpio_open(struct gpio_chip **out, const char *name, struct err *err);
void gpio_close(struct gpio_chip *chip); /* after its lines; NULL is fine */

/* Requests a line as an output at level safe; gpio_release() sets it to that level again.
 * gpioinfo shows consumer as its user. */
int gpio_output(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
		const char *consumer, bool safe, struct err *err);

/* Requests a line as an input with queued, timestamped edges.  *debounced: whether the
 * kernel debounces it by debounce_us. */
int gpio_input(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
	       const char *consumer, enum gpio_pull pull, unsigned debounce_us,
	       bool *debounced, struct err *err);

/* Sets an output to its safe level and releases the line.  NULL is fine. */
void gpio_release(struct gpio_line *line);

/* Sets an output; async-signal-safe.  0 or a negative errno. */
int gpio_set(struct gpio_line *line, bool level);

/* 1, 0 or a negative errno. */
int gpio_get(struct gpio_line *line);

/* Takes the oldest queued edge of an input: 1, or 0 if there is none.  Never waits if it
 * has one caller at a time.  *at_ns is the edge's time on CLOCK_MONOTONIC. */
int gpio_edge(struct gpio_line *line, bool *rising, int64_t *at_ns);

#endif
