#include "hal/linux/light_output.h"

#include <errno.h>
#include <stdio.h>

int lamp_open(struct lamp *lamp, struct gpio_chip *chip, const char *name,
	      const struct wiring_light *wiring, struct err *err)
{
	char consumer[GPIO_NAME];
	int ret = 0;

	lamp->wiring = *wiring;
	snprintf(consumer, sizeof(consumer), "openscan %.22s", name);
	if (wiring->has_pwm)
		return pwm_open(&lamp->pwm, PWM_ROOT, &wiring->pwm, err);
	for (size_t i = 0; ret == 0 && i < wiring->pin_count; i++) {
		ret = gpio_output(&lamp->lines[i], chip, wiring->pins[i], consumer, false,
				  err);
		lamp->count += ret == 0;
	}
	if (ret < 0)
		lamp_close(lamp);
	return ret;
}

void lamp_close(struct lamp *lamp)
{
	for (size_t i = 0; i < lamp->count; i++)
		gpio_release(lamp->lines[i]);
	lamp->count = 0;
	pwm_close(lamp->pwm);
	lamp->pwm = NULL;
}

int lamp_set(struct lamp *lamp, int brightness)
{
	int first = 0;

	if (lamp->pwm)
		return pwm_set(lamp->pwm, brightness);
	if (brightness > 0 && brightness < 100)
		return -ENOTSUP;
	/* A line that fails does not keep the others from going off. */
	for (size_t i = 0; i < lamp->count; i++) {
		int ret = gpio_set(lamp->lines[i], brightness > 0);

		first = first == 0 ? ret : first;
	}
	return first;
}
