/* The calibration of focus_stacking_task: how the frames of a batch align, measured on
 * three batches.  Focusing changes the image scale in the same way at every point, so the
 * calibration helps where a batch's own pictures show too little. */
#include "tasks/core/stacking_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/json.h"
#include "tasks/project/folder.h"

#define BATCHES 3

/* Sums over the measured batches. */
struct calibration {
	struct warp warps[STACK_FRAMES][BATCHES];
	int counts[STACK_FRAMES];
	struct layout layout;
};

static void calibration_path(const struct stacking *s, char path[SCAN_PATH])
{
	char name[SCAN_PATH];

	focus_batch_calibration(s->scan, name);
	scan_file_path(s->scan, name, path);
}

/* ---- on disk ---- */

static cJSON *matrix_json(const struct warp *warp, int width, int height)
{
	cJSON *rows = cJSON_CreateArray();
	double m[6];

	warp_matrix(warp, width, height, m);
	for (int i = 0; i < 2; i++)
		cJSON_AddItemToArray(rows, cJSON_CreateDoubleArray(m + i * 3, 3));
	return rows;
}

static int write_calibration(const struct stacking *s, const struct layout *layout,
			     struct err *err)
{
	cJSON *json = cJSON_CreateObject(), *transforms;
	char path[SCAN_PATH];
	int ret;

	json_put_string(json, "project", scan_project(s->scan));
	cJSON_AddNumberToObject(json, "scan_index", scan_index(s->scan));
	cJSON_AddNumberToObject(json, "width", layout->width);
	cJSON_AddNumberToObject(json, "height", layout->height);
	transforms = cJSON_AddArrayToObject(json, "transforms");
	for (int i = 0; i < scan_stacks(s->scan); i++)
		cJSON_AddItemToArray(transforms,
				     s->known.is[i]
					     ? matrix_json(&s->known.warps[i],
							   layout->width, layout->height)
					     : cJSON_CreateNull());
	calibration_path(s, path);
	ret = folder_write_json(s->folder, path, json, err);
	cJSON_Delete(json);
	return ret;
}

static bool read_matrix(const cJSON *rows, int width, int height, struct warp *warp)
{
	double m[6];

	for (int i = 0; i < 6; i++) {
		const cJSON *cell =
			cJSON_GetArrayItem(cJSON_GetArrayItem(rows, i / 3), i % 3);

		if (!cJSON_IsNumber(cell))
			return false;
		m[i] = cell->valuedouble;
	}
	*warp = warp_from_matrix(m, width, height);
	return true;
}

/* Reads the calibration that an earlier run measured. */
static bool read_calibration(struct stacking *s)
{
	char path[SCAN_PATH];
	const cJSON *transforms;
	cJSON *json;
	int width, height;

	calibration_path(s, path);
	if (folder_read_json(s->folder, path, &json, NULL) < 0)
		return false;
	transforms = cJSON_GetObjectItemCaseSensitive(json, "transforms");
	width = (int)json_number(json, "width", 0);
	height = (int)json_number(json, "height", 0);
	s->calibrated = width > 0 && height > 0 &&
			cJSON_GetArraySize(transforms) == scan_stacks(s->scan);
	for (int i = 0; s->calibrated && i < scan_stacks(s->scan); i++)
		s->known.is[i] = read_matrix(cJSON_GetArrayItem(transforms, i), width,
					     height, &s->known.warps[i]);
	cJSON_Delete(json);
	return s->calibrated;
}

/* ---- measuring ---- */

/* The n-th complete batch. */
static const struct focus_batch *complete_batch(const struct stacking *s, size_t n)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->batches[i].photos == scan_stacks(s->scan) && n-- == 0)
			return &s->batches[i];
	return NULL;
}

static void add_warps(struct calibration *c, const struct stack_report *report,
		      int frames)
{
	c->layout = report->layout;
	for (int i = 0; i < frames; i++)
		if (report->aligned[i])
			c->warps[i][c->counts[i]++] = report->warps[i];
}

/* A damaged batch is reported later, when it is stacked. */
static int measure_batch(struct stacking *s, struct calibration *c, size_t n,
			 struct stack_report *report, struct err *err)
{
	struct stacking_source source = {s, complete_batch(s, n)->index};
	struct stack_job job = stacking_job(s, &source);
	int ret, gate = 0;

	job.trust_known = false;
	do {
		ret = stacking_take_turn(&job, report, NULL, NULL, err);
		if (ret == -EINTR)
			gate = s->host->gate(s->run);
	} while (ret == -EINTR && gate == 0);
	if (gate)
		return gate;
	if (ret == 0)
		add_warps(c, report, job.count);
	return ret == -EBADMSG || ret == -ENOENT ? 0 : ret;
}

static void average(struct stacking *s, const struct calibration *c)
{
	for (int i = 0; i < scan_stacks(s->scan); i++) {
		s->known.is[i] = c->counts[i] > 0;
		if (s->known.is[i])
			s->known.warps[i] = warp_mean(c->warps[i], c->counts[i]);
	}
}

static int measure(struct stacking *s, struct calibration *c, struct stack_report *report,
		   struct err *err)
{
	size_t batches = s->complete < BATCHES ? s->complete : BATCHES;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < batches; i++)
		ret = measure_batch(
			s, c, batches > 1 ? i * (s->complete - 1) / (batches - 1) : 0,
			report, err);
	if (ret || !c->layout.width)
		return ret;
	average(s, c);
	s->calibrated = true;
	return write_calibration(s, &c->layout, err);
}

int stacking_calibrate(struct stacking *s, struct stack_report *report, struct err *err)
{
	struct calibration *c;
	int ret;

	if (s->after >= 0 && read_calibration(s))
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(err, -ENOMEM, "out of memory");
	ret = measure(s, c, report, err);
	free(c);
	return ret;
}
