/* Drives step, direction and shared enable lines. */
#include "hal/linux/stepper_driver.h"

#include <errno.h>
#include <stdio.h>

#include "agent/base/clock.h"
#include "hal/linux/precise_sleep.h"

#define NS_PER_US 1000

static int stepper_driver_output(struct gpio_line **line, struct gpio_chip *chip,
				 unsigned pin, const char *name, const char *what,
				 bool safe, struct err *err)
{
	char consumer[GPIO_NAME];

	snprintf(consumer, sizeof(consumer), "openscan %.12s %s", name, what);
	return gpio_output(line, chip, pin, consumer, safe, err);
}

/* Finds the record of the enable line, and requests the line if no motor has it yet. */
static int stepper_driver_share_enable(struct stepper_driver *driver,
				       struct gpio_chip *chip, const char *name,
				       struct enable_line *enables, size_t count,
				       struct err *err)
{
	struct enable_line *enable = NULL;
	int ret;

	for (size_t i = 0; i < count && !enable; i++)
		if (!enables[i].line || enables[i].pin == driver->pins.enable)
			enable = &enables[i];
	if (!enable)
		return err_set(err, -ENOSPC, "there are too many enable lines");
	if (!enable->line) {
		ret = stepper_driver_output(&enable->line, chip, driver->pins.enable,
					    name, "enable", true, err);
		if (ret < 0)
			return ret;
		enable->pin = driver->pins.enable;
	}
	driver->enable = enable;
	return 0;
}

int stepper_driver_open(struct stepper_driver *driver, struct gpio_chip *chip,
			const char *name, const struct motor_pins *pins,
			struct enable_line *enables, size_t count, unsigned user,
			struct err *err)
{
	int ret;

	driver->pins = *pins;
	driver->user = 1u << user;
	driver->pulse_ns = (int64_t)(pins->pulse_us * NS_PER_US);
	driver->setup_ns = (int64_t)(pins->setup_us * NS_PER_US);
	/* Disabled first, so that no edge on the other lines moves anything. */
	ret = stepper_driver_share_enable(driver, chip, name, enables, count, err);
	if (ret == 0)
		ret = stepper_driver_output(&driver->step, chip, pins->step, name, "step",
					    false, err);
	if (ret == 0)
		ret = stepper_driver_output(&driver->direction, chip, pins->direction,
					    name, "dir", false, err);
	if (ret < 0)
		stepper_driver_close(driver);
	return ret;
}

void stepper_driver_close(struct stepper_driver *driver)
{
	if (driver->enable)
		stepper_driver_enable(driver, false);
	gpio_release(driver->step);
	gpio_release(driver->direction);
	driver->step = driver->direction = NULL;
	driver->enable = NULL;
}

int stepper_driver_enable(struct stepper_driver *driver, bool on)
{
	struct enable_line *enable = driver->enable;

	if (on)
		enable->users |= driver->user;
	else
		enable->users &= ~driver->user;
	return gpio_set(enable->line, enable->users == 0);
}

int stepper_driver_set_direction(struct stepper_driver *driver, bool forward)
{
	int ret = gpio_set(driver->direction, forward);

	precise_sleep_spin(driver->setup_ns);
	return ret;
}

/* The driver steps at the rising edge, which may come at any time until gpio_set()
 * returns. */
int stepper_driver_step(struct stepper_driver *driver, int64_t *sent_ns)
{
	int ret = gpio_set(driver->step, true);

	if (ret < 0)
		return ret;
	*sent_ns = clock_monotonic_ns();
	precise_sleep_spin(driver->pulse_ns);
	return gpio_set(driver->step, false);
}
