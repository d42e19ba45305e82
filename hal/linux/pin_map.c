/* Reads the pins of each device from the config and records who uses them. */
#include "hal/linux/pin_map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/json.h"
#include "hal/device_config.h"

/* clang-format off */
#define PIN(name) "\"" name "\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":63}"

/* An A4988 needs pulses of 1 us and 0.2 us of direction set-up, a TMC2209 0.1 and 0.02;
 * the defaults leave room for the slow edges of a shield. */
static const char motor_schema[] =
	"{\"type\":\"object\",\"required\":[\"step_pin\",\"direction_pin\",\"enable_pin\"],"
	"\"properties\":{" PIN("step_pin") "," PIN("direction_pin") "," PIN("enable_pin") ","
	"\"driver\":{\"enum\":[\"a4988\",\"tmc2209\"],\"default\":\"a4988\"},"
	"\"pulse_width_us\":{\"type\":\"number\",\"minimum\":0.1,\"maximum\":100},"
	"\"direction_setup_us\":{\"type\":\"number\",\"minimum\":0,\"maximum\":10000}}}";

static const char endstop_schema[] =
	"{\"type\":\"object\",\"required\":[\"pin\"],\"properties\":{" PIN("pin") ","
	"\"pull_up\":{\"type\":\"boolean\",\"default\":true},"
	"\"active_high\":{\"type\":\"boolean\",\"default\":false},"
	"\"bounce_time\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":0.005}}}";

static const char light_schema[] =
	"{\"type\":\"object\",\"properties\":{" PIN("pin") ","
	"\"pins\":{\"type\":\"array\",\"maxItems\":8,"
		"\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":63}},"
	"\"pwm\":{\"type\":\"object\",\"required\":[\"chip\",\"channel\"],\"properties\":{"
		"\"chip\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":63},"
		"\"channel\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":63},"
		"\"frequency_hz\":{\"type\":\"integer\",\"minimum\":50,\"maximum\":100000,"
			"\"default\":1000}}}}}";

static const char trigger_schema[] =
	"{\"type\":\"object\",\"required\":[\"pin\"],\"properties\":{" PIN("pin") ","
	"\"active_level\":{\"enum\":[\"active_high\",\"active_low\"],"
		"\"default\":\"active_high\"}}}";
/* clang-format on */

static const struct {
	const char *name;
	double pulse_us, setup_us;
} drivers[] = {{"a4988", 2, 1}, {"tmc2209", 1, 1}};

/* A checked copy of a device with its defaults; NULL on error. */
static cJSON *pin_map_read(const char *schema, const cJSON *item, const char *section,
			   const char *name, struct err *err)
{
	cJSON *copy = device_config_copy(item);
	char at[PIN_MAP_OWNER];

	snprintf(at, sizeof(at), "%s.%.64s", section, name);
	if (device_config_check(schema, copy, at, err) == 0)
		return copy;
	cJSON_Delete(copy);
	return NULL;
}

static unsigned pin_map_pin(const cJSON *item, const char *key)
{
	return (unsigned)json_number(item, key, 0);
}

/* Whether the line can be used. */
static int pin_map_check(const struct pin_map *map, unsigned pin, const char *at,
			 const char *key, bool shared, struct err *err)
{
	if (!map->owners[pin][0] || (shared && map->shared[pin]))
		return 0;
	return err_code(err, -EINVAL, "invalid_args", "%s: %s %u is taken by %s already",
			at, key, pin, map->owners[pin]);
}

static void pin_map_take(struct pin_map *map, unsigned pin, const char *at,
			 const char *key, bool shared)
{
	if (!map->owners[pin][0])
		snprintf(map->owners[pin], PIN_MAP_OWNER, "%s %s", at, key);
	map->shared[pin] = shared;
}

static int pin_map_check_motor(const struct motor_pins *motor, const char *at,
			       struct err *err)
{
	if (motor->step != motor->direction && motor->step != motor->enable &&
	    motor->direction != motor->enable)
		return 0;
	return err_code(err, -EINVAL, "invalid_args",
			"%s: step_pin %u, direction_pin %u and enable_pin %u must differ",
			at, motor->step, motor->direction, motor->enable);
}

static void pin_map_times(struct motor_pins *motor, const cJSON *config)
{
	const char *name = json_string(config, "driver");

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (strcmp(drivers[i].name, name) != 0)
			continue;
		motor->pulse_us =
			json_number(config, "pulse_width_us", drivers[i].pulse_us);
		motor->setup_us =
			json_number(config, "direction_setup_us", drivers[i].setup_us);
	}
}

int pin_map_motor(struct pin_map *map, const cJSON *item, struct motor_pins *motor,
		  struct err *err)
{
	cJSON *copy = pin_map_read(motor_schema, item, "motors", item->string, err);
	char at[PIN_MAP_OWNER - 16];
	int ret;

	if (!copy)
		return -EINVAL;
	snprintf(at, sizeof(at), "motors.%.64s", item->string);
	motor->step = pin_map_pin(copy, "step_pin");
	motor->direction = pin_map_pin(copy, "direction_pin");
	motor->enable = pin_map_pin(copy, "enable_pin");
	pin_map_times(motor, copy);
	cJSON_Delete(copy);

	ret = pin_map_check_motor(motor, at, err);
	if (ret == 0)
		ret = pin_map_check(map, motor->step, at, "step_pin", false, err);
	if (ret == 0)
		ret = pin_map_check(map, motor->direction, at, "direction_pin", false,
				    err);
	if (ret == 0)
		ret = pin_map_check(map, motor->enable, at, "enable_pin", true, err);
	if (ret < 0)
		return ret;
	pin_map_take(map, motor->step, at, "step_pin", false);
	pin_map_take(map, motor->direction, at, "direction_pin", false);
	pin_map_take(map, motor->enable, at, "enable_pin", true);
	return 0;
}

/* Records the only line of a device. */
static int pin_map_take_one(struct pin_map *map, unsigned pin, const char *section,
			    const char *name, struct err *err)
{
	char at[PIN_MAP_OWNER - 16];
	int ret;

	snprintf(at, sizeof(at), "%s.%.64s", section, name);
	ret = pin_map_check(map, pin, at, "pin", false, err);
	if (ret == 0)
		pin_map_take(map, pin, at, "pin", false);
	return ret;
}

int pin_map_endstop(struct pin_map *map, const cJSON *item, struct endstop_pins *endstop,
		    struct err *err)
{
	const cJSON *settings = cJSON_GetObjectItemCaseSensitive(item, "settings");
	cJSON *copy =
		pin_map_read(endstop_schema, settings, "endstops", item->string, err);

	if (!copy)
		return -EINVAL;
	endstop->pin = pin_map_pin(copy, "pin");
	endstop->pull_up = json_bool(copy, "pull_up", true);
	endstop->active_high = json_bool(copy, "active_high", false);
	endstop->bounce_s = json_number(copy, "bounce_time", 0);
	cJSON_Delete(copy);
	return pin_map_take_one(map, endstop->pin, "endstops", item->string, err);
}

/* Adds a line unless it is already there. */
static void pin_map_add_pin(struct light_pins *light, unsigned pin)
{
	for (size_t i = 0; i < light->pin_count; i++)
		if (light->pin[i] == pin)
			return;
	if (light->pin_count < LIGHT_PINS_MAX)
		light->pin[light->pin_count++] = pin;
}

static void pin_map_read_light(struct light_pins *light, const cJSON *config)
{
	const cJSON *pwm = cJSON_GetObjectItemCaseSensitive(config, "pwm");
	const cJSON *pin;

	*light = (struct light_pins){.has_pwm = pwm != NULL};
	if (pwm) {
		light->pwm.chip = (int)json_number(pwm, "chip", 0);
		light->pwm.channel = (int)json_number(pwm, "channel", 0);
		light->pwm.frequency_hz = (int)json_number(pwm, "frequency_hz", 0);
	}
	if (cJSON_HasObjectItem(config, "pin"))
		pin_map_add_pin(light, pin_map_pin(config, "pin"));
	cJSON_ArrayForEach(pin, cJSON_GetObjectItemCaseSensitive(config, "pins"))
		pin_map_add_pin(light, (unsigned)pin->valueint);
}

int pin_map_light(struct pin_map *map, const cJSON *item, struct light_pins *light,
		  struct err *err)
{
	cJSON *copy = pin_map_read(light_schema, item, "lights", item->string, err);
	char at[PIN_MAP_OWNER - 16];
	int ret = 0;

	if (!copy)
		return -EINVAL;
	snprintf(at, sizeof(at), "lights.%.64s", item->string);
	pin_map_read_light(light, copy);
	cJSON_Delete(copy);
	if (light->has_pwm && light->pin_count)
		return err_code(
			err, -EINVAL, "invalid_args",
			"%s: a light has pins or pwm, not both: the PWM's line is the "
			"kernel's",
			at);
	for (size_t i = 0; ret == 0 && i < light->pin_count; i++)
		ret = pin_map_check(map, light->pin[i], at, "pin", false, err);
	for (size_t i = 0; ret == 0 && i < light->pin_count; i++)
		pin_map_take(map, light->pin[i], at, "pin", false);
	return ret;
}

int pin_map_trigger(struct pin_map *map, const cJSON *item, struct trigger_pins *trigger,
		    struct err *err)
{
	cJSON *copy = pin_map_read(trigger_schema, item, "triggers", item->string, err);

	if (!copy)
		return -EINVAL;
	trigger->pin = pin_map_pin(copy, "pin");
	trigger->active_high =
		strcmp(json_string(copy, "active_level"), "active_high") == 0;
	cJSON_Delete(copy);
	return pin_map_take_one(map, trigger->pin, "triggers", item->string, err);
}

const char *pin_map_owner(const void *context, unsigned line)
{
	const struct pin_map *map = context;

	return map->owners[line][0] ? map->owners[line] : NULL;
}
