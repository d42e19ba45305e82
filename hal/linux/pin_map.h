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

#define PIN_MAP_LINES 64 /* numbers of lines are below */
#define LIGHT_PINS_MAX 8 /* of one light */
#define PIN_MAP_OWNER 96 /* "motors.rotor enable_pin" and its NUL */

/* Who has each line. */
struct pin_map {
	char owners[PIN_MAP_LINES][PIN_MAP_OWNER];
	bool shared[PIN_MAP_LINES]; /* an enable line: other motors may have it too */
};

/* "motors.rotor step_pin", or NULL when nobody has the line.  context is a wiring. */
const char *pin_map_owner(const void *context, unsigned line);

struct motor_pins {
	unsigned step, direction, enable;
	double pulse_us, setup_us;
};

struct endstop_pins {
	unsigned pin;
	bool pull_up, active_high;
	double bounce_s;
};

struct light_pins {
	unsigned pin[LIGHT_PINS_MAX];
	size_t pin_count;
	bool has_pwm;
	struct pwm_config pwm;
};

struct trigger_pins {
	unsigned pin;
	bool active_high;
};

/* Reads the lines of a device, item being its member of the config, and takes them in
 * wiring.  All or none; "invalid_args" names device and field. */
int pin_map_motor(struct pin_map *map, const cJSON *item, struct motor_pins *motor,
		  struct err *err);
int pin_map_endstop(struct pin_map *map, const cJSON *item, struct endstop_pins *endstop,
		    struct err *err);
int pin_map_light(struct pin_map *map, const cJSON *item, struct light_pins *light,
		  struct err *err);
int pin_map_trigger(struct pin_map *map, const cJSON *item, struct trigger_pins *trigger,
		    struct err *err);

#endif
