/* rig_check_task: the first task to run on a new rig.  Tries each device and reports a
 * sentence on each, so that a person beside the rig can compare. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/frame.h"
#include "hal/rig.h"
#include "tasks/capture/photo.h"
#include "tasks/services.h"
#include "tasks/task_api.h"

#define WAY 10.0 /* degrees that each axis moves, then moves back */
#define TURN 360.0
#define SENTENCE 1280
#define BRIGHTER 1.15 /* times brighter: the least effect of a light on a photo */

struct check {
	const struct task_host *host;
	struct task_run *run;
	struct rig *rig;
	cJSON *list; /* [{device, ok, sentence}] */
	size_t done, total, bad;
	char first_bad[SENTENCE];
};

/* ---- findings ---- */

static void add_finding(struct check *c, const char *device, bool ok, const char *fmt,
			...) __attribute__((format(printf, 4, 5)));

static void add_finding(struct check *c, const char *device, bool ok, const char *fmt,
			...)
{
	cJSON *item = cJSON_CreateObject();
	char sentence[SENTENCE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	cJSON_AddStringToObject(item, "device", device);
	cJSON_AddBoolToObject(item, "ok", ok);
	cJSON_AddStringToObject(item, "sentence", sentence);
	cJSON_AddItemToArray(c->list, item);
	c->host->log(c->run, ok ? TASK_LOG_INFO : TASK_LOG_ERROR, sentence);
	c->done++;
	c->host->progress(c->run, (double)c->done, (double)c->total, sentence);
	if (!ok && c->bad++ == 0)
		snprintf(c->first_bad, sizeof(c->first_bad), "%s", sentence);
}

/* Turns the result of a rig call into 0 or the reason to stop.  Waits during a pause;
 * sets *again when the call must be repeated. */
static int handle_result(const struct check *c, int ret, bool *again)
{
	*again = false;
	if (ret == -ECANCELED || rig_estopped(c->rig))
		return c->host->fail_with(c->run, "interrupted", "motion was stopped");
	if (ret != -EINTR)
		return 0;
	*again = true;
	return c->host->gate(c->run);
}

/* ---- axes ---- */

static int move_by(struct check *c, const char *motor, double degrees, int *result,
		   struct err *err)
{
	const struct rig_target target = {.motor = motor, .degrees = degrees};
	bool again = true;
	int ret = 0;

	while (ret == 0 && again) {
		*result = rig_move(c->rig, &target, 1, c->host->cancel(c->run), err);
		ret = handle_result(c, *result, &again);
	}
	return ret;
}

static int home(struct check *c, const char *motor, int *result, struct err *err)
{
	bool again = true;
	int ret = 0;

	while (ret == 0 && again) {
		*result = rig_home(c->rig, motor, c->host->cancel(c->run), err);
		ret = handle_result(c, *result, &again);
	}
	return ret;
}

/* Moves towards the side with room, and back. */
static int check_motor(struct check *c, const char *motor)
{
	struct rig_axis axis;
	struct err err = {0};
	double way = WAY;
	int64_t began = clock_monotonic_ms();
	int result = 0, ret;

	rig_axis(c->rig, motor, &axis, NULL);
	if (!axis.known) {
		add_finding(c, motor, false,
			    "the position of %s is unknown: set it by hand, send "
			    "motor/override, then "
			    "check again",
			    motor);
		return 0;
	}
	if (!axis.endless && axis.angle + way > axis.max)
		way = -way;
	ret = move_by(c, motor, axis.angle + way, &result, &err);
	if (ret == 0 && result == 0)
		ret = move_by(c, motor, axis.angle, &result, &err);
	if (ret)
		return ret;
	if (result < 0)
		add_finding(c, motor, false, "%s", err.text);
	else
		add_finding(
			c, motor, true,
			"%s was told to go from %.1f to %.1f degrees and back, and had %.0f "
			"pulses each "
			"way in %.1f s: look whether it went the right way, and as far",
			motor, axis.angle,
			axis.endless ? fmod(axis.angle + way, TURN) : axis.angle + way,
			fabs(way) * axis.steps_per_degree,
			(double)(clock_monotonic_ms() - began) / 1000);
	return 0;
}

/* ---- endstops ---- */

/* 1 when pressed, 0 when not, -1 when unknown. */
static int read_endstop(struct check *c, size_t endstop, char motor[65])
{
	cJSON *state = rig_state(c->rig, DEVICE_ENDSTOP, endstop);
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(state, "pressed");
	int answer = cJSON_IsBool(item) ? cJSON_IsTrue(item) : -1;

	snprintf(motor, 65, "%s", json_string(state, "motor"));
	cJSON_Delete(state);
	return answer;
}

/* Homes the axis at its endstop.  At the home angle, where that ends, the endstop must be
 * released. */
static int check_endstop(struct check *c, size_t endstop)
{
	const char *name = rig_name(c->rig, DEVICE_ENDSTOP, endstop);
	struct err err = {0};
	char motor[65];
	int was = read_endstop(c, endstop, motor);
	int result, ret;

	if (was < 0 || rig_find(c->rig, DEVICE_MOTOR, motor, NULL) < 0) {
		add_finding(c, name, false, "the endstop %s %s", name,
			    was < 0 ? "cannot be read"
				    : "belongs to no motor that works");
		return 0;
	}
	ret = home(c, motor, &result, &err);
	if (ret)
		return ret;
	if (result < 0)
		add_finding(c, name, false, "%s (the endstop %s was %s before)", err.text,
			    name, was ? "pressed" : "free");
	else if (read_endstop(c, endstop, motor) != 0)
		add_finding(
			c, name, false,
			"the endstop %s is still pressed when %s is home: check active_high "
			"and its "
			"wiring",
			name, motor);
	else
		add_finding(c, name, true,
			    "%s met the endstop %s, left it, and went home", motor, name);
	return 0;
}

/* ---- cameras and lights ---- */

static double brightness(const struct frame *frame)
{
	size_t n = (size_t)frame->width * (size_t)frame->height * 3;
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += frame->rgb[i];
	return sum / (double)n;
}

/* Takes a photo, publishes it on the image topic, and returns its mean, 0 to 255; below 0
 * with err after a failure. */
static int photograph_mean(struct check *c, size_t camera, bool small, struct frame *size,
			   double *mean, struct err *err)
{
	struct frame *frame = NULL;
	void *jpeg = NULL;
	size_t bytes;
	bool again = true;
	int ret = 0, result = 0;

	*mean = -1;
	while (ret == 0 && again) {
		result = (small ? rig_preview : rig_capture)(
			c->rig, camera, c->host->cancel(c->run), &frame, err);
		ret = handle_result(c, result, &again);
	}
	if (ret || result < 0)
		return ret;
	*mean = brightness(frame);
	*size = *frame;
	if (photo_preview(frame, &jpeg, &bytes, err) == 0)
		c->host->image(c->run, rig_name(c->rig, DEVICE_CAMERA, camera), jpeg,
			       bytes);
	free(jpeg);
	frame_free(frame);
	return 0;
}

static int check_camera(struct check *c, size_t camera)
{
	const char *name = rig_name(c->rig, DEVICE_CAMERA, camera);
	int64_t began = clock_monotonic_ms();
	struct err err = {0};
	struct frame size;
	double mean;
	int ret = photograph_mean(c, camera, false, &size, &mean, &err);

	if (ret)
		return ret;
	if (mean < 0)
		add_finding(c, name, false, "%s", err.text);
	else
		add_finding(
			c, name, true,
			"%s took a photo of %d by %d pixels in %.1f s, of mean brightness "
			"%.0f of 255",
			name, size.width, size.height,
			(double)(clock_monotonic_ms() - began) / 1000, mean);
	return 0;
}

/* Compares a photo without the light with one with it, if there is a camera. */
static int compare(struct check *c, const char *light)
{
	struct err err = {0};
	struct frame size;
	double dark = -1, bright = -1;
	bool camera = rig_count(c->rig, DEVICE_CAMERA) > 0;
	int ret = 0, switched = rig_light_set(c->rig, light, false, -1, &err);

	if (camera && switched == 0)
		ret = photograph_mean(c, 0, true, &size, &dark, &err);
	if (ret == 0 && switched == 0)
		switched = rig_light_set(c->rig, light, true, -1, &err);
	if (ret == 0 && camera && switched == 0)
		ret = photograph_mean(c, 0, true, &size, &bright, &err);
	if (ret)
		return ret;
	if (switched < 0)
		add_finding(c, light, false, "%s", err.text);
	else if (dark < 0 || bright < 0)
		add_finding(c, light, true, "%s was switched on: look whether it burns",
			    light);
	else if (bright > dark * BRIGHTER)
		add_finding(
			c, light, true,
			"%s was switched on, and the photo went from %.0f to %.0f of 255",
			light, dark, bright);
	else
		add_finding(
			c, light, false,
			"%s was switched on, and the photo stayed as it was (%.0f and %.0f "
			"of 255): look "
			"whether it burns",
			light, dark, bright);
	return 0;
}

static int check_light(struct check *c, size_t i)
{
	const char *name = rig_name(c->rig, DEVICE_LIGHT, i);
	struct rig_light before;
	int ret;

	rig_light_get(c->rig, name, &before, NULL);
	ret = compare(c, name);
	if (!rig_estopped(c->rig) &&
	    rig_light_set(c->rig, name, before.on, before.brightness, NULL) < 0)
		c->host->log(c->run, TASK_LOG_WARN, "the light could not be put back");
	return ret;
}

/* ---- the run ---- */

static int try_motor(struct check *c, size_t i)
{
	return check_motor(c, rig_name(c->rig, DEVICE_MOTOR, i));
}

static int try_kind(struct check *c, enum device_kind kind,
		    int (*attempt)(struct check *c, size_t i))
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < rig_count(c->rig, kind); i++) {
		ret = c->host->gate(c->run);
		if (ret == 0)
			ret = attempt(c, i);
	}
	return ret;
}

static void log_problems(struct check *c)
{
	const cJSON *problem;

	cJSON_ArrayForEach(problem, rig_problems(c->rig))
		c->host->log(c->run, TASK_LOG_WARN, problem->valuestring);
}

static void report_result(const struct check *c)
{
	cJSON *result = cJSON_CreateObject();
	char *text;

	cJSON_AddBoolToObject(result, "ok", c->bad == 0);
	cJSON_AddItemToObject(result, "checks", cJSON_Duplicate(c->list, true));
	cJSON_AddItemToObject(result, "problems",
			      cJSON_Duplicate(rig_problems(c->rig), true));
	text = json_text(result);
	c->host->result(c->run, text);
	cJSON_free(text);
	cJSON_Delete(result);
}

/* A broken device is a finding, not a failure: the task fails only if it could not try
 * one. */
static void finish_check(const struct check *c)
{
	char text[SENTENCE + 64];

	if (c->bad == 0)
		snprintf(text, sizeof(text), "All %zu checks went well", c->total);
	else
		snprintf(text, sizeof(text), "%zu of %zu checks failed: %s", c->bad,
			 c->total, c->first_bad);
	c->host->progress(c->run, (double)c->total, (double)c->total, text);
	report_result(c);
}

static int check_run(const struct task_type *type, const struct task_host *host,
		     struct task_run *run, const char *args)
{
	struct check c = {.host = host, .run = run, .rig = host->services->rig};
	int ret = host->begin(run);

	(void)type;
	(void)args;
	if (ret)
		return ret;
	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++)
		c.total += kind == DEVICE_TRIGGER ? 0 : rig_count(c.rig, kind);
	c.list = cJSON_CreateArray();
	rig_adopt_endless(c.rig);
	rig_keep_awake(c.rig, true);
	log_problems(&c);
	ret = try_kind(&c, DEVICE_ENDSTOP, check_endstop);
	if (ret == 0)
		ret = try_kind(&c, DEVICE_MOTOR, try_motor);
	if (ret == 0)
		ret = try_kind(&c, DEVICE_CAMERA, check_camera);
	if (ret == 0)
		ret = try_kind(&c, DEVICE_LIGHT, check_light);
	if (ret == 0)
		finish_check(&c);
	rig_keep_awake(c.rig, false);
	cJSON_Delete(c.list);
	return ret;
}

const struct task_type task_rig_check = {
	.name = "rig_check_task",
	.title = "Check of the rig",
	.category = "core",
	.is_exclusive = true,
	.uses = (const char *const[]){"motor", "light", "camera", NULL},
	.args = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{}}",
	.run = check_run,
};
