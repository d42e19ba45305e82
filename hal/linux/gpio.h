/* GPIO lines of the kernel, one request a line.
 *
 * Implemented by gpio_v1.c (libgpiod 1.6) or gpio_v2.c (libgpiod 2.x): CMake takes the
 * one that fits the library that is installed.  Tests link one of their own.
 *
 * Levels are those of the wire: true is high.  Errors are a negative errno; a line that
 * somebody else holds is -EBUSY and "device_busy", with its holder in the sentence.
 *
 * Threads: a line has one user at a time; different lines may be used at the same time.
 */
#ifndef HAL_LINUX_GPIO_H
#define HAL_LINUX_GPIO_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"

struct gpio_chip;
struct gpio_line;

enum gpio_pull { GPIO_PULL_AS_IS, GPIO_PULL_UP, GPIO_PULL_DOWN };

#define GPIO_NAME 32 /* of a chip or a consumer, and its NUL: the kernel's bound */

/* Opens the chip of that name ("gpiochip0") or label ("pinctrl-rp1").  -ENODEV with a
 * sentence that lists the chips there are. */
int gpio_open(struct gpio_chip **out, const char *name, struct err *err);
void gpio_close(struct gpio_chip *chip); /* after its lines; NULL is fine */

/* Takes a line as an output at level safe, to which gpio_release() puts it back.
 * consumer is what gpioinfo shows as its user. */
int gpio_output(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
		const char *consumer, bool safe, struct err *err);

/* Takes a line as an input whose edges are queued with their time.  *debounced tells
 * whether the kernel lets a level last for debounce_us before it reports it. */
int gpio_input(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
	       const char *consumer, enum gpio_pull pull, unsigned debounce_us,
	       bool *debounced, struct err *err);

/* Puts an output back to its safe level and gives the line up.  NULL is fine. */
void gpio_release(struct gpio_line *line);

/* Of an output, at once: a signal handler may.  0 or a negative errno. */
int gpio_set(struct gpio_line *line, bool level);

/* 1, 0 or a negative errno. */
int gpio_get(struct gpio_line *line);

/* The oldest edge of an input that was not taken yet: 1, or 0 when there is none.  Never
 * waits, if it has one caller at a time.  *at_ns is its time on CLOCK_MONOTONIC. */
int gpio_edge(struct gpio_line *line, bool *rising, int64_t *at_ns);

#endif
