/* The loop of scan_task: move, settle, take the photo, hand it to the writer. */
#include "tasks/core/scan_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/interrupt.h"
#include "agent/base/json.h"
#include "hal/frame.h"
#include "tasks/folder.h"
#include "tasks/photo.h"
#include "tasks/project.h"
#include "tasks/scan.h"
#include "tasks/sheet.h"
#include "tasks/writer.h"

#define ATTEMPTS 3    /* at one photo */
#define LOST_CAMERA 3 /* photos that fail in a row: it will not come back by itself */
#define THUMBNAIL_SIDE 512
#define THUMBNAIL_QUALITY 85

static void warn(const struct scan_run *s, const struct err *err)
{
	s->host->log(s->run, TASK_LOG_WARN, err->text);
}

/* ---- what the writer reports ---- */

static void tell_photo(const struct scan_run *s, const struct path_point *point,
		       int64_t bytes)
{
	cJSON *data = cJSON_CreateObject();
	char name[SCAN_PATH], message[64], *text;

	scan_photo_name(s->scan, point->index, name);
	json_put_string(data, "file", name);
	cJSON_AddNumberToObject(data, "index", point->index);
	cJSON_AddNumberToObject(data, "done", (double)s->done);
	cJSON_AddNumberToObject(data, "total", (double)s->total);
	cJSON_AddNumberToObject(data, "theta", point->theta);
	cJSON_AddNumberToObject(data, "fi", point->fi);
	cJSON_AddNumberToObject(data, "bytes", (double)bytes);
	text = json_text(data);
	if (text)
		s->host->event(s->run, "scan.photo", text);
	cJSON_free(text);
	cJSON_Delete(data);

	snprintf(message, sizeof(message), "Photo %zu of %zu", s->done, s->total);
	s->host->progress(s->run, (double)s->done, (double)s->total, message);
}

/* The first photo of a project stands for it. */
static void keep_thumbnail(const struct scan_run *s, const void *jpeg, size_t size)
{
	const struct folder *folder = projects_folder(s->projects);
	struct frame *photo, *upright = NULL;
	char path[SCAN_PATH];
	struct err err = {0};
	void *thumbnail;
	size_t length;
	int ret;

	snprintf(path, sizeof(path), "%s/thumbnail.jpg", scan_project(s->scan));
	if (folder_file_size(folder, path) > 0)
		return;
	ret = photo_decode(jpeg, size, THUMBNAIL_SIDE, &photo, &err);
	if (ret == 0) {
		upright = photo_upright(photo);
		frame_free(photo);
	}
	if (upright) {
		upright->jpeg_quality = THUMBNAIL_QUALITY;
		ret = photo_encode(upright, &thumbnail, &length, &err);
		frame_free(upright);
		if (ret == 0) {
			ret = folder_write(folder, path, thumbnail, length, &err);
			free(thumbnail);
		}
	}
	if (ret < 0)
		warn(s, &err);
}

int scan_run_place(const struct scan_run *s, int index)
{
	size_t n;
	const struct path_point *points = scan_points(s->scan, &n);
	int place = 0;

	/* A path that was written by hand may leave numbers out. */
	for (size_t i = 0; i < n; i++)
		place += points[i].index < index;
	return place;
}

static void show_preview(const struct scan_run *s, const struct path_point *point,
			 const struct writer_report *report)
{
	struct err err = {0};

	if (!report->preview)
		return;
	s->host->image(s->run, rig_name(s->rig, DEVICE_CAMERA, s->plan.camera),
		       report->preview, report->preview_size);
	if (sheet_put(s->sheet, scan_run_place(s, point->index), report->preview,
		      report->preview_size, &err) < 0)
		warn(s, &err);
	keep_thumbnail(s, report->preview, report->preview_size);
}

/* On disk: now it counts. */
static int count_photo(struct scan_run *s, const struct writer_report *report)
{
	const struct path_point *point = &s->plan.points[report->place];
	struct err err = {0};
	int ret;

	s->done++;
	scan_add_photo(s->scan, point->index, report->bytes);
	if (scan_save(s->scan, &err) < 0)
		return scan_run_fail(s, &err);
	ret = scan_run_checkpoint(s);
	tell_photo(s, point, report->bytes);
	show_preview(s, point, report);
	return ret;
}

int scan_run_collect(struct scan_run *s, bool wait)
{
	struct writer_report report;
	int first = 0;

	while (s->writer && writer_take(s->writer, wait, &report)) {
		int ret = report.err.number ? scan_run_fail(s, &report.err)
					    : count_photo(s, &report);

		free(report.preview);
		if (ret && !first)
			first = ret;
	}
	return first;
}

/* ---- one point ---- */

static void set_status(struct scan_run *s, const char *status)
{
	struct err err = {0};

	scan_set_status(s->scan, status, NULL);
	if (scan_save(s->scan, &err) < 0)
		warn(s, &err);
}

/* What is taken is written before the run rests, so that a paused scan is whole. */
static int gate(struct scan_run *s)
{
	int64_t since = clock_monotonic_ms();
	bool resting = interrupt_raised(s->host->interrupt(s->run));
	int ret = scan_run_collect(s, resting);

	if (ret)
		return ret;
	if (resting)
		set_status(s, "paused");
	ret = s->host->gate(s->run);
	if (resting && ret == 0)
		set_status(s, "running");
	s->waited_ms += clock_monotonic_ms() - since;
	return ret;
}

/* motor/stop or an emergency stop. */
static int fail_halted(struct scan_run *s)
{
	struct err err;

	s->halted = true;
	err_code(&err, -ECANCELED, "interrupted", "motion was stopped");
	return scan_run_fail(s, &err);
}

static int move_to(struct scan_run *s, const struct path_point *point)
{
	const struct rig_target targets[] = {
		{.motor = SCAN_ROTOR, .degrees = point->theta},
		{.motor = SCAN_TURNTABLE, .degrees = point->fi},
	};

	for (;;) {
		struct err err = {0};
		int ret = gate(s);

		if (ret)
			return ret;
		s->moved = true;
		ret = rig_move(s->rig, targets, 2, s->host->interrupt(s->run), &err);
		if (ret == 0)
			return 0;
		if (ret == -ECANCELED || rig_estopped(s->rig))
			return fail_halted(s);
		if (ret != -EINTR)
			return scan_run_fail(s, &err);
	}
}

/* A pause cuts the rest short, so what is left of it follows afterwards. */
static int settle(struct scan_run *s)
{
	int64_t end = clock_monotonic_ms() + s->plan.settings.pause_ms, now;
	int ret = 0;

	while (ret == 0 && (now = clock_monotonic_ms()) < end)
		ret = s->host->sleep(s->run, end - now);
	return ret;
}

/* 0 with a frame, or without one when the photo is given up. */
static int capture(struct scan_run *s, struct frame **frame, struct err *err)
{
	int attempts = 0;

	*frame = NULL;
	while (attempts < ATTEMPTS) {
		int ret = gate(s);

		if (ret)
			return ret;
		ret = rig_capture(s->rig, s->plan.camera, s->host->interrupt(s->run),
				  frame, err);
		if (ret == 0)
			return 0;
		*frame = NULL;
		if (ret == -ECANCELED || rig_estopped(s->rig))
			return fail_halted(s);
		if (ret != -EINTR)
			attempts++;
	}
	return 0;
}

static int give_up(struct scan_run *s, const struct path_point *point,
		   const struct err *err)
{
	char name[SCAN_PATH], message[SCAN_PATH + sizeof(err->text) + 16];

	scan_photo_name(s->scan, point->index, name);
	snprintf(message, sizeof(message), "%s is missing: %s", name, err->text);
	s->host->log(s->run, TASK_LOG_WARN, message);
	cJSON_AddItemToArray(s->missing, cJSON_CreateString(name));
	s->camera_err = *err;
	if (s->stop_on_error || ++s->failed_in_a_row == LOST_CAMERA)
		return scan_run_fail(s, err);
	return 0;
}

static cJSON *details_of(const struct scan_run *s, const struct path_point *point,
			 const struct frame *frame)
{
	cJSON *details = cJSON_CreateObject(), *camera, *scan, *part;
	double xyz[3];

	json_put_string(details, "format", "jpeg");
	camera = cJSON_AddObjectToObject(details, "camera_metadata");
	json_put_string(camera, "camera_name", frame->camera);
	cJSON_AddItemToObject(camera, "camera_settings",
			      rig_camera_settings(s->rig, s->plan.camera));
	part = cJSON_AddObjectToObject(camera, "raw_metadata");
	cJSON_AddNumberToObject(part, "taken_at_ms", (double)frame->taken_at_ms);
	cJSON_AddNumberToObject(part, "shutter_ms", frame->shutter_ms);
	cJSON_AddNumberToObject(part, "gain", frame->gain);
	cJSON_AddNumberToObject(part, "focal_px", frame->focal_px);
	cJSON_AddNumberToObject(part, "width", frame->width);
	cJSON_AddNumberToObject(part, "height", frame->height);

	path_cartesian(point, rig_scan_radius(s->rig), xyz);
	scan = cJSON_AddObjectToObject(details, "scan_metadata");
	cJSON_AddNumberToObject(scan, "step", point->index);
	json_put_string(scan, "project_name", scan_project(s->scan));
	cJSON_AddNumberToObject(scan, "scan_index", scan_index(s->scan));
	cJSON_AddNullToObject(scan, "stack_index");
	part = cJSON_AddObjectToObject(scan, "polar_coordinates");
	cJSON_AddNumberToObject(part, "theta", point->theta);
	cJSON_AddNumberToObject(part, "fi", point->fi);
	cJSON_AddNumberToObject(part, "r", rig_scan_radius(s->rig));
	part = cJSON_AddObjectToObject(scan, "cart_coordinates");
	cJSON_AddNumberToObject(part, "x", xyz[0]);
	cJSON_AddNumberToObject(part, "y", xyz[1]);
	cJSON_AddNumberToObject(part, "z", xyz[2]);
	return details;
}

static int hand_over(struct scan_run *s, size_t i, struct frame *frame)
{
	const struct path_point *point = &s->plan.points[i];
	struct writer_job job = {.place = (int)i, .frame = frame};
	struct err err = {0};

	scan_photo_path(s->scan, point->index, job.photo);
	scan_metadata_path(s->scan, point->index, job.metadata);
	job.details = details_of(s, point, frame);
	return writer_put(s->writer, &job, &err) < 0 ? scan_run_fail(s, &err) : 0;
}

static int shoot_point(struct scan_run *s, size_t i)
{
	const struct path_point *point = &s->plan.points[i];
	struct err err = {0};
	struct frame *frame;
	int ret = move_to(s, point);

	if (ret == 0)
		ret = settle(s);
	if (ret == 0)
		ret = capture(s, &frame, &err);
	if (ret)
		return ret;
	if (!frame)
		return give_up(s, point, &err);
	s->failed_in_a_row = 0;
	return hand_over(s, i, frame);
}

int scan_run_shoot(struct scan_run *s)
{
	int ret = 0;

	for (size_t i = 0; i < s->plan.n && ret == 0; i++) {
		int64_t since = clock_monotonic_ms(), waited = s->waited_ms;

		ret = shoot_point(s, i);
		waited = s->waited_ms - waited;
		scan_add_seconds(s->scan,
				 (double)(clock_monotonic_ms() - since - waited) / 1000);
	}
	return ret ? ret : scan_run_collect(s, true);
}
