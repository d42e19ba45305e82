/* The simulated rig: motors that are counts in a file, a light and a trigger that are
 * numbers, an endstop that follows from the rotor's true angle, and a camera that renders
 * what it would see.
 *
 * Each exposure appends one line to <state_dir>/sim/shutter.log:
 *
 *     <wall time> <number> <true rotor degrees> <true turntable degrees> <light 0..100>
 *
 * and each pulse of a trigger one to trigger.log beside it:
 *
 *     <wall time> <which trigger> <true rotor degrees> <true turntable degrees>
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/base/log.h"
#include "hal/backend.h"
#include "hal/freed.h"
#include "hal/sim/fault.h"
#include "hal/sim/meter.h"
#include "hal/sim/mount.h"
#include "hal/sim/pace.h"
#include "hal/sim/poster.h"
#include "hal/sim/render.h"
#include "hal/sim/truth.h"

#define SIM_LIGHTS 32
#define SIM_ENDSTOPS 16
#define NS_PER_MS 1e6
#define WIDTH 1640 /* of a photo when nobody chose */
#define HEIGHT 1232
#define MAX_WIDTH 4656
#define MAX_HEIGHT 3496
#define EXPOSURE_MS 50.0 /* exposes well at gain 1 and full light */
#define SURFACE 0.8	 /* of the radius: where the object's face is, for autofocus */
#define SENSOR_MM 5.68	 /* wide: that of an IMX519 */
#define NEUTRAL 1.8	 /* awbg_red and awbg_blue under the ring light */
#define GAMMA 2.2	 /* of the renderer's bytes */
#define MOST_SHUTTER_MS 1000.0 /* that calibrating chooses */
#define LEAST_SHUTTER_MS 0.1
#define MOST_BALANCE 8.0
#define LEAST_BALANCE 0.2
#define STEADY 0.01	/* a change of less is none */
#define STEADY_PHOTOS 3 /* in a row end a calibration */
#define ROUNDS 30	/* end it in vain */
#define HANG_MS 1e12	/* longer than anybody waits */
#define NO_FOCUS 0.01	/* dioptres for infinity: to the renderer 0 means all is sharp */

struct sim_motor {
	int sign; /* of the steps while the direction line is high */
	int32_t steps_per_turn;
	int direction; /* of the next steps */
};

struct sim_endstop {
	int motor;    /* -1: the config names one that is not there */
	int64_t edge; /* count at which it is pressed */
	bool above;   /* pressed from there upwards */
};

struct sim {
	struct pace pace;
	struct truth *truth;
	struct sim_motor motors[TRUTH_AXES];
	size_t motor_count;
	int rotor, turntable; /* which motors these are, -1 for none */
	struct sim_endstop endstops[SIM_ENDSTOPS];
	atomic_int lights[SIM_LIGHTS];
	size_t light_count;
	double radius_mm;
	bool room_lit;
	struct faults *faults;
	struct poster *poster; /* what is held before the camera, or NULL */
	struct freed freed;
	atomic_bool lines[FREED_LINES]; /* levels of those that are freed */
	int shutter_log, trigger_log;	/* file descriptors */
};

/* A photo that is exposed. */
struct sim_latent {
	struct render_view view; /* upright */
	int orientation;
	int64_t taken_at_ms;
	double shutter_ms;
	double red, blue; /* gains of the white balance, 1 is neutral */
	bool torn;
};

static const cJSON *sim_section(const cJSON *config, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(config, key);
}

static int sim_index(const cJSON *section, const char *name)
{
	const cJSON *item;
	int i = 0;

	cJSON_ArrayForEach(item, section)
	{
		if (name && strcmp(item->string, name) == 0)
			return i;
		i++;
	}
	return -1;
}

/* path NULL: there is no truth. */
static int sim_open_motors(struct sim *sim, const cJSON *config, const char *path,
			   struct err *err)
{
	const char *names[TRUTH_AXES];
	int64_t counts[TRUTH_AXES];
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, sim_section(config, "motors"))
	{
		struct sim_motor *motor = &sim->motors[n];
		double turn = json_number(item, "steps_per_rotation", 0);

		if (n == TRUTH_AXES)
			return err_code(err, -EINVAL, "invalid_args",
					"motors must be at most %d", TRUTH_AXES);
		/* The rig refuses what is outside; here it only must not hurt. */
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
	return path ? truth_open(&sim->truth, path, names, counts, n, err) : 0;
}

static int sim_open_endstops(struct sim *sim, const cJSON *config, struct err *err)
{
	const cJSON *motors = sim_section(config, "motors");
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, sim_section(config, "endstops"))
	{
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
		ret = faults_open(&sim->faults, sim_section(own, "faults"), err);
	if (ret == 0 && image)
		ret = poster_open(&sim->poster, image, err);
	return ret;
}

static void sim_close(void *backend)
{
	struct sim *sim = backend;

	if (!sim)
		return;
	truth_close(sim->truth);
	faults_close(sim->faults);
	poster_close(sim->poster);
	if (sim->shutter_log >= 0)
		close(sim->shutter_log);
	if (sim->trigger_log >= 0)
		close(sim->trigger_log);
	free(sim);
}

/* Nothing hangs on its lines. */
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

	freed_read(&sim->freed, config, sim_line_owner, NULL, problems);
	pace_start(&sim->pace, options->sim_speed);
	*out = sim;
	return 0;
fail:
	sim_close(sim);
	return ret;
}

static bool sim_fresh(const void *backend)
{
	const struct sim *sim = backend;

	return truth_is_new(sim->truth);
}

static int64_t sim_now(void *backend)
{
	struct sim *sim = backend;

	return pace_now(&sim->pace);
}

static int64_t sim_wait_until(void *backend, int64_t due_ns, struct interrupt *interrupt)
{
	struct sim *sim = backend;

	return pace_wait_until(&sim->pace, due_ns, interrupt);
}

/* A simulated coil holds without current too. */
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

/* Its time has come to the very moment that was asked for: there it is sent. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the table's type */
static int sim_step(void *backend, size_t motor, int64_t *sent_ns)
{
	struct sim *sim = backend;

	(void)sent_ns;
	truth_step(sim->truth, motor,
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
	count = truth_count(sim->truth, (size_t)endstop->motor);
	return endstop->above ? count >= endstop->edge : count <= endstop->edge;
}

static void sim_camera_size(const void *backend, size_t camera, int *width, int *height)
{
	(void)backend;
	(void)camera;
	*width = MAX_WIDTH;
	*height = MAX_HEIGHT;
}

static int sim_line_get(void *backend, int line, struct err *err)
{
	struct sim *sim = backend;
	int ret = freed_check(&sim->freed, line, err);

	return ret < 0 ? ret : atomic_load(&sim->lines[line]);
}

static int sim_line_set(void *backend, int line, bool level, struct err *err)
{
	struct sim *sim = backend;
	int ret = freed_check(&sim->freed, line, err);

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

/* ---- the camera ---- */

static double sim_angle(const struct sim *sim, int motor)
{
	if (motor < 0)
		return 0;
	return (double)truth_count(sim->truth, (size_t)motor) * 360 /
	       sim->motors[motor].steps_per_turn;
}

/* Into 0..360. */
static double sim_turned(double degrees)
{
	degrees = fmod(degrees, 360);
	return degrees < 0 ? degrees + 360 : degrees;
}

static int sim_brightness(struct sim *sim)
{
	int most = 0;

	for (size_t i = 0; i < sim->light_count; i++) {
		int brightness = atomic_load(&sim->lights[i]);

		if (brightness > most)
			most = brightness;
	}
	return most;
}

static double sim_focus(const struct sim *sim, const cJSON *settings)
{
	if (json_bool(settings, "AF", true))
		return 1000 / (SURFACE * sim->radius_mm);
	return fmax(json_number(settings, "manual_focus", 1), NO_FOCUS);
}

static int sim_orientation(const cJSON *settings)
{
	return (int)json_number(settings, "orientation_flag", 1);
}

/* The picture as it is looked at, upright; what is cropped away is counted there too. */
static void sim_frame_view(struct render_view *view, const cJSON *settings)
{
	const cJSON *size =
		cJSON_GetObjectItemCaseSensitive(settings, "photo_resolution");
	int width = cJSON_IsArray(size) ? cJSON_GetArrayItem(size, 0)->valueint : WIDTH;
	int height = cJSON_IsArray(size) ? cJSON_GetArrayItem(size, 1)->valueint : HEIGHT;
	bool sideways = mount_is_sideways(sim_orientation(settings));

	view->focal_px = render_focal_px(width);
	view->width = sideways ? height : width;
	view->height = sideways ? width : height;
	view->crop_width = json_number(settings, "crop_width", 0) / 100;
	view->crop_height = json_number(settings, "crop_height", 0) / 100;
}

/* What the camera sees at this moment. */
static struct render_view sim_look(struct sim *sim, const cJSON *settings)
{
	double shutter_ms = json_number(settings, "shutter", EXPOSURE_MS);
	double gain = json_number(settings, "gain", 1);
	struct render_view view = {
		.theta_deg = sim_angle(sim, sim->rotor),
		.phi_deg = sim_turned(sim_angle(sim, sim->turntable)),
		.radius_mm = sim->radius_mm,
		.light = sim_brightness(sim) / 100.0,
		.exposure = shutter_ms / EXPOSURE_MS * gain,
		.gain = gain,
		.focus_dioptres = sim_focus(sim, settings),
		.room_lit = sim->room_lit,
	};

	sim_frame_view(&view, settings);
	view.focal_px *= render_breathing(view.focus_dioptres);
	return view;
}

/* For tests and the curious: a full disk must not cost a photo. */
static void sim_log(int fd, const char *name, const char *line, int length)
{
	if (write(fd, line, (size_t)length) != length)
		log_warn("the %s log of the simulated rig cannot be written: %s", name,
			 strerror(errno));
}

static void sim_log_shutter(struct sim *sim, const struct render_view *view,
			    int64_t wall_ms)
{
	char at[CLOCK_TEXT];
	char line[160];
	int length;

	clock_text(wall_ms, at);
	length = snprintf(line, sizeof(line), "%s %" PRIu64 " %.4f %.4f %.0f\n", at,
			  view->seed, view->theta_deg, view->phi_deg, view->light * 100);
	sim_log(sim->shutter_log, "shutter", line, length);
}

/* Nothing hangs on the line: a photo that it asks for is taken nowhere. */
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
			  sim_turned(sim_angle(sim, sim->turntable)));
	sim_log(sim->trigger_log, "trigger", line, length);
	return 0;
}

static int sim_expose(struct sim *sim, double shutter_ms, const struct backend_shot *shot)
{
	int64_t due = sim_now(sim) + llround(shutter_ms * NS_PER_MS);
	int64_t now;

	do {
		int ret;

		now = sim_wait_until(sim, due, shot->interrupt);
		ret = shot->wanted(shot);
		if (ret < 0)
			return ret;
	} while (now < due);
	return 0;
}

static int sim_answers(void *backend, size_t camera, struct err *err)
{
	const struct sim *sim = backend;

	(void)camera;
	if (faults_gone(sim->faults))
		return err_code(err, -ENODEV, "hal_unavailable",
				"the simulated camera does not answer");
	return 0;
}

/* Waits as long as the exposure takes, or as a fault makes it. */
static int sim_take(struct sim *sim, double shutter_ms, const struct fault *fault,
		    const struct backend_shot *shot, struct err *err)
{
	if (fault->kind == FAULT_GONE)
		return err_code(err, -ENODEV, "hardware_fault",
				"the simulated camera is gone");
	if (fault->kind == FAULT_HANG)
		return sim_expose(sim, HANG_MS, shot);
	if (fault->kind == FAULT_SLOW)
		shutter_ms += fault->ms;
	return sim_expose(sim, shutter_ms, shot);
}

/* What the sensor catches with these settings. */
static struct sim_latent *sim_catch(struct sim *sim, const cJSON *settings)
{
	struct sim_latent *latent = calloc(1, sizeof(*latent));

	if (!latent)
		return NULL;
	latent->taken_at_ms = clock_wall_ms();
	latent->shutter_ms = json_number(settings, "shutter", EXPOSURE_MS);
	latent->red = json_number(settings, "awbg_red", NEUTRAL) / NEUTRAL;
	latent->blue = json_number(settings, "awbg_blue", NEUTRAL) / NEUTRAL;
	latent->orientation = sim_orientation(settings);
	latent->view = sim_look(sim, settings);
	return latent;
}

static int sim_shoot(void *backend, size_t camera, const struct backend_shot *shot,
		     void **out, struct err *err)
{
	struct sim *sim = backend;
	struct sim_latent *latent = sim_catch(sim, shot->settings);
	struct fault fault = faults_next(sim->faults);
	int ret;

	(void)camera; /* all look from the same place */
	if (!latent)
		return err_set(err, -ENOMEM, "out of memory");
	latent->torn = fault.kind == FAULT_TORN;
	ret = sim_take(sim, latent->shutter_ms, &fault, shot, err);
	if (ret == 0 && fault.kind == FAULT_FAIL)
		ret = err_code(err, -EIO, "hardware_fault",
			       "the simulated camera failed, as it was told to");
	if (ret < 0) {
		free(latent);
		return ret;
	}
	latent->view.seed = truth_next_shutter(sim->truth);
	sim_log_shutter(sim, &latent->view, latent->taken_at_ms);
	*out = latent;
	return 0;
}

/* One channel of the white balance, on bytes that have their gamma. */
static void sim_tint(struct frame *frame, int channel, double gain)
{
	size_t pixels = (size_t)frame->width * (size_t)frame->height;
	double factor = pow(gain, 1 / GAMMA);
	uint8_t table[256];

	if (fabs(gain - 1) < 1e-6)
		return;
	for (int i = 0; i < 256; i++)
		table[i] = (uint8_t)fmin(255, round(i * factor));
	for (size_t i = 0; i < pixels; i++)
		frame->rgb[i * 3 + (size_t)channel] =
			table[frame->rgb[i * 3 + (size_t)channel]];
}

/* What the sensor holds.  It is not interrupted: the shutter has opened, so there shall
 * be a photo. */
static int sim_develop(const struct sim *sim, const struct sim_latent *latent,
		       struct frame *frame, struct err *err)
{
	const struct render_view *view = &latent->view;
	int ret;

	if (sim->poster) {
		poster_show(sim->poster, frame);
		return 0;
	}
	ret = render_photo(view, frame->rgb, NULL);
	if (ret < 0)
		return err_code(err, ret, "hardware_fault",
				"the simulated camera took no photo: %s", strerror(-ret));
	sim_tint(frame, 0, latent->red);
	sim_tint(frame, 2, latent->blue);
	return 0;
}

static void sim_discard(void *backend, size_t camera, void *latent)
{
	(void)backend;
	(void)camera;
	free(latent);
}

static int sim_read_out(void *backend, size_t camera, void *latent_photo,
			struct frame **out, struct err *err)
{
	const struct sim *sim = backend;
	struct sim_latent *latent = latent_photo;
	const struct render_view *view = &latent->view;
	struct frame *frame = frame_new(render_cropped(view->width, view->crop_width),
					render_cropped(view->height, view->crop_height));
	int ret = frame ? sim_develop(sim, latent, frame, err)
			: err_set(err, -ENOMEM, "out of memory");

	if (ret == 0) {
		frame = mount_turn(frame, latent->orientation);
		if (!frame)
			ret = err_set(err, -ENOMEM, "out of memory");
	}
	if (ret == 0) {
		frame->taken_at_ms = latent->taken_at_ms;
		frame->shutter_ms = latent->shutter_ms;
		frame->gain = view->gain;
		frame->focal_px = view->focal_px;
		frame->focal_mm = render_focal_px(WIDTH) / WIDTH * SENSOR_MM;
		frame->rows = latent->torn ? frame->height / 2 : frame->height;
		*out = frame;
	} else {
		frame_free(frame);
	}
	sim_discard(backend, camera, latent);
	return ret;
}

/* ---- calibrating ---- */

/* Multiplies a setting within its bounds; how much that changed it. */
static double sim_adjust(cJSON *settings, const char *key, double factor, double least,
			 double most)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(settings, key);
	double before = cJSON_IsNumber(item) ? item->valuedouble : 1;
	double after = fmax(least, fmin(most, before * factor));

	cJSON_DeleteItemFromObjectCaseSensitive(settings, key);
	cJSON_AddNumberToObject(settings, key, after);
	return fabs(after / before - 1);
}

/* One photo and what follows from it; *change is the largest. */
static int sim_measure(struct sim *sim, const struct backend_shot *shot, cJSON *settings,
		       double *change, struct err *err)
{
	struct sim_latent *latent = sim_catch(sim, settings);
	struct frame *frame;
	struct meter meter;
	bool seen;
	int ret = latent ? sim_expose(sim, latent->shutter_ms, shot)
			 : err_set(err, -ENOMEM, "out of memory");

	if (ret < 0) {
		free(latent);
		return ret;
	}
	ret = sim_read_out(sim, 0, latent, &frame, err);
	if (ret < 0)
		return ret;
	seen = meter_read(frame, &meter);
	frame_free(frame);
	if (!seen)
		meter = (struct meter){2, 1, 1}; /* perhaps it is only too dark */
	*change = sim_adjust(settings, "shutter", meter.exposure, LEAST_SHUTTER_MS,
			     MOST_SHUTTER_MS);
	if (!seen && *change < STEADY)
		return err_code(err, -ENODATA, "invalid_state",
				"it is too dark to calibrate: turn a light on");
	*change = fmax(*change, sim_adjust(settings, "awbg_red", meter.red, LEAST_BALANCE,
					   MOST_BALANCE));
	*change = fmax(*change, sim_adjust(settings, "awbg_blue", meter.blue,
					   LEAST_BALANCE, MOST_BALANCE));
	return 0;
}

static void sim_tell_found(const cJSON *settings, cJSON *found)
{
	static const char *const keys[] = {"shutter", "awbg_red", "awbg_blue"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		cJSON_AddNumberToObject(found, keys[i],
					round(json_number(settings, keys[i], 0) * 1e3) /
						1e3);
}

static int sim_calibrate(void *backend, size_t camera, const struct backend_shot *shot,
			 cJSON *found, struct err *err)
{
	cJSON *settings = cJSON_Duplicate(shot->settings, true);
	int steady = 0, ret = 0;

	(void)camera;
	for (int i = 0; ret == 0 && i < ROUNDS && steady < STEADY_PHOTOS; i++) {
		double change = 0;

		ret = sim_measure(backend, shot, settings, &change, err);
		steady = change < STEADY ? steady + 1 : 0;
	}
	if (ret == 0 && steady < STEADY_PHOTOS)
		ret = err_code(err, -EIO, "hardware_fault",
			       "exposure and white balance did not settle in %d photos",
			       ROUNDS);
	if (ret == 0)
		sim_tell_found(settings, found);
	cJSON_Delete(settings);
	return ret;
}

const struct backend backend_simulated = {
	.name = "simulated",
	.open = sim_open,
	.close = sim_close,
	.fresh = sim_fresh,
	.now = sim_now,
	.wait_until = sim_wait_until,
	.enable = sim_enable,
	.direction = sim_direction,
	.step = sim_step,
	.light = sim_light,
	.trigger = sim_trigger,
	.endstop = sim_endstop,
	.camera_size = sim_camera_size,
	.answers = sim_answers,
	.expose = sim_shoot,
	.read_out = sim_read_out,
	.discard = sim_discard,
	.calibrate = sim_calibrate,
	.line_get = sim_line_get,
	.line_set = sim_line_set,
	.safe = sim_safe,
};
