/* The GPIO lines of each device: read from the config, checked, and none used twice.
 *
 * Pure: touches no hardware, so that a config can be checked on any machine. */
#ifndef HAL_LINUX_PIN_MAP_H
#define HAL_LINUX_PIN_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/linux/pwm.h"
#include "hal/device.h"

#define PIN_MAP_LINES 64 /* line numbers are below it */
#define LIGHT_PINS_MAX 8 /* of one light */
#define PIN_MAP_OWNER 96 /* "motors.rotor enable_pin" with its NUL */

/* The user of each line. */
struct pin_map {
	char owners[PIN_MAP_LINES][PIN_MAP_OWNER];
	bool shared[PIN_MAP_LINES]; /* an enable line, which other motors may use too */
};

/* "motors.rotor step_pin", or NULL if nothing uses the line.  context is a struct
 * pin_map. */
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

/* Reads the pins of a device (item: its member of the config) and records it as their
 * user.  All or none; "invalid_args" names device and key. */
int pin_map_motor(struct pin_map *map, const cJSON *item, struct motor_pins *motor,
		  struct err *err);
int pin_map_endstop(struct pin_map *map, const cJSON *item, struct endstop_pins *endstop,
		    struct err *err);
int pin_map_light(struct pin_map *map, const cJSON *item, struct light_pins *light,
		  struct err *err);
int pin_map_trigger(struct pin_map *map, const cJSON *item, struct trigger_pins *trigger,
		    struct err *err);

#endif
