/* Sets the lines or the PWM channel of one light. */
#include "hal/linux/light_output.h"

#include <errno.h>
#include <stdio.h>

int light_output_open(struct light_output *light, struct gpio_chip *chip,
		      const char *name, const struct light_pins *pins, struct err *err)
{
	char consumer[GPIO_NAME];
	int ret = 0;

	light->pins = *pins;
	snprintf(consumer, sizeof(consumer), "openscan %.22s", name);
	if (pins->has_pwm)
		return pwm_open(&light->pwm, PWM_ROOT, &pins->pwm, err);
	for (size_t i = 0; ret == 0 && i < pins->pin_count; i++) {
		ret = gpio_output(&light->lines[i], chip, pins->pin[i], consumer, false,
				  err);
		light->count += ret == 0;
	}
	if (ret < 0)
		light_output_close(light);
	return ret;
}

void light_output_close(struct light_output *light)
{
	for (size_t i = 0; i < light->count; i++)
		gpio_release(light->lines[i]);
	light->count = 0;
	pwm_close(light->pwm);
	light->pwm = NULL;
}

int light_output_set(struct light_output *light, int brightness)
{
	int first = 0;

	if (light->pwm)
		return pwm_set(light->pwm, brightness);
	if (brightness > 0 && brightness < 100)
		return -ENOTSUP;
	/* A line that fails does not keep the others from going off. */
	for (size_t i = 0; i < light->count; i++) {
		int ret = gpio_set(light->lines[i], brightness > 0);

		first = first == 0 ? ret : first;
	}
	return first;
}
