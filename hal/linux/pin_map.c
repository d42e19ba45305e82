#include "hal/linux/pin_map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/json.h"
#include "hal/device_config.h"

/* clang-format off */
#define PIN(name) "\"" name "\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":63}"

/* An A4988 wants 1 us of pulse and 0.2 us of direction, a TMC2209 0.1 and 0.02: both with
 * room for the slopes of a shield. */
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

/* A checked copy of a device with its defaults; NULL after an error. */
static cJSON *wiring_read(const char *schema, const cJSON *item, const char *section,
			  const char *name, struct err *err)
{
	cJSON *copy = device_config_copy(item);
	char at[WIRING_OWNER];

	snprintf(at, sizeof(at), "%s.%.64s", section, name);
	if (device_config_check(schema, copy, at, err) == 0)
		return copy;
	cJSON_Delete(copy);
	return NULL;
}

static unsigned wiring_pin(const cJSON *item, const char *key)
{
	return (unsigned)json_number(item, key, 0);
}

/* Is the line there to be taken? */
static int wiring_look(const struct wiring *wiring, unsigned pin, const char *at,
		       const char *key, bool shared, struct err *err)
{
	if (!wiring->owners[pin][0] || (shared && wiring->shared[pin]))
		return 0;
	return err_code(err, -EINVAL, "invalid_args", "%s: %s %u is taken by %s already",
			at, key, pin, wiring->owners[pin]);
}

static void wiring_take(struct wiring *wiring, unsigned pin, const char *at,
			const char *key, bool shared)
{
	if (!wiring->owners[pin][0])
		snprintf(wiring->owners[pin], WIRING_OWNER, "%s %s", at, key);
	wiring->shared[pin] = shared;
}

static int wiring_alike(const struct wiring_motor *motor, const char *at, struct err *err)
{
	if (motor->step != motor->direction && motor->step != motor->enable &&
	    motor->direction != motor->enable)
		return 0;
	return err_code(err, -EINVAL, "invalid_args",
			"%s: step_pin %u, direction_pin %u and enable_pin %u must differ",
			at, motor->step, motor->direction, motor->enable);
}

static void wiring_times(struct wiring_motor *motor, const cJSON *config)
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

int wiring_motor(struct wiring *wiring, const cJSON *item, struct wiring_motor *motor,
		 struct err *err)
{
	cJSON *copy = wiring_read(motor_schema, item, "motors", item->string, err);
	char at[WIRING_OWNER - 16];
	int ret;

	if (!copy)
		return -EINVAL;
	snprintf(at, sizeof(at), "motors.%.64s", item->string);
	motor->step = wiring_pin(copy, "step_pin");
	motor->direction = wiring_pin(copy, "direction_pin");
	motor->enable = wiring_pin(copy, "enable_pin");
	wiring_times(motor, copy);
	cJSON_Delete(copy);

	ret = wiring_alike(motor, at, err);
	if (ret == 0)
		ret = wiring_look(wiring, motor->step, at, "step_pin", false, err);
	if (ret == 0)
		ret = wiring_look(wiring, motor->direction, at, "direction_pin", false,
				  err);
	if (ret == 0)
		ret = wiring_look(wiring, motor->enable, at, "enable_pin", true, err);
	if (ret < 0)
		return ret;
	wiring_take(wiring, motor->step, at, "step_pin", false);
	wiring_take(wiring, motor->direction, at, "direction_pin", false);
	wiring_take(wiring, motor->enable, at, "enable_pin", true);
	return 0;
}

/* Takes the one line of a device. */
static int wiring_one(struct wiring *wiring, unsigned pin, const char *section,
		      const char *name, struct err *err)
{
	char at[WIRING_OWNER - 16];
	int ret;

	snprintf(at, sizeof(at), "%s.%.64s", section, name);
	ret = wiring_look(wiring, pin, at, "pin", false, err);
	if (ret == 0)
		wiring_take(wiring, pin, at, "pin", false);
	return ret;
}

int wiring_endstop(struct wiring *wiring, const cJSON *item,
		   struct wiring_endstop *endstop, struct err *err)
{
	const cJSON *settings = cJSON_GetObjectItemCaseSensitive(item, "settings");
	cJSON *copy =
		wiring_read(endstop_schema, settings, "endstops", item->string, err);

	if (!copy)
		return -EINVAL;
	endstop->pin = wiring_pin(copy, "pin");
	endstop->pull_up = json_bool(copy, "pull_up", true);
	endstop->active_high = json_bool(copy, "active_high", false);
	endstop->bounce_s = json_number(copy, "bounce_time", 0);
	cJSON_Delete(copy);
	return wiring_one(wiring, endstop->pin, "endstops", item->string, err);
}

/* Adds a line that is not there yet. */
static void wiring_add_pin(struct wiring_light *light, unsigned pin)
{
	for (size_t i = 0; i < light->pin_count; i++)
		if (light->pins[i] == pin)
			return;
	if (light->pin_count < WIRING_LIGHT_PINS)
		light->pins[light->pin_count++] = pin;
}

static void wiring_read_light(struct wiring_light *light, const cJSON *config)
{
	const cJSON *pwm = cJSON_GetObjectItemCaseSensitive(config, "pwm");
	const cJSON *pin;

	*light = (struct wiring_light){.has_pwm = pwm != NULL};
	if (pwm) {
		light->pwm.chip = (int)json_number(pwm, "chip", 0);
		light->pwm.channel = (int)json_number(pwm, "channel", 0);
		light->pwm.frequency_hz = (int)json_number(pwm, "frequency_hz", 0);
	}
	if (cJSON_HasObjectItem(config, "pin"))
		wiring_add_pin(light, wiring_pin(config, "pin"));
	cJSON_ArrayForEach(pin, cJSON_GetObjectItemCaseSensitive(config, "pins"))
		wiring_add_pin(light, (unsigned)pin->valueint);
}

int wiring_light(struct wiring *wiring, const cJSON *item, struct wiring_light *light,
		 struct err *err)
{
	cJSON *copy = wiring_read(light_schema, item, "lights", item->string, err);
	char at[WIRING_OWNER - 16];
	int ret = 0;

	if (!copy)
		return -EINVAL;
	snprintf(at, sizeof(at), "lights.%.64s", item->string);
	wiring_read_light(light, copy);
	cJSON_Delete(copy);
	if (light->has_pwm && light->pin_count)
		return err_code(
			err, -EINVAL, "invalid_args",
			"%s: a light has pins or pwm, not both: the PWM's line is the "
			"kernel's",
			at);
	for (size_t i = 0; ret == 0 && i < light->pin_count; i++)
		ret = wiring_look(wiring, light->pins[i], at, "pin", false, err);
	for (size_t i = 0; ret == 0 && i < light->pin_count; i++)
		wiring_take(wiring, light->pins[i], at, "pin", false);
	return ret;
}

int wiring_trigger(struct wiring *wiring, const cJSON *item,
		   struct wiring_trigger *trigger, struct err *err)
{
	cJSON *copy = wiring_read(trigger_schema, item, "triggers", item->string, err);

	if (!copy)
		return -EINVAL;
	trigger->pin = wiring_pin(copy, "pin");
	trigger->active_high =
		strcmp(json_string(copy, "active_level"), "active_high") == 0;
	cJSON_Delete(copy);
	return wiring_one(wiring, trigger->pin, "triggers", item->string, err);
}

const char *wiring_owner(const void *context, unsigned line)
{
	const struct wiring *wiring = context;

	return wiring->owners[line][0] ? wiring->owners[line] : NULL;
}
