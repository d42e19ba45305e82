/* Which GPIO lines the devices of a config hang on: read, checked, and none twice.
 *
 * Pure: touches no hardware, so a config can be judged on any machine. */
#ifndef HAL_LINUX_PIN_MAP_H
#define HAL_LINUX_PIN_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/linux/pwm.h"
#include "hal/device.h"

#define WIRING_LINES 64	    /* numbers of lines are below */
#define WIRING_LIGHT_PINS 8 /* of one light */
#define WIRING_OWNER 96	    /* "motors.rotor enable_pin" and its NUL */

/* Who has each line. */
struct wiring {
	char owners[WIRING_LINES][WIRING_OWNER];
	bool shared[WIRING_LINES]; /* an enable line: other motors may have it too */
};

/* "motors.rotor step_pin", or NULL when nobody has the line.  context is a wiring. */
const char *wiring_owner(const void *context, unsigned line);

struct wiring_motor {
	unsigned step, direction, enable;
	double pulse_us, setup_us;
};

struct wiring_endstop {
	unsigned pin;
	bool pull_up, active_high;
	double bounce_s;
};

struct wiring_light {
	unsigned pins[WIRING_LIGHT_PINS];
	size_t pin_count;
	bool has_pwm;
	struct pwm_config pwm;
};

struct wiring_trigger {
	unsigned pin;
	bool active_high;
};

/* Reads the lines of a device, item being its member of the config, and takes them in
 * wiring.  All or none; "invalid_args" names device and field. */
int wiring_motor(struct wiring *wiring, const cJSON *item, struct wiring_motor *motor,
		 struct err *err);
int wiring_endstop(struct wiring *wiring, const cJSON *item,
		   struct wiring_endstop *endstop, struct err *err);
int wiring_light(struct wiring *wiring, const cJSON *item, struct wiring_light *light,
		 struct err *err);
int wiring_trigger(struct wiring *wiring, const cJSON *item,
		   struct wiring_trigger *trigger, struct err *err);

#endif
