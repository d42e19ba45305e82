/* Handles the photo writer's reports for scan_task: counts, event, preview, intrinsics.
 */
#include "tasks/core/scan_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "hal/frame.h"
#include "tasks/project/folder.h"
#include "tasks/capture/photo.h"
#include "tasks/project/project.h"
#include "tasks/capture/contact_sheet.h"
#include "tasks/project/photo_writer.h"

#define THUMBNAIL_SIDE 512
#define THUMBNAIL_QUALITY 85

static void warn(const struct scan_run *s, const struct err *err)
{
	s->host->log(s->run, TASK_LOG_WARN, err->text);
}

static void report_photo(const struct scan_run *s, const struct scan_shot *shot,
			 const struct photo_writer_report *report)
{
	cJSON *data = cJSON_CreateObject();
	char name[SCAN_PATH], message[64], *text;

	scan_photo_name(s->scan, shot->photo, name);
	json_put_string(data, "file", name);
	cJSON_AddNumberToObject(data, "index", shot->photo.index);
	if (scan_stacks(s->scan) > 1)
		cJSON_AddNumberToObject(data, "stack", shot->photo.stack);
	cJSON_AddNumberToObject(data, "done", (double)s->done);
	cJSON_AddNumberToObject(data, "total", (double)s->total);
	cJSON_AddNumberToObject(data, "theta", shot->point->theta);
	cJSON_AddNumberToObject(data, "fi", shot->point->fi);
	cJSON_AddNumberToObject(data, "bytes", (double)report->bytes);
	quality_put(&report->quality, data);
	text = json_text(data);
	if (text)
		s->host->event(s->run, "scan.photo", text);
	cJSON_free(text);
	cJSON_Delete(data);

	snprintf(message, sizeof(message), "Photo %zu of %zu", s->done, s->total);
	s->host->progress(s->run, (double)s->done, (double)s->total, message);
}

/* A project's thumbnail is the first photo ever taken for it. */
static void write_thumbnail(const struct scan_run *s, const void *jpeg, size_t size)
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

int scan_run_sheet_place(const struct scan_run *s, int index)
{
	size_t n;
	const struct path_point *points = scan_points(s->scan, &n);
	int place = 0;

	/* A path.json written by hand may skip numbers. */
	for (size_t i = 0; i < n; i++)
		place += points[i].index < index;
	return place;
}

/* The sheet shows the middle photo of each focus bracket. */
static bool is_on_sheet(const struct scan_run *s, const struct scan_shot *shot)
{
	return shot->photo.stack == scan_stacks(s->scan) / 2;
}

static void show_preview(const struct scan_run *s, const struct scan_shot *shot,
			 const struct photo_writer_report *report)
{
	struct err err = {0};

	if (!report->preview)
		return;
	s->host->image(s->run, rig_name(s->rig, DEVICE_CAMERA, s->plan.camera),
		       report->preview, report->preview_size);
	if (is_on_sheet(s, shot) &&
	    contact_sheet_put(s->sheet, scan_run_sheet_place(s, shot->photo.index),
			      report->preview, report->preview_size, &err) < 0)
		warn(s, &err);
	write_thumbnail(s, report->preview, report->preview_size);
}

/* Writes intrinsics.json: the lens as a pinhole camera, in pixels, for reconstruction
 * programs.  All photos of a scan share it, so the first one decides. */
static void write_intrinsics(const struct scan_run *s,
			     const struct photo_writer_report *report)
{
	const struct folder *folder = projects_folder(s->projects);
	char path[SCAN_PATH];
	struct err err = {0};
	cJSON *json;

	scan_file_path(s->scan, "intrinsics.json", path);
	if (!(report->focal_px > 0) || folder_file_size(folder, path) > 0)
		return;
	json = cJSON_CreateObject();
	json_put_string(json, "camera", rig_name(s->rig, DEVICE_CAMERA, s->plan.camera));
	json_put_string(json, "model", "PINHOLE");
	cJSON_AddNumberToObject(json, "width", report->width);
	cJSON_AddNumberToObject(json, "height", report->height);
	cJSON_AddNumberToObject(json, "fx", report->focal_px);
	cJSON_AddNumberToObject(json, "fy", report->focal_px);
	cJSON_AddNumberToObject(json, "cx", report->width / 2.0);
	cJSON_AddNumberToObject(json, "cy", report->height / 2.0);
	if (report->focal_mm > 0)
		cJSON_AddNumberToObject(json, "focal_mm", report->focal_mm);
	if (folder_write_json(folder, path, json, &err) < 0)
		warn(s, &err);
	cJSON_Delete(json);
}

/* A photo counts once it is on disk. */
static int save_photo(struct scan_run *s, struct scan_shot *shot,
		      const struct photo_writer_report *report)
{
	struct err err = {0};
	int ret;

	shot->state = SHOT_SAVED;
	s->failed_in_a_row = 0;
	s->done++;
	scan_add_photo(s->scan, shot->photo, report->bytes);
	write_intrinsics(s, report);
	if (scan_save(s->scan, &err) < 0)
		return scan_run_fail(s, &err);
	ret = scan_run_checkpoint(s);
	report_photo(s, shot, report);
	show_preview(s, shot, report);
	return ret;
}

static int handle_report(struct scan_run *s, const struct photo_writer_report *report)
{
	struct scan_shot *shot = &s->shots[report->place];

	if (!report->err.number)
		return save_photo(s, shot, report);
	if (!report->unread)
		return scan_run_fail(s, &report->err);
	scan_run_note_failure(s, shot, &report->err);
	return 0;
}

enum wait { WAIT_NONE, WAIT_UNTIL_OVER, WAIT_FOR_ALL };

static int collect(struct scan_run *s, enum wait wait, const atomic_bool *over)
{
	struct photo_writer_report report;
	int first = 0;

	while (s->writer &&
	       (wait == WAIT_UNTIL_OVER
			? photo_writer_take_until(s->writer, over, &report)
			: photo_writer_take(s->writer, wait == WAIT_FOR_ALL, &report))) {
		int ret = handle_report(s, &report);

		free(report.preview);
		if (ret && !first)
			first = ret;
	}
	return first;
}

int scan_run_collect(struct scan_run *s)
{
	return collect(s, WAIT_NONE, NULL);
}

int scan_run_collect_all(struct scan_run *s)
{
	return collect(s, WAIT_FOR_ALL, NULL);
}

int scan_run_collect_until(struct scan_run *s, const atomic_bool *over)
{
	return collect(s, WAIT_UNTIL_OVER, over);
}
