/* The simulated rig: motors are counts in a file, a light and a trigger are numbers, an
 * endstop follows from the rotor's true angle, and a camera renders what it would see
 * (sim_camera.c).
 *
 * Each exposure appends one line to <state_dir>/sim/shutter.log:
 *
 *     <wall time> <number> <true rotor degrees> <true turntable degrees> <light 0..100>
 *
 * and each trigger pulse one line to trigger.log beside it:
 *
 *     <wall time> <which trigger> <true rotor degrees> <true turntable degrees> */
#include "hal/sim/sim_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/base/log.h"

/* ---- opening and closing ---- */

static const cJSON *sim_section(const cJSON *config, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(config, key);
}

static int sim_index(const cJSON *section, const char *name)
{
	const cJSON *item;
	int i = 0;

	cJSON_ArrayForEach(item, section) {
		if (name && strcmp(item->string, name) == 0)
			return i;
		i++;
	}
	return -1;
}

/* With path NULL there is no ground truth. */
static int sim_open_motors(struct sim *sim, const cJSON *config, const char *path,
			   struct err *err)
{
	const char *names[GROUND_TRUTH_AXES];
	int64_t counts[GROUND_TRUTH_AXES];
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, sim_section(config, "motors")) {
		struct sim_motor *motor = &sim->motors[n];
		double turn = json_number(item, "steps_per_rotation", 0);

		if (n == GROUND_TRUTH_AXES)
			return err_code(err, -EINVAL, "invalid_args",
					"motors must be at most %d", GROUND_TRUTH_AXES);
		/* The rig refuses values outside; here they must only do no harm. */
		motor->steps_per_turn =
			turn >= 1 && turn <= INT32_MAX ? (int32_t)turn : 1;
		motor->sign = json_number(item, "direction", 1) < 0 ? -1 : 1;
		motor->direction = 1;
		names[n] = item->string;
		counts[n] = llround(json_number(item, "home_angle", 90) / 360 *
				    motor->steps_per_turn);
		n++;
	}
	sim->motor_count = n;
	sim->rotor = sim_index(sim_section(config, "motors"), "rotor");
	sim->turntable = sim_index(sim_section(config, "motors"), "turntable");
	return path ? ground_truth_open(&sim->truth, path, names, counts, n, err) : 0;
}

static int sim_open_endstops(struct sim *sim, const cJSON *config, struct err *err)
{
	const cJSON *motors = sim_section(config, "motors");
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, sim_section(config, "endstops")) {
		const cJSON *settings = sim_section(item, "settings");
		int motor = sim_index(motors, json_string(settings, "motor_name"));
		double angle = json_number(settings, "angular_position", 0);
		const cJSON *axis;

		if (n == SIM_ENDSTOPS)
			return err_code(err, -EINVAL, "invalid_args",
					"endstops must be at most %d", SIM_ENDSTOPS);
		if (motor < 0) {
			sim->endstops[n++].motor = -1;
			continue;
		}
		axis = cJSON_GetArrayItem(motors, motor);
		sim->endstops[n++] = (struct sim_endstop){
			.motor = motor,
			.edge = llround(angle / 360 * sim->motors[motor].steps_per_turn),
			.above = 2 * angle >= json_number(axis, "min_angle", 0) +
						      json_number(axis, "max_angle", 360),
		};
	}
	return 0;
}

static int sim_open_log(int *fd, const char *folder, const char *name, struct err *err)
{
	char file[PATH_MAX];

	if ((size_t)snprintf(file, sizeof(file), "%s/%s", folder, name) >= sizeof(file))
		return err_set(err, -ENAMETOOLONG, "%s: the path is too long", folder);
	*fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return *fd < 0 ? err_set(err, -errno, "%s: %s", file, strerror(errno)) : 0;
}

static int sim_open_files(struct sim *sim, const cJSON *config, const char *state_dir,
			  struct err *err)
{
	char path[PATH_MAX - 32];
	char file[PATH_MAX];
	int ret;

	if ((size_t)snprintf(path, sizeof(path), "%s/sim", state_dir) >= sizeof(path))
		return err_set(err, -ENAMETOOLONG, "%s: the path is too long", state_dir);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	snprintf(file, sizeof(file), "%s/truth", path);
	ret = sim_open_motors(sim, config, file, err);
	if (ret < 0)
		return ret;
	ret = sim_open_log(&sim->shutter_log, path, "shutter.log", err);
	if (ret == 0)
		ret = sim_open_log(&sim->trigger_log, path, "trigger.log", err);
	return ret;
}

static int sim_open_rest(struct sim *sim, const cJSON *config, struct err *err)
{
	const cJSON *own = sim_section(config, "sim");
	const char *image = json_string(own, "show_image");
	int lights = cJSON_GetArraySize(sim_section(config, "lights"));
	int ret;

	if (lights > SIM_LIGHTS)
		return err_code(err, -EINVAL, "invalid_args",
				"lights must be at most %d, not %d", SIM_LIGHTS, lights);
	sim->light_count = (size_t)lights;
	sim->room_lit = json_bool(sim_section(own, "scene"), "room_lit", false);
	sim->radius_mm = json_number(config, "scan_radius_mm", 1);
	ret = sim_open_endstops(sim, config, err);
	if (ret == 0)
		ret = fault_injection_open(&sim->faults, sim_section(own, "faults"), err);
	if (ret == 0 && image)
		ret = target_image_open(&sim->target_image, image, err);
	return ret;
}

static void sim_close(void *backend)
{
	struct sim *sim = backend;

	if (!sim)
		return;
	ground_truth_close(sim->truth);
	fault_injection_close(sim->faults);
	target_image_close(sim->target_image);
	if (sim->shutter_log >= 0)
		close(sim->shutter_log);
	if (sim->trigger_log >= 0)
		close(sim->trigger_log);
	free(sim);
}

/* No device uses its lines. */
static const char *sim_line_owner(const void *context, unsigned line)
{
	(void)context;
	(void)line;
	return NULL;
}

static int sim_open(void **out, const cJSON *config, const struct rig_options *options,
		    cJSON *problems, struct err *err)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	int ret;

	if (!sim)
		return err_set(err, -ENOMEM, "out of memory");
	sim->shutter_log = sim->trigger_log = -1;
	if (options->dry)
		ret = sim_open_motors(sim, config, NULL, err);
	else if (options->sim_speed > 0 && isfinite(options->sim_speed))
		ret = sim_open_files(sim, config, options->state_dir, err);
	else
		ret = err_code(err, -EINVAL, "invalid_args",
			       "the simulated rig's speed must be above 0, not %g",
			       options->sim_speed);
	if (ret == 0)
		ret = sim_open_rest(sim, config, err);
	if (ret < 0)
		goto fail;

	free_lines_read(&sim->free_lines, config, sim_line_owner, NULL, problems);
	sim_clock_start(&sim->clock, options->sim_speed);
	*out = sim;
	return 0;
fail:
	sim_close(sim);
	return ret;
}

/* ---- time, motors, lines ---- */

static bool sim_fresh(const void *backend)
{
	const struct sim *sim = backend;

	return ground_truth_is_new(sim->truth);
}

static int64_t sim_now(void *backend)
{
	struct sim *sim = backend;

	return sim_clock_now(&sim->clock);
}

static int64_t sim_wait_until(void *backend, int64_t due_ns, struct cancel *cancel)
{
	struct sim *sim = backend;

	return sim_clock_wait_until(&sim->clock, due_ns, cancel);
}

/* A simulated axis holds its position without current too. */
static int sim_enable(void *backend, size_t motor, bool on)
{
	(void)backend;
	(void)motor;
	(void)on;
	return 0;
}

static int sim_direction(void *backend, size_t motor, bool forward)
{
	struct sim *sim = backend;

	sim->motors[motor].direction = forward ? 1 : -1;
	return 0;
}

/* The clock is exactly at the time of the call: *sent_ns is right already. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type in motor_ops */
static int sim_step(void *backend, size_t motor, int64_t *sent_ns)
{
	struct sim *sim = backend;

	(void)sent_ns;
	ground_truth_step(sim->truth, motor,
			  sim->motors[motor].direction * sim->motors[motor].sign);
	return 0;
}

static int sim_light(void *backend, size_t light, int brightness)
{
	struct sim *sim = backend;

	atomic_store(&sim->lights[light], brightness);
	return 0;
}

static int sim_endstop(void *backend, size_t i)
{
	struct sim *sim = backend;
	const struct sim_endstop *endstop = &sim->endstops[i];
	int64_t count;

	if (endstop->motor < 0)
		return -ENODEV;
	count = ground_truth_count(sim->truth, (size_t)endstop->motor);
	return endstop->above ? count >= endstop->edge : count <= endstop->edge;
}

static int sim_line_get(void *backend, int line, struct err *err)
{
	struct sim *sim = backend;
	int ret = free_lines_check(&sim->free_lines, line, err);

	return ret < 0 ? ret : atomic_load(&sim->lines[line]);
}

static int sim_line_set(void *backend, int line, bool level, struct err *err)
{
	struct sim *sim = backend;
	int ret = free_lines_check(&sim->free_lines, line, err);

	if (ret == 0)
		atomic_store(&sim->lines[line], level);
	return ret;
}

static void sim_safe(void *backend)
{
	struct sim *sim = backend;

	for (size_t i = 0; i < sim->light_count; i++)
		atomic_store(&sim->lights[i], 0);
}

/* ---- the state that photos and logs show ---- */

double sim_angle(const struct sim *sim, int motor)
{
	if (motor < 0)
		return 0;
	return (double)ground_truth_count(sim->truth, (size_t)motor) * 360 /
	       sim->motors[motor].steps_per_turn;
}

double sim_wrap_degrees(double degrees)
{
	degrees = fmod(degrees, 360);
	return degrees < 0 ? degrees + 360 : degrees;
}

int sim_brightness(struct sim *sim)
{
	int most = 0;

	for (size_t i = 0; i < sim->light_count; i++) {
		int brightness = atomic_load(&sim->lights[i]);

		if (brightness > most)
			most = brightness;
	}
	return most;
}

void sim_log(int fd, const char *name, const char *line, int length)
{
	if (write(fd, line, (size_t)length) != length)
		log_warn("the %s log of the simulated rig cannot be written: %s", name,
			 strerror(errno));
}

/* No camera is connected to the trigger: it takes no photo, and only logs. */
static int sim_trigger(void *backend, size_t trigger, bool active)
{
	struct sim *sim = backend;
	char at[CLOCK_TEXT], line[120];
	int length;

	if (!active)
		return 0;
	clock_text(clock_wall_ms(), at);
	length = snprintf(line, sizeof(line), "%s %zu %.4f %.4f\n", at, trigger,
			  sim_angle(sim, sim->rotor),
			  sim_wrap_degrees(sim_angle(sim, sim->turntable)));
	sim_log(sim->trigger_log, "trigger", line, length);
	return 0;
}

/* ---- the tables ---- */

static const struct motor_ops sim_motors = {
	.enable = sim_enable,
	.direction = sim_direction,
	.step = sim_step,
	.endstop = sim_endstop,
};

static const struct light_ops sim_lights = {
	.set = sim_light,
};

static const struct camera_ops sim_cameras = {
	.size = sim_camera_size,
	.answers = sim_camera_answers,
	.expose = sim_camera_expose,
	.read_out = sim_camera_read_out,
	.discard = sim_camera_discard,
	.calibrate = sim_camera_calibrate,
};

static const struct gpio_ops sim_gpio = {
	.get = sim_line_get,
	.set = sim_line_set,
	.trigger = sim_trigger,
};

const struct backend backend_simulated = {
	.name = "simulated",
	.motors = &sim_motors,
	.lights = &sim_lights,
	.cameras = &sim_cameras,
	.gpio = &sim_gpio,
	.open = sim_open,
	.close = sim_close,
	.fresh = sim_fresh,
	.now = sim_now,
	.wait_until = sim_wait_until,
	.safe = sim_safe,
};
