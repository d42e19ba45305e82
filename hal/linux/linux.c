/* The backend for real hardware: kernel GPIO lines and PWM, libcamera's cameras. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/backend.h"
#include "hal/free_lines.h"
#include "hal/linux/debounced_input.h"
#include "hal/linux/cameras.h"
#include "hal/linux/precise_sleep.h"
#include "hal/linux/stepper_driver.h"
#include "hal/linux/light_output.h"

#define MOTORS 16
#define LIGHTS 32
#define ENDSTOPS 16
#define TRIGGERS 16

struct linux_trigger {
	struct gpio_line *line;
	struct trigger_pins pins;
};

struct linux_rig {
	const cJSON *config; /* while the rig is being opened */
	bool dry;
	struct gpio_chip *chip;
	char chip_name[64]; /* as in the config, "" if it names none */
	struct precise_sleep sleep;
	struct pin_map pin_map;
	struct stepper_driver motors[MOTORS];
	struct enable_line enables[MOTORS];
	struct light_output lights[LIGHTS];
	struct debounced_input endstops[ENDSTOPS];
	struct linux_trigger triggers[TRIGGERS];
	struct cameras *cameras;
	struct free_lines free_lines;
	struct gpio_line *lines[FREE_LINES_COUNT]; /* requested by gpio/set */
};

/* The header's GPIO chip of a Raspberry Pi: 5, 4, older ones. */
static const char *const known_chips[] = {"pinctrl-rp1", "pinctrl-bcm2711",
					  "pinctrl-bcm2835"};

/* ---- opening and closing ---- */

static int linux_open_chip(struct linux_rig *rig, struct err *err)
{
	int ret = -ENODEV;

	if (rig->chip_name[0])
		return gpio_open(&rig->chip, rig->chip_name, err);
	for (size_t i = 0; ret < 0 && i < sizeof(known_chips) / sizeof(known_chips[0]);
	     i++)
		ret = gpio_open(&rig->chip, known_chips[i], err);
	if (ret < 0)
		err_code(err, ret, "hal_unavailable",
			 "this is no Raspberry Pi whose GPIO chip may be opened: set "
			 "gpio_chip in "
			 "the device config, or use the simulated one");
	return ret;
}

static void linux_close(void *backend)
{
	struct linux_rig *rig = backend;

	if (!rig)
		return;
	cameras_close(rig->cameras);
	for (size_t i = 0; i < MOTORS; i++)
		stepper_driver_close(&rig->motors[i]);
	for (size_t i = 0; i < MOTORS; i++)
		gpio_release(rig->enables[i].line);
	for (size_t i = 0; i < LIGHTS; i++)
		light_output_close(&rig->lights[i]);
	for (size_t i = 0; i < ENDSTOPS; i++)
		debounced_input_close(&rig->endstops[i]);
	for (size_t i = 0; i < TRIGGERS; i++)
		gpio_release(rig->triggers[i].line);
	for (size_t i = 0; i < FREE_LINES_COUNT; i++)
		gpio_release(rig->lines[i]);
	gpio_close(rig->chip);
	free(rig);
}

/* If the GPIO chip is missing, only the devices that need it fail: each says so. */
static int linux_open(void **out, const cJSON *config, const struct rig_options *options,
		      cJSON *problems, struct err *err)
{
	struct linux_rig *rig = calloc(1, sizeof(*rig));
	const char *chip = json_string(config, "gpio_chip");
	struct err refusal;
	int ret;

	if (!rig)
		return err_set(err, -ENOMEM, "out of memory");
	rig->config = config;
	rig->dry = options->dry;
	precise_sleep_init(&rig->sleep);
	snprintf(rig->chip_name, sizeof(rig->chip_name), "%s", chip ? chip : "");
	ret = cameras_open(&rig->cameras, config, err);
	if (ret < 0) {
		linux_close(rig);
		return ret;
	}
	if (!rig->dry && linux_open_chip(rig, &refusal) < 0)
		cJSON_AddItemToArray(problems, cJSON_CreateString(refusal.text));
	*out = rig;
	return 0;
}

/* ---- one device ---- */

static int linux_no_chip(struct err *err)
{
	return err_code(err, -ENODEV, "hal_unavailable", "there is no GPIO chip for it");
}

static const cJSON *linux_item(const struct linux_rig *rig, const char *section,
			       size_t index)
{
	return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(rig->config, section),
				  (int)index);
}

static int linux_attach_motor(struct linux_rig *rig, size_t i, struct err *err)
{
	const cJSON *item = linux_item(rig, "motors", i);
	struct motor_pins *pins = &rig->motors[i].pins;
	struct motor_pins read;
	int ret = pin_map_motor(&rig->pin_map, item, &read, err);

	if (ret < 0)
		return ret;
	*pins = read;
	if (!rig->chip)
		return 0;
	return stepper_driver_open(&rig->motors[i], rig->chip, item->string, &read,
				   rig->enables, MOTORS, (unsigned)i, err);
}

static int linux_attach_light(struct linux_rig *rig, size_t i, struct err *err)
{
	const cJSON *item = linux_item(rig, "lights", i);
	struct light_pins read;
	int ret = pin_map_light(&rig->pin_map, item, &read, err);

	if (ret < 0)
		return ret;
	rig->lights[i].pins = read;
	if (!rig->chip)
		return 0;
	return light_output_open(&rig->lights[i], rig->chip, item->string, &read, err);
}

static int linux_attach_endstop(struct linux_rig *rig, size_t i, struct err *err)
{
	const cJSON *item = linux_item(rig, "endstops", i);
	struct endstop_pins read;
	int ret = pin_map_endstop(&rig->pin_map, item, &read, err);

	if (ret < 0)
		return ret;
	rig->endstops[i].pins = read;
	if (!rig->chip)
		return 0;
	return debounced_input_open(&rig->endstops[i], rig->chip, item->string, &read,
				    err);
}

static int linux_attach_trigger(struct linux_rig *rig, size_t i, struct err *err)
{
	const cJSON *item = linux_item(rig, "triggers", i);
	struct linux_trigger *trigger = &rig->triggers[i];
	char consumer[GPIO_NAME];
	int ret = pin_map_trigger(&rig->pin_map, item, &trigger->pins, err);

	if (ret < 0 || !rig->chip)
		return ret;
	snprintf(consumer, sizeof(consumer), "openscan %.22s", item->string);
	return gpio_output(&trigger->line, rig->chip, trigger->pins.pin, consumer,
			   !trigger->pins.active_high, err);
}

/* How many devices of a kind there can be. */
static size_t linux_most(enum device_kind kind)
{
	static const size_t most[DEVICE_KINDS] = {
		[DEVICE_MOTOR] = MOTORS,     [DEVICE_LIGHT] = LIGHTS,
		[DEVICE_CAMERA] = SIZE_MAX,  [DEVICE_ENDSTOP] = ENDSTOPS,
		[DEVICE_TRIGGER] = TRIGGERS,
	};

	return most[kind];
}

static int linux_attach_wired(struct linux_rig *rig, enum device_kind kind, size_t i,
			      struct err *err)
{
	switch (kind) {
	case DEVICE_MOTOR:
		return linux_attach_motor(rig, i, err);
	case DEVICE_LIGHT:
		return linux_attach_light(rig, i, err);
	case DEVICE_ENDSTOP:
		return linux_attach_endstop(rig, i, err);
	case DEVICE_TRIGGER:
		return linux_attach_trigger(rig, i, err);
	case DEVICE_CAMERA:
		return rig->dry ? 0 : cameras_attach(rig->cameras, i, err);
	}
	return -EINVAL;
}

static int linux_attach(void *backend, enum device_kind kind, size_t i, struct err *err)
{
	struct linux_rig *rig = backend;
	bool wired = kind != DEVICE_CAMERA;
	int ret;

	if (i >= linux_most(kind))
		return err_code(err, -ENOSPC, "invalid_args",
				"there are at most %zu of a kind", linux_most(kind));
	ret = linux_attach_wired(rig, kind, i, err);
	if (ret == 0 && wired && !rig->dry && !rig->chip)
		ret = linux_no_chip(err);
	return ret;
}

static void linux_attached(void *backend, cJSON *problems)
{
	struct linux_rig *rig = backend;

	free_lines_read(&rig->free_lines, rig->config, pin_map_owner, &rig->pin_map,
			problems);
	rig->config = NULL;
}

static void linux_describe_light(const struct light_pins *light, char *text, size_t size)
{
	size_t used = 0;

	if (light->has_pwm) {
		snprintf(text, size, "channel %d of pwmchip%d at %d Hz",
			 light->pwm.channel, light->pwm.chip, light->pwm.frequency_hz);
		return;
	}
	if (light->pin_count == 0)
		snprintf(text, size, "no line");
	for (size_t i = 0; i < light->pin_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%u",
					 i ? ", " : "GPIO ", light->pin[i]);
	if (light->pin_count && used < size)
		snprintf(text + used, size - used, ", on or off");
}

static void linux_describe(const void *backend, enum device_kind kind, size_t i,
			   char *text, size_t size)
{
	const struct linux_rig *rig = backend;
	const struct motor_pins *motor;
	const struct endstop_pins *endstop;

	text[0] = '\0';
	if (kind == DEVICE_MOTOR) {
		motor = &rig->motors[i].pins;
		snprintf(text, size,
			 "step GPIO %u, direction %u, enable %u, pulses of %g us, set-up "
			 "%g us",
			 motor->step, motor->direction, motor->enable, motor->pulse_us,
			 motor->setup_us);
	} else if (kind == DEVICE_LIGHT) {
		linux_describe_light(&rig->lights[i].pins, text, size);
	} else if (kind == DEVICE_ENDSTOP) {
		endstop = &rig->endstops[i].pins;
		snprintf(text, size,
			 "GPIO %u, pressed when %s, pull-%s, bounces for %g s",
			 endstop->pin, endstop->active_high ? "high" : "low",
			 endstop->pull_up ? "up" : "down", endstop->bounce_s);
	} else if (kind == DEVICE_TRIGGER) {
		snprintf(text, size, "GPIO %u, fires when %s", rig->triggers[i].pins.pin,
			 rig->triggers[i].pins.active_high ? "high" : "low");
	}
}

/* ---- time, motors, lines ---- */

static int64_t linux_now(void *backend)
{
	(void)backend;
	return clock_monotonic_ns();
}

static int64_t linux_wait_until(void *backend, int64_t due_ns, struct cancel *cancel)
{
	struct linux_rig *rig = backend;

	return precise_sleep_until(&rig->sleep, due_ns, cancel);
}

static int linux_enable(void *backend, size_t motor, bool on)
{
	struct linux_rig *rig = backend;

	return stepper_driver_enable(&rig->motors[motor], on);
}

static int linux_direction(void *backend, size_t motor, bool forward)
{
	struct linux_rig *rig = backend;

	return stepper_driver_set_direction(&rig->motors[motor], forward);
}

static int linux_step(void *backend, size_t motor, int64_t *sent_ns)
{
	struct linux_rig *rig = backend;

	return stepper_driver_step(&rig->motors[motor], sent_ns);
}

static int linux_light(void *backend, size_t light, int brightness)
{
	struct linux_rig *rig = backend;

	return light_output_set(&rig->lights[light], brightness);
}

static int linux_trigger(void *backend, size_t i, bool active)
{
	struct linux_rig *rig = backend;
	const struct linux_trigger *trigger = &rig->triggers[i];

	return gpio_set(trigger->line, active == trigger->pins.active_high);
}

static int linux_endstop(void *backend, size_t endstop)
{
	struct linux_rig *rig = backend;

	return debounced_input_pressed(&rig->endstops[endstop], clock_monotonic_ns());
}

/* Ignores errors: a line that cannot be set now cannot be set later either. */
static void linux_safe(void *backend)
{
	struct linux_rig *rig = backend;

	for (size_t i = 0; i < LIGHTS; i++)
		if (rig->lights[i].count || rig->lights[i].pwm)
			light_output_set(&rig->lights[i], 0);
	for (size_t i = 0; i < TRIGGERS; i++)
		if (rig->triggers[i].line)
			linux_trigger(rig, i, false);
}

/* ---- lines that the config frees ---- */

static int linux_line_check(const struct linux_rig *rig, int line, struct err *err)
{
	int ret = free_lines_check(&rig->free_lines, line, err);

	if (ret == 0 && !rig->chip)
		ret = linux_no_chip(err);
	return ret;
}

static int linux_line_get(void *backend, int line, struct err *err)
{
	struct linux_rig *rig = backend;
	struct gpio_line *input = NULL;
	bool debounced;
	int ret = linux_line_check(rig, line, err);

	if (ret == 0 && !rig->lines[line])
		ret = gpio_input(&input, rig->chip, (unsigned)line, "openscan gpio",
				 GPIO_PULL_AS_IS, 0, &debounced, err);
	if (ret < 0)
		return ret;
	ret = gpio_get(input ? input : rig->lines[line]);
	gpio_release(input);
	if (ret < 0)
		err_code(err, ret, "hardware_fault", "line %d cannot be read: %s", line,
			 strerror(-ret));
	return ret;
}

static int linux_line_set(void *backend, int line, bool level, struct err *err)
{
	struct linux_rig *rig = backend;
	int ret = linux_line_check(rig, line, err);

	if (ret == 0 && !rig->lines[line])
		ret = gpio_output(&rig->lines[line], rig->chip, (unsigned)line,
				  "openscan gpio", false, err);
	if (ret < 0)
		return ret;
	ret = gpio_set(rig->lines[line], level);
	if (ret < 0)
		err_code(err, ret, "hardware_fault", "line %d cannot be set: %s", line,
			 strerror(-ret));
	return ret;
}

/* ---- cameras ---- */

static void linux_find_cameras(void *backend, cJSON *cameras)
{
	struct linux_rig *rig = backend;

	cameras_find(rig->cameras, cameras);
}

static void linux_camera_size(const void *backend, size_t camera, int *width, int *height)
{
	const struct linux_rig *rig = backend;

	cameras_size(rig->cameras, camera, width, height);
}

static int linux_answers(void *backend, size_t camera, struct err *err)
{
	struct linux_rig *rig = backend;

	return cameras_answers(rig->cameras, camera, err);
}

static int linux_expose(void *backend, size_t camera, const struct backend_shot *shot,
			void **latent, struct err *err)
{
	struct linux_rig *rig = backend;

	return cameras_expose(rig->cameras, camera, shot, latent, err);
}

static int linux_read_out(void *backend, size_t camera, void *latent, struct frame **out,
			  struct err *err)
{
	struct linux_rig *rig = backend;

	return cameras_read_out(rig->cameras, camera, latent, out, err);
}

static void linux_discard(void *backend, size_t camera, void *latent)
{
	struct linux_rig *rig = backend;

	cameras_discard(rig->cameras, camera, latent);
}

static int linux_calibrate(void *backend, size_t camera, const struct backend_shot *shot,
			   cJSON *found, struct err *err)
{
	struct linux_rig *rig = backend;

	return cameras_calibrate(rig->cameras, camera, shot, found, err);
}

/* ---- the tables ---- */

static const struct motor_ops linux_motors = {
	.enable = linux_enable,
	.direction = linux_direction,
	.step = linux_step,
	.endstop = linux_endstop,
};

static const struct light_ops linux_lights = {
	.set = linux_light,
};

static const struct camera_ops linux_cameras = {
	.find = linux_find_cameras,
	.size = linux_camera_size,
	.answers = linux_answers,
	.expose = linux_expose,
	.read_out = linux_read_out,
	.discard = linux_discard,
	.calibrate = linux_calibrate,
};

static const struct gpio_ops linux_gpio = {
	.get = linux_line_get,
	.set = linux_line_set,
	.trigger = linux_trigger,
};

const struct backend backend_linux = {
	.name = "linux",
	.real_time = true,
	.motors = &linux_motors,
	.lights = &linux_lights,
	.cameras = &linux_cameras,
	.gpio = &linux_gpio,
	.open = linux_open,
	.close = linux_close,
	.attach = linux_attach,
	.attached = linux_attached,
	.describe = linux_describe,
	.now = linux_now,
	.wait_until = linux_wait_until,
	.safe = linux_safe,
};
