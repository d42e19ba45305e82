/* qr_scan_task: joins the Wi-Fi network of a QR code that is held before the camera.
 *
 * Nothing that the camera sees leaves this file: no picture, no text of a code and no
 * password is published, logged or part of the result. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "agent/base/module.h"
#include "hal/frame.h"
#include "hal/rig.h"
#include "tasks/core/preflight.h"
#include "tasks/modules/qr.h"
#include "tasks/modules/wifi.h"
#include "tasks/services.h"
#include "tasks/task_api.h"
#include "tasks/modules/wifi_code.h"

#define BETWEEN_PICTURES_MS 300
#define BETWEEN_LOOKS_MS 5000 /* between two checks for a network */
#define PICTURES_LOST 5	      /* in a row: the camera is gone */
#define JOINS 2
#define CODE_BYTES 1024
/* A frame whose sides are below this is doubled: codes of few pixels are read then. */
#define SMALL 960

static const char qr_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	"\"camera\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64,"
	"\"description\":\"The camera; the only one when left out\"},"
	"\"timeout_s\":{\"type\":\"integer\",\"minimum\":5,\"maximum\":86400,"
	"\"default\":600,\"description\":\"How long a code is waited for\"}}}";

struct watch {
	const struct task_host *host;
	struct task_run *run;
	struct rig *rig;
	size_t camera;
	const struct qr_module *qr;
	const struct wifi_module *wifi;
	int64_t end_ms, look_ms;
	int timeout_s, pictures, lost;
	bool connected;	       /* when the run began */
	char last[CODE_BYTES]; /* the text of the previous picture; may hold a password */
};

static int fail(const struct watch *w, const struct err *err)
{
	return w->host->fail_with(w->run, err->code, err->text);
}

static void report_progress(const struct watch *w, const char *message)
{
	w->host->progress(w->run, w->pictures, 0, message);
}

/* ---- preparing ---- */

static int find_camera(struct rig *rig, const cJSON *args, size_t *camera,
		       struct err *err)
{
	int i = rig_find(rig, DEVICE_CAMERA, json_string(args, "camera"), err);

	if (i < 0)
		return i;
	*camera = (size_t)i;
	return rig_camera_answers(rig, *camera, err);
}

static int load_modules(struct watch *w, struct err *err)
{
	const void *qr = NULL, *wifi = NULL;
	int ret = module_load(&qr, "qr", err);

	if (ret == 0)
		ret = module_load(&wifi, "wifi", err);
	if (ret)
		return ret;
	w->qr = qr;
	w->wifi = wifi;
	return 0;
}

/* Without a NetworkManager a code would be useless, so that is checked first. */
static int prepare(struct watch *w, const cJSON *args, struct err *err)
{
	int ret = find_camera(w->rig, args, &w->camera, err);

	if (ret == 0)
		ret = load_modules(w, err);
	if (ret == 0)
		ret = w->wifi->connected(&w->connected, err);
	w->timeout_s = (int)json_number(args, "timeout_s", 600);
	w->look_ms = clock_monotonic_ms();
	w->end_ms = w->look_ms + w->timeout_s * INT64_C(1000);
	return ret;
}

/* ---- looking ---- */

/* The picture for the code reader. */
struct grayscale {
	int width, height;
	uint8_t *pixels; /* width * height, rows from the top */
};

/* Is this one of the four EXIF orientations that mirror the picture? */
static bool is_mirrored(int orientation)
{
	return orientation == 2 || orientation == 4 || orientation == 5 ||
	       orientation == 7;
}

static uint8_t luma(const uint8_t *rgb)
{
	return (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2]) >> 8);
}

/* The luma of frame, not mirrored; a small frame is doubled.  False when memory is out.
 * Clear it in any case. */
static bool grayscale_of(struct grayscale *grey, const struct frame *frame)
{
	bool small = frame->width < SMALL && frame->height < SMALL;
	bool mirrored = is_mirrored(frame->orientation);
	int times = small ? 2 : 1;

	grey->width = frame->width * times;
	grey->height = frame->height * times;
	grey->pixels = malloc((size_t)grey->width * (size_t)grey->height);
	if (!grey->pixels)
		return false;
	for (int y = 0; y < grey->height; y++) {
		const uint8_t *row =
			frame->rgb + (size_t)(y / times) * (size_t)frame->width * 3;
		uint8_t *out = grey->pixels + (size_t)y * (size_t)grey->width;

		for (int x = 0; x < grey->width; x++) {
			int from = x / times;

			if (mirrored)
				from = frame->width - 1 - from;
			out[x] = luma(row + (size_t)from * 3);
		}
	}
	return true;
}

static void grayscale_clear(struct grayscale *grey)
{
	free(grey->pixels);
	grey->pixels = NULL;
}

/* 0 with a text, -ENOENT without one, the gate's answer, or -1 when the camera is gone.
 */
static int read_picture(struct watch *w, char text[CODE_BYTES])
{
	struct frame *frame = NULL;
	struct err err = {0};
	int ret = rig_preview(w->rig, w->camera, w->host->cancel(w->run), &frame, &err);

	text[0] = '\0';
	if (ret == -EINTR)
		return -ENOENT;
	if (ret < 0) {
		report_progress(w, err.text);
		return ++w->lost < PICTURES_LOST ? -ENOENT : fail(w, &err);
	}
	w->lost = 0;
	w->pictures++;
	struct grayscale grey = {.pixels = NULL};
	ret = grayscale_of(&grey, frame)
		      ? w->qr->read(grey.pixels, grey.width, grey.height, text,
				    CODE_BYTES, &err)
		      : err_set(&err, -ENOMEM, "out of memory");
	grayscale_clear(&grey);
	frame_free(frame);
	return ret == 0 || ret == -ENOENT ? ret : fail(w, &err);
}

/* True for the same text twice in a row: a misread code does not repeat. */
static bool is_certain(struct watch *w, const char *text)
{
	bool same = *text && !strcmp(text, w->last);

	memcpy(w->last, text, CODE_BYTES);
	return same;
}

/* 0 with a usable code, -ENOENT without one, else as read_picture(). */
static int look(struct watch *w, struct wifi_code *code)
{
	char text[CODE_BYTES];
	struct err err = {0};
	int ret = read_picture(w, text);

	if (ret == 0 && !wifi_code_is(text)) {
		report_progress(w, "That code is not one of a Wi-Fi network");
		ret = -ENOENT;
	} else if (ret == 0 && wifi_code_parse(code, text, &err) < 0) {
		report_progress(w, err.text);
		ret = -ENOENT;
	} else if (ret == -ENOENT && !w->lost) {
		report_progress(
			w, "Hold the QR code of a Wi-Fi network in front of the camera");
	}
	if (!is_certain(w, text) && ret == 0)
		ret = -ENOENT;
	explicit_bzero(text, sizeof(text));
	return ret;
}

/* True when a network is up in the meantime, for instance by a cable. */
static bool network_came_up(struct watch *w)
{
	int64_t now = clock_monotonic_ms();
	bool connected = false;

	if (w->connected || now - w->look_ms < BETWEEN_LOOKS_MS)
		return false;
	w->look_ms = now;
	return w->wifi->connected(&connected, NULL) == 0 && connected;
}

static int give_up(const struct watch *w)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "no Wi-Fi code was seen in %d s: show one that fills a third of the "
		 "picture, sharp and in good light, and start the task again",
		 w->timeout_s);
	return w->host->fail_with(w->run, "timeout", text);
}

/* ---- joining ---- */

static int wait_for(void *context, int64_t ms)
{
	const struct watch *w = context;

	return w->host->sleep(w->run, ms);
}

static int join(struct watch *w, const struct wifi_code *code)
{
	const struct wifi_sleeper sleeper = {w, wait_for};
	char message[WIFI_SSID + 40];
	struct err err = {0};

	snprintf(message, sizeof(message), "Joining '%s'", code->ssid);
	for (int i = 0; i < JOINS; i++) {
		int ret = w->host->gate(w->run);

		if (ret)
			return ret;
		report_progress(w, message);
		ret = w->wifi->join(code, &sleeper, &err);
		if (ret == 0)
			return 0;
		if (!err.number) /* the wait was ended by a stop */
			return ret;
	}
	return fail(w, &err);
}

static void report_result(const struct watch *w, const struct wifi_code *code)
{
	cJSON *result = cJSON_CreateObject();
	char *text;

	if (code) {
		json_put_string(result, "ssid", code->ssid);
		json_put_string(result, "security", wifi_security_name(code->security));
		cJSON_AddBoolToObject(result, "hidden", code->hidden);
	} else {
		json_put_string(result, "reason", "network_already_connected");
	}
	text = json_text(result);
	if (text)
		w->host->result(w->run, text);
	cJSON_free(text);
	cJSON_Delete(result);
	w->host->progress(w->run, 1, 1,
			  code ? "Joined the network" : "A network is there");
}

/* ---- a run ---- */

static int watch_for_code(struct watch *w, struct wifi_code *code)
{
	while (clock_monotonic_ms() < w->end_ms) {
		int ret = w->host->gate(w->run);

		if (ret)
			return ret;
		if (network_came_up(w)) {
			report_result(w, NULL);
			return 0;
		}
		ret = look(w, code);
		if (ret == 0) {
			ret = join(w, code);
			if (ret == 0)
				report_result(w, code);
			return ret;
		}
		if (ret != -ENOENT)
			return ret;
		ret = w->host->sleep(w->run, BETWEEN_PICTURES_MS);
		if (ret)
			return ret;
	}
	return give_up(w);
}

static int qr_run(const struct task_type *type, const struct task_host *host,
		  struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	struct watch w = {.host = host, .run = run, .rig = host->services->rig};
	struct wifi_code code;
	struct err err = {0};
	int ret;

	(void)type;
	report_progress(&w, "Starting the camera");
	if (prepare(&w, args, &err))
		ret = fail(&w, &err);
	else if ((ret = host->begin(run)) == 0 &&
		 (ret = host->checkpoint(run, "{}")) == 0)
		ret = watch_for_code(&w, &code);
	explicit_bzero(&code, sizeof(code));
	explicit_bzero(w.last, sizeof(w.last));
	cJSON_Delete(args);
	return ret;
}

static int qr_estimate(const struct task_type *type, const struct task_services *services,
		       const char *text, struct task_estimate *estimate)
{
	cJSON *args = cJSON_Parse(text);
	struct watch w = {.rig = services->rig};
	struct err err = {0};

	(void)type;
	if (prepare(&w, args, &err) < 0)
		estimate->problems = preflight_only(&err);
	estimate->seconds = w.timeout_s;
	cJSON_Delete(args);
	return 0;
}

const struct task_type task_qr_scan = {
	.name = "qr_scan_task",
	.title = "Wi-Fi by QR code",
	.category = "core",
	.is_blocking = true,
	.resumable = true,
	.uses = (const char *const[]){"camera", NULL},
	.args = qr_schema,
	.run = qr_run,
	.estimate = qr_estimate,
};
