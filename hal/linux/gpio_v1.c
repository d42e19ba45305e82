/* libgpiod 1.6: one handle per line, chips by name or label, no kernel debouncing. */
#include "hal/linux/gpio.h"

#include <errno.h>
#include <gpiod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

struct gpio_chip {
	struct gpiod_chip *chip;
};

struct gpio_line {
	struct gpiod_line *line;
	bool output, safe;
};

/* "gpiochip0 [pinctrl-bcm2711], …". */
static void gpio_list(char *list, size_t size)
{
	struct gpiod_chip_iter *chips = gpiod_chip_iter_new();
	struct gpiod_chip *chip;
	size_t used = 0;

	snprintf(list, size, "none");
	while (chips && used < size && (chip = gpiod_chip_iter_next(chips)))
		used += (size_t)snprintf(list + used, size - used, "%s%s [%s]",
					 used ? ", " : "", gpiod_chip_name(chip),
					 gpiod_chip_label(chip));
	if (chips)
		gpiod_chip_iter_free(chips);
}

int gpio_open(struct gpio_chip **out, const char *name, struct err *err)
{
	struct gpio_chip *chip = calloc(1, sizeof(*chip));
	char list[256];

	if (!chip)
		return err_set(err, -ENOMEM, "out of memory");
	chip->chip = gpiod_chip_open_by_name(name);
	if (!chip->chip)
		chip->chip = gpiod_chip_open_by_label(name);
	if (!chip->chip) {
		free(chip);
		gpio_list(list, sizeof(list));
		return err_code(
			err, -ENODEV, "hal_unavailable",
			"there is no GPIO chip '%s' that may be opened (there are: %s)",
			name, list);
	}
	*out = chip;
	return 0;
}

void gpio_close(struct gpio_chip *chip)
{
	if (!chip)
		return;
	gpiod_chip_close(chip->chip);
	free(chip);
}

/* The sentence for a line that could not be taken. */
static int gpio_refuse(struct gpiod_line *line, unsigned offset, int number,
		       struct err *err)
{
	const char *holder;

	if (number == -EBUSY && line && gpiod_line_update(line) == 0) {
		holder = gpiod_line_consumer(line);
		return err_code(err, number, "device_busy", "GPIO %u is in use by %s",
				offset, holder ? holder : "the kernel");
	}
	return err_code(err, number, "hal_unavailable", "GPIO %u cannot be taken: %s",
			offset, strerror(-number));
}

static struct gpio_line *gpio_take(struct gpio_chip *chip, unsigned offset,
				   struct err *err)
{
	struct gpio_line *line = calloc(1, sizeof(*line));

	if (!line) {
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	line->line = gpiod_chip_get_line(chip->chip, offset);
	if (line->line)
		return line;
	err_code(err, -EINVAL, "invalid_args", "%s has no line %u",
		 gpiod_chip_name(chip->chip), offset);
	free(line);
	return NULL;
}

int gpio_output(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
		const char *consumer, bool safe, struct err *err)
{
	struct gpio_line *line = gpio_take(chip, offset, err);
	int ret;

	if (!line)
		return -EINVAL;
	line->output = true;
	line->safe = safe;
	if (gpiod_line_request_output(line->line, consumer, safe) == 0) {
		*out = line;
		return 0;
	}
	ret = gpio_refuse(line->line, offset, -errno, err);
	free(line);
	return ret;
}

static int gpio_pull_flags(enum gpio_pull pull)
{
	if (pull == GPIO_PULL_UP)
		return GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP;
	if (pull == GPIO_PULL_DOWN)
		return GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN;
	return 0;
}

int gpio_input(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
	       const char *consumer, enum gpio_pull pull, unsigned debounce_us,
	       bool *debounced, struct err *err)
{
	struct gpio_line *line = gpio_take(chip, offset, err);
	int ret;

	(void)debounce_us; /* version 1 of the kernel's interface cannot debounce */
	*debounced = false;
	if (!line)
		return -EINVAL;
	if (gpiod_line_request_both_edges_events_flags(line->line, consumer,
						       gpio_pull_flags(pull)) == 0) {
		*out = line;
		return 0;
	}
	ret = gpio_refuse(line->line, offset, -errno, err);
	free(line);
	return ret;
}

void gpio_release(struct gpio_line *line)
{
	if (!line)
		return;
	if (line->output)
		gpiod_line_set_value(line->line, line->safe);
	gpiod_line_release(line->line);
	free(line);
}

int gpio_set(struct gpio_line *line, bool level)
{
	return gpiod_line_set_value(line->line, level) < 0 ? -errno : 0;
}

int gpio_get(struct gpio_line *line)
{
	int level = gpiod_line_get_value(line->line);

	return level < 0 ? -errno : level;
}

int gpio_edge(struct gpio_line *line, bool *rising, int64_t *at_ns)
{
	const struct timespec now = {0};
	struct gpiod_line_event event;
	int ret = gpiod_line_event_wait(line->line, &now);

	if (ret <= 0)
		return ret < 0 ? -errno : 0;
	if (gpiod_line_event_read(line->line, &event) < 0)
		return -errno;
	*rising = event.event_type == GPIOD_LINE_EVENT_RISING_EDGE;
	*at_ns = event.ts.tv_sec * NS_PER_S + event.ts.tv_nsec;
	return 1;
}
