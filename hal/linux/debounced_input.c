/* Reads a switch by its queued edges and its level. */
#include "hal/linux/debounced_input.h"

#include <stdio.h>

#include "agent/base/clock.h"

#define NS_PER_S 1e9
#define US_PER_S 1e6
#define EDGES_AT_ONCE 64 /* more is noise: the level decides */

static bool debounced_input_is(const struct debounced_input *input, bool high)
{
	return high == input->pins.active_high;
}

int debounced_input_open(struct debounced_input *input, struct gpio_chip *chip,
			 const char *name, const struct endstop_pins *pins,
			 struct err *err)
{
	char consumer[GPIO_NAME];
	int ret, level;

	input->pins = *pins;
	snprintf(consumer, sizeof(consumer), "openscan %.22s", name);
	ret = gpio_input(&input->line, chip, pins->pin, consumer,
			 pins->pull_up ? GPIO_PULL_UP : GPIO_PULL_DOWN,
			 (unsigned)(pins->bounce_s * US_PER_S), &input->debounced, err);
	if (ret < 0)
		return ret;
	level = gpio_get(input->line);
	input->pressed = level >= 0 && debounced_input_is(input, level);
	input->edge_ns = clock_monotonic_ns();
	return 0;
}

void debounced_input_close(struct debounced_input *input)
{
	gpio_release(input->line);
	input->line = NULL;
}

int debounced_input_pressed(struct debounced_input *input, int64_t now_ns)
{
	int64_t bounce_ns =
		input->debounced ? 0 : (int64_t)(input->pins.bounce_s * NS_PER_S);
	bool was_pressed = false, rising;
	int level, ret = 1;

	for (int i = 0; i < EDGES_AT_ONCE && ret == 1; i++) {
		ret = gpio_edge(input->line, &rising, &input->edge_ns);
		if (ret == 1)
			was_pressed = was_pressed || debounced_input_is(input, rising);
	}
	if (ret < 0)
		return ret;
	level = gpio_get(input->line);
	if (level < 0)
		return level;
	if (was_pressed || debounced_input_is(input, level))
		input->pressed = true;
	else if (now_ns - input->edge_ns >= bounce_ns)
		input->pressed = false;
	return input->pressed;
}
