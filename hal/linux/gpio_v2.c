/* libgpiod 2: one request per line, chips by path, debouncing by the kernel. */
#include "hal/linux/gpio.h"

#include <dirent.h>
#include <errno.h>
#include <gpiod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gpio_chip {
	struct gpiod_chip *chip;
};

struct gpio_line {
	struct gpiod_line_request *request;
	struct gpiod_edge_event_buffer *edges; /* room for one edge; NULL for an output */
	unsigned offset;
	bool output, safe;
};

/* ---- chips ---- */

static int is_chip(const struct dirent *entry)
{
	return strncmp(entry->d_name, "gpiochip", strlen("gpiochip")) == 0;
}

/* Whether this chip has the name or label.  Adds it to list ("gpiochip0 [label], …"). */
static bool chip_is(struct gpiod_chip *chip, const char *name, char *list, size_t size)
{
	struct gpiod_chip_info *info = gpiod_chip_get_info(chip);
	const char *own, *label;
	size_t used = strlen(list);
	bool is;

	if (!info)
		return false;
	own = gpiod_chip_info_get_name(info);
	label = gpiod_chip_info_get_label(info);
	is = strcmp(own, name) == 0 || strcmp(label, name) == 0;
	snprintf(list + used, size - used, "%s%s [%s]", used ? ", " : "", own, label);
	gpiod_chip_info_free(info);
	return is;
}

static struct gpiod_chip *chip_find(const char *name, char *list, size_t size)
{
	struct gpiod_chip *found = NULL;
	struct dirent **entries;
	int n = scandir("/dev", &entries, is_chip, alphasort);

	for (int i = 0; i < n; i++) {
		char path[sizeof("/dev/") + sizeof(entries[i]->d_name)];
		struct gpiod_chip *chip = NULL;

		snprintf(path, sizeof(path), "/dev/%s", entries[i]->d_name);
		if (!found)
			chip = gpiod_chip_open(path);
		if (chip && chip_is(chip, name, list, size))
			found = chip;
		else if (chip)
			gpiod_chip_close(chip);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return found;
}

int gpio_open(struct gpio_chip **out, const char *name, struct err *err)
{
	struct gpio_chip *chip = calloc(1, sizeof(*chip));
	char list[256] = "";

	if (!chip)
		return err_set(err, -ENOMEM, "out of memory");
	chip->chip = chip_find(name, list, sizeof(list));
	if (!chip->chip) {
		free(chip);
		return err_code(
			err, -ENODEV, "hal_unavailable",
			"there is no GPIO chip '%s' that may be opened (there are: %s)",
			name, list[0] ? list : "none");
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

/* ---- taking a line ---- */

/* The sentence for a line that could not be taken. */
static int gpio_refuse(struct gpiod_chip *chip, unsigned offset, int number,
		       struct err *err)
{
	struct gpiod_line_info *info = NULL;
	const char *holder = NULL;

	if (number == -EBUSY)
		info = gpiod_chip_get_line_info(chip, offset);
	if (info)
		holder = gpiod_line_info_get_consumer(info);
	if (info)
		err_code(err, number, "device_busy", "GPIO %u is in use by %s", offset,
			 holder ? holder : "the kernel");
	else
		err_code(err, number, "hal_unavailable", "GPIO %u cannot be taken: %s",
			 offset, strerror(-number));
	gpiod_line_info_free(info);
	return number;
}

/* Asks the kernel for the line with these settings. */
static struct gpiod_line_request *gpio_request(struct gpio_chip *chip, unsigned offset,
					       const char *consumer,
					       struct gpiod_line_settings *settings)
{
	struct gpiod_request_config *request = gpiod_request_config_new();
	struct gpiod_line_config *config = gpiod_line_config_new();
	struct gpiod_line_request *lines = NULL;
	int number = ENOMEM;

	if (request && config && settings) {
		gpiod_request_config_set_consumer(request, consumer);
		if (gpiod_line_config_add_line_settings(config, &offset, 1, settings) ==
		    0)
			lines = gpiod_chip_request_lines(chip->chip, request, config);
		number = errno;
	}
	gpiod_line_config_free(config);
	gpiod_request_config_free(request);
	errno = number;
	return lines;
}

/* Takes ownership of settings. */
static int gpio_take(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
		     const char *consumer, struct gpiod_line_settings *settings,
		     struct err *err)
{
	struct gpio_line *line = calloc(1, sizeof(*line));
	int number;

	if (line)
		line->request = gpio_request(chip, offset, consumer, settings);
	number = line ? -errno : -ENOMEM;
	gpiod_line_settings_free(settings);
	if (!line || !line->request) {
		free(line);
		return gpio_refuse(chip->chip, offset, number, err);
	}
	line->offset = offset;
	*out = line;
	return 0;
}

int gpio_output(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
		const char *consumer, bool safe, struct err *err)
{
	struct gpiod_line_settings *settings = gpiod_line_settings_new();
	int ret;

	if (settings) {
		gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT);
		gpiod_line_settings_set_output_value(settings,
						     safe ? GPIOD_LINE_VALUE_ACTIVE
							  : GPIOD_LINE_VALUE_INACTIVE);
	}
	ret = gpio_take(out, chip, offset, consumer, settings, err);
	if (ret < 0)
		return ret;
	(*out)->output = true;
	(*out)->safe = safe;
	return 0;
}

static enum gpiod_line_bias gpio_bias(enum gpio_pull pull)
{
	if (pull == GPIO_PULL_UP)
		return GPIOD_LINE_BIAS_PULL_UP;
	if (pull == GPIO_PULL_DOWN)
		return GPIOD_LINE_BIAS_PULL_DOWN;
	return GPIOD_LINE_BIAS_AS_IS;
}

int gpio_input(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
	       const char *consumer, enum gpio_pull pull, unsigned debounce_us,
	       bool *debounced, struct err *err)
{
	struct gpiod_line_settings *settings = gpiod_line_settings_new();
	int ret;

	if (settings) {
		gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT);
		gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH);
		gpiod_line_settings_set_bias(settings, gpio_bias(pull));
		gpiod_line_settings_set_debounce_period_us(settings, debounce_us);
	}
	*debounced = true;
	ret = gpio_take(out, chip, offset, consumer, settings, err);
	if (ret < 0)
		return ret;
	(*out)->edges = gpiod_edge_event_buffer_new(1);
	if ((*out)->edges)
		return 0;
	gpio_release(*out);
	return err_set(err, -ENOMEM, "out of memory");
}

void gpio_release(struct gpio_line *line)
{
	if (!line)
		return;
	if (line->output)
		gpio_set(line, line->safe);
	gpiod_line_request_release(line->request);
	gpiod_edge_event_buffer_free(line->edges);
	free(line);
}

/* ---- using it ---- */

int gpio_set(struct gpio_line *line, bool level)
{
	enum gpiod_line_value value =
		level ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;

	return gpiod_line_request_set_value(line->request, line->offset, value) < 0
		       ? -errno
		       : 0;
}

int gpio_get(struct gpio_line *line)
{
	enum gpiod_line_value value =
		gpiod_line_request_get_value(line->request, line->offset);

	if (value == GPIOD_LINE_VALUE_ERROR)
		return -errno;
	return value == GPIOD_LINE_VALUE_ACTIVE;
}

int gpio_edge(struct gpio_line *line, bool *rising, int64_t *at_ns)
{
	struct gpiod_edge_event *event;
	int ret = gpiod_line_request_wait_edge_events(line->request, 0);

	if (ret <= 0)
		return ret < 0 ? -errno : 0;
	if (gpiod_line_request_read_edge_events(line->request, line->edges, 1) < 0)
		return -errno;
	event = gpiod_edge_event_buffer_get_event(line->edges, 0);
	*rising = gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE;
	*at_ns = (int64_t)gpiod_edge_event_get_timestamp_ns(event);
	return 1;
}
