/* The end of a complete scan_task: the contact sheet and the result. */
#include "tasks/core/scan_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/base/json.h"
#include "hal/frame.h"
#include "tasks/project/folder.h"
#include "tasks/project/project.h"
#include "tasks/capture/contact_sheet.h"

#define PHOTO_MAX (256u << 20)
/* A photo less sharp than this share of the scan's median is listed as blurred. */
#define BLURRED 0.35
#define SHEET_NAME "contact_sheet.jpg"

static int put_on_sheet(struct scan_run *s, int place, struct scan_photo photo,
			struct err *err)
{
	char path[SCAN_PATH], *bytes;
	struct frame *frame;
	size_t size;
	int ret;

	scan_photo_path(s->scan, photo, path);
	ret = folder_read(projects_folder(s->projects), path, PHOTO_MAX, &bytes, &size,
			  err);
	if (ret < 0)
		return ret;
	ret = photo_format_decode(scan_format(s->scan), bytes, size, CONTACT_SHEET_SIDE,
				  &frame, err);
	free(bytes);
	if (ret == 0) {
		ret = contact_sheet_paste(s->sheet, place, frame, err);
		frame_free(frame);
	}
	return ret;
}

/* Photos of earlier runs have no preview left, so they are decoded again. */
static void complete_sheet(struct scan_run *s)
{
	size_t n;
	const struct path_point *points = scan_points(s->scan, &n);

	for (size_t i = 0; i < n; i++) {
		struct scan_photo photo = {points[i].index, scan_stacks(s->scan) / 2};
		int place = scan_run_sheet_place(s, photo.index);
		struct err err = {0};

		if (!contact_sheet_has(s->sheet, place) &&
		    scan_photo_bytes(s->scan, photo) &&
		    put_on_sheet(s, place, photo, &err) < 0)
			scan_run_log_error(s, "a photo is not on the contact sheet",
					   &err);
	}
}

static bool write_sheet(struct scan_run *s)
{
	char path[SCAN_PATH];
	struct err err = {0};
	void *jpeg;
	size_t size;
	int ret;

	complete_sheet(s);
	snprintf(path, sizeof(path), "%s/" SHEET_NAME, scan_folder(s->scan));
	ret = contact_sheet_encode(s->sheet, &jpeg, &size, &err);
	if (ret == 0) {
		ret = folder_write(projects_folder(s->projects), path, jpeg, size, &err);
		free(jpeg);
	}
	if (ret < 0)
		scan_run_log_error(s, "there is no contact sheet", &err);
	return ret == 0;
}

static double bytes_of_photos(const struct scan_run *s)
{
	double bytes = 0;

	for (size_t i = 0; i < s->total; i++)
		bytes += (double)scan_photo_bytes(s->scan, scan_run_photo(s, i));
	return bytes;
}

/* A point's sharpest photo. */
struct sharp {
	double value;
	struct scan_photo photo;
};

static int by_value(const void *a, const void *b)
{
	const struct sharp *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* The sharpness of a point's sharpest photo, which goes to *photo; 0 when unknown. */
static double sharpest(const struct scan_run *s, int index, struct scan_photo *photo)
{
	double most = 0;

	for (int stack = 0; stack < scan_stacks(s->scan); stack++) {
		struct scan_photo each = {index, stack};
		cJSON *metadata = scan_photo_metadata(s->scan, each);
		const cJSON *quality =
			cJSON_GetObjectItemCaseSensitive(metadata, "quality");
		double sharpness = json_number(quality, "sharpness", 0);

		cJSON_Delete(metadata);
		if (sharpness > most && scan_photo_bytes(s->scan, each) > 0) {
			most = sharpness;
			*photo = each;
		}
	}
	return most;
}

/* The names of photos that are far less sharp than the median of this scan. */
static cJSON *blurred_photos(const struct scan_run *s)
{
	size_t n, known = 0;
	const struct path_point *points = scan_points(s->scan, &n);
	struct sharp *all = calloc(n, sizeof(*all));
	cJSON *names = cJSON_CreateArray();

	for (size_t i = 0; all && i < n; i++) {
		all[known].value = sharpest(s, points[i].index, &all[known].photo);
		known += all[known].value > 0;
	}
	if (known > 0)
		qsort(all, known, sizeof(*all), by_value);
	for (size_t i = 0; i < known; i++) {
		char name[SCAN_PATH];

		if (all[i].value >= BLURRED * all[known / 2].value)
			break;
		scan_photo_name(s->scan, all[i].photo, name);
		cJSON_AddItemToArray(names, cJSON_CreateString(name));
	}
	free(all);
	return names;
}

void scan_run_report_result(struct scan_run *s)
{
	bool sheet = write_sheet(s);
	cJSON *result = cJSON_CreateObject();
	char folder[4096 + SCAN_PATH], *text;

	snprintf(folder, sizeof(folder), "%s/%s", projects_root(s->projects),
		 scan_folder(s->scan));
	json_put_string(result, "project", scan_project(s->scan));
	cJSON_AddNumberToObject(result, "scan", scan_index(s->scan));
	json_put_string(result, "folder", folder);
	cJSON_AddNumberToObject(result, "points",
				(double)s->total / scan_stacks(s->scan));
	cJSON_AddNumberToObject(result, "photos", (double)s->done);
	cJSON_AddNumberToObject(result, "bytes", bytes_of_photos(s));
	cJSON_AddNumberToObject(result, "seconds",
				json_number(scan_document(s->scan), "duration", 0));
	json_put_string(result, "contact_sheet", sheet ? SHEET_NAME : NULL);
	cJSON_AddItemToObject(result, "blurred", blurred_photos(s));
	cJSON_AddItemToObject(result, "missing", cJSON_Duplicate(s->missing, true));
	text = json_text(result);
	if (text)
		s->host->result(s->run, text);
	cJSON_free(text);
	cJSON_Delete(result);
}
