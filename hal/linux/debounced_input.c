#include "hal/linux/debounced_input.h"

#include <stdio.h>

#include "agent/base/clock.h"

#define NS_PER_S 1e9
#define US_PER_S 1e6
#define EDGES_AT_ONCE 64 /* more is noise: the level decides */

static bool button_is(const struct button *button, bool high)
{
	return high == button->wiring.active_high;
}

int button_open(struct button *button, struct gpio_chip *chip, const char *name,
		const struct wiring_endstop *wiring, struct err *err)
{
	char consumer[GPIO_NAME];
	int ret, level;

	button->wiring = *wiring;
	snprintf(consumer, sizeof(consumer), "openscan %.22s", name);
	ret = gpio_input(&button->line, chip, wiring->pin, consumer,
			 wiring->pull_up ? GPIO_PULL_UP : GPIO_PULL_DOWN,
			 (unsigned)(wiring->bounce_s * US_PER_S), &button->debounced,
			 err);
	if (ret < 0)
		return ret;
	level = gpio_get(button->line);
	button->pressed = level >= 0 && button_is(button, level);
	button->edge_ns = clock_monotonic_ns();
	return 0;
}

void button_close(struct button *button)
{
	gpio_release(button->line);
	button->line = NULL;
}

int button_pressed(struct button *button, int64_t now_ns)
{
	int64_t bounce_ns =
		button->debounced ? 0 : (int64_t)(button->wiring.bounce_s * NS_PER_S);
	bool was_pressed = false, rising;
	int level, ret = 1;

	for (int i = 0; i < EDGES_AT_ONCE && ret == 1; i++) {
		ret = gpio_edge(button->line, &rising, &button->edge_ns);
		if (ret == 1)
			was_pressed = was_pressed || button_is(button, rising);
	}
	if (ret < 0)
		return ret;
	level = gpio_get(button->line);
	if (level < 0)
		return level;
	if (was_pressed || button_is(button, level))
		button->pressed = true;
	else if (now_ns - button->edge_ns >= bounce_ns)
		button->pressed = false;
	return button->pressed;
}
