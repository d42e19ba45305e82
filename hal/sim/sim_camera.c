/* The simulated rig's camera: renders what it would see from the axes' angles, injects
 * faults, and calibrates itself by its own photos. */
#include "hal/sim/sim_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/sim/auto_exposure.h"
#include "hal/sim/sensor_orientation.h"
#include "hal/sim/render.h"

#define NS_PER_MS 1e6
#define WIDTH 1640 /* of a photo without photo_resolution */
#define HEIGHT 1232
#define MAX_WIDTH 4656
#define MAX_HEIGHT 3496
#define EXPOSURE_MS 50.0 /* well exposed at gain 1 and full light */
#define SURFACE 0.8	 /* fraction of the radius: the object's surface, for autofocus */
#define SENSOR_MM 5.68	 /* width of an IMX519 */
#define NEUTRAL 1.8	 /* awbg_red and awbg_blue under the ring light */
#define GAMMA 2.2	 /* of the renderer's bytes */
#define MOST_SHUTTER_MS 1000.0 /* the limit of calibration */
#define LEAST_SHUTTER_MS 0.1
#define MOST_BALANCE 8.0
#define LEAST_BALANCE 0.2
#define STEADY 0.01	/* a smaller change is none */
#define STEADY_PHOTOS 3 /* this many in a row end a calibration */
#define ROUNDS 30	/* after so many it fails */
#define HANG_MS 1e12	/* longer than anybody waits */
#define NO_FOCUS 0.01	/* dioptres for infinity: to the renderer 0 means all is sharp */

/* A latent image: an exposed photo. */
struct sim_latent {
	struct render_view view; /* upright */
	int orientation;
	int64_t taken_at_ms;
	double shutter_ms;
	double red, blue; /* gains of the white balance, 1 is neutral */
	bool torn;
};

/* ---- what it sees ---- */

void sim_camera_size(const void *backend, size_t camera, int *width, int *height)
{
	(void)backend;
	(void)camera;
	*width = MAX_WIDTH;
	*height = MAX_HEIGHT;
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

/* Size and crop of the upright picture; cropping is defined there too. */
static void sim_frame_view(struct render_view *view, const cJSON *settings)
{
	const cJSON *size =
		cJSON_GetObjectItemCaseSensitive(settings, "photo_resolution");
	int width = cJSON_IsArray(size) ? cJSON_GetArrayItem(size, 0)->valueint : WIDTH;
	int height = cJSON_IsArray(size) ? cJSON_GetArrayItem(size, 1)->valueint : HEIGHT;
	bool sideways = sensor_is_sideways(sim_orientation(settings));

	view->focal_px = render_focal_px(width);
	view->width = sideways ? height : width;
	view->height = sideways ? width : height;
	view->crop_width = json_number(settings, "crop_width", 0) / 100;
	view->crop_height = json_number(settings, "crop_height", 0) / 100;
}

/* What the camera sees now. */
static struct render_view sim_view(struct sim *sim, const cJSON *settings)
{
	double shutter_ms = json_number(settings, "shutter", EXPOSURE_MS);
	double gain = json_number(settings, "gain", 1);
	struct render_view view = {
		.theta_deg = sim_angle(sim, sim->rotor),
		.phi_deg = sim_wrap_degrees(sim_angle(sim, sim->turntable)),
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

static int sim_expose(struct sim *sim, double shutter_ms, const struct backend_shot *shot)
{
	int64_t due = sim_clock_now(&sim->clock) + llround(shutter_ms * NS_PER_MS);
	int64_t now;

	do {
		int ret;

		now = sim_clock_wait_until(&sim->clock, due, shot->cancel);
		ret = shot->check(shot);
		if (ret < 0)
			return ret;
	} while (now < due);
	return 0;
}

int sim_camera_answers(void *backend, size_t camera, struct err *err)
{
	const struct sim *sim = backend;

	(void)camera;
	if (fault_injection_gone(sim->faults))
		return err_code(err, -ENODEV, "hal_unavailable",
				"the simulated camera does not answer");
	return 0;
}

/* Waits for the exposure, or as long as a fault makes it. */
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

/* What the sensor records with these settings. */
static struct sim_latent *sim_record(struct sim *sim, const cJSON *settings)
{
	struct sim_latent *latent = calloc(1, sizeof(*latent));

	if (!latent)
		return NULL;
	latent->taken_at_ms = clock_wall_ms();
	latent->shutter_ms = json_number(settings, "shutter", EXPOSURE_MS);
	latent->red = json_number(settings, "awbg_red", NEUTRAL) / NEUTRAL;
	latent->blue = json_number(settings, "awbg_blue", NEUTRAL) / NEUTRAL;
	latent->orientation = sim_orientation(settings);
	latent->view = sim_view(sim, settings);
	return latent;
}

int sim_camera_expose(void *backend, size_t camera, const struct backend_shot *shot,
		      void **out, struct err *err)
{
	struct sim *sim = backend;
	struct sim_latent *latent = sim_record(sim, shot->settings);
	struct fault fault = fault_injection_next(sim->faults);
	int ret;

	(void)camera; /* all cameras are at the same place */
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
	latent->view.seed = ground_truth_next_shutter(sim->truth);
	sim_log_shutter(sim, &latent->view, latent->taken_at_ms);
	*out = latent;
	return 0;
}

/* Applies the white balance of one channel to gamma-encoded bytes. */
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

/* Makes the frame of a latent image.  Cannot be interrupted: the shutter has opened, so
 * there must be a photo. */
static int sim_develop(const struct sim *sim, const struct sim_latent *latent,
		       struct frame *frame, struct err *err)
{
	const struct render_view *view = &latent->view;
	int ret;

	if (sim->target_image) {
		target_image_show(sim->target_image, frame);
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

void sim_camera_discard(void *backend, size_t camera, void *latent)
{
	(void)backend;
	(void)camera;
	free(latent);
}

int sim_camera_read_out(void *backend, size_t camera, void *latent_photo,
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
		frame = sensor_orient_frame(frame, latent->orientation);
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
	sim_camera_discard(backend, camera, latent);
	return ret;
}

/* ---- calibrating ---- */

/* Multiplies a setting within its bounds and returns the relative change. */
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

/* Takes one photo and adjusts the settings; *change is the largest change. */
static int sim_measure(struct sim *sim, const struct backend_shot *shot, cJSON *settings,
		       double *change, struct err *err)
{
	struct sim_latent *latent = sim_record(sim, settings);
	struct frame *frame;
	struct auto_exposure auto_exposure;
	bool seen;
	int ret = latent ? sim_expose(sim, latent->shutter_ms, shot)
			 : err_set(err, -ENOMEM, "out of memory");

	if (ret < 0) {
		free(latent);
		return ret;
	}
	ret = sim_camera_read_out(sim, 0, latent, &frame, err);
	if (ret < 0)
		return ret;
	seen = auto_exposure_read(frame, &auto_exposure);
	frame_free(frame);
	if (!seen)
		auto_exposure =
			(struct auto_exposure){2, 1, 1}; /* perhaps it is only too dark */
	*change = sim_adjust(settings, "shutter", auto_exposure.exposure,
			     LEAST_SHUTTER_MS, MOST_SHUTTER_MS);
	if (!seen && *change < STEADY)
		return err_code(err, -ENODATA, "invalid_state",
				"it is too dark to calibrate: turn a light on");
	*change = fmax(*change, sim_adjust(settings, "awbg_red", auto_exposure.red,
					   LEAST_BALANCE, MOST_BALANCE));
	*change = fmax(*change, sim_adjust(settings, "awbg_blue", auto_exposure.blue,
					   LEAST_BALANCE, MOST_BALANCE));
	return 0;
}

static void sim_report_found(const cJSON *settings, cJSON *found)
{
	static const char *const keys[] = {"shutter", "awbg_red", "awbg_blue"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		cJSON_AddNumberToObject(found, keys[i],
					round(json_number(settings, keys[i], 0) * 1e3) /
						1e3);
}

int sim_camera_calibrate(void *backend, size_t camera, const struct backend_shot *shot,
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
		sim_report_found(settings, found);
	cJSON_Delete(settings);
	return ret;
}
