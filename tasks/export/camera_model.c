#include "tasks/export/camera_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "tasks/project/folder.h"
#include "tasks/project/scan.h"

static int read_lens(struct camera_model *model, const struct scan *scan,
		     const struct folder *root, struct err *err)
{
	char path[SCAN_PATH];
	cJSON *json;
	int ret;

	scan_file_path(scan, "intrinsics.json", path);
	ret = folder_read_json(root, path, &json, err);
	if (ret == -ENOENT)
		return err_code(err, -ENODATA, "invalid_state",
				"%s is missing: the camera did not tell its focal length",
				path);
	if (ret < 0)
		return ret;
	model->width = (int)json_number(json, "width", 0);
	model->height = (int)json_number(json, "height", 0);
	model->fx = json_number(json, "fx", 0);
	model->fy = json_number(json, "fy", 0);
	model->cx = json_number(json, "cx", 0);
	model->cy = json_number(json, "cy", 0);
	cJSON_Delete(json);
	if (model->width > 0 && model->height > 0 && model->fx > 0 && model->fy > 0)
		return 0;
	return err_code(err, -EBADMSG, "bad_json", "%s is damaged: it holds no lens",
			path);
}

/* As the camera was set when the scan was made. */
static int orientation_of(const struct scan *scan)
{
	const cJSON *settings =
		cJSON_GetObjectItemCaseSensitive(scan_document(scan), "camera_settings");

	return (int)json_number(settings, "orientation_flag", 1);
}

static int add_photos(struct camera_model *model, const struct scan *scan,
		      const struct path_point *point, struct err *err)
{
	int orientation = orientation_of(scan);

	for (int stack = 0; stack < scan_stacks(scan); stack++) {
		struct scan_photo each = {point->index, stack};
		struct camera_model_photo *photo = &model->photos[model->n];
		char name[SCAN_PATH];

		if (scan_photo_bytes(scan, each) == 0)
			continue;
		scan_photo_name(scan, each, name);
		snprintf(photo->name, sizeof(photo->name), "%.*s", CAMERA_MODEL_NAME - 1,
			 name);
		photo->index = point->index;
		if (pose_at(point, scan_radius(scan), orientation, &photo->pose) < 0)
			return err_code(
				err, -ENOTSUP, "not_supported",
				"the photos are mirrored (orientation_flag %d), which "
				"no pose can tell: export them as photos",
				orientation);
		model->n++;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct camera_model_photo *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int camera_model_read(struct camera_model *model, const struct scan *scan,
		      const struct folder *root, struct err *err)
{
	size_t n;
	const struct path_point *points = scan_points(scan, &n);
	int ret;

	*model = (struct camera_model){0};
	ret = read_lens(model, scan, root, err);
	if (ret < 0)
		return ret;
	model->photos = calloc(n * (size_t)scan_stacks(scan), sizeof(*model->photos));
	if (!model->photos)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = add_photos(model, scan, &points[i], err);
	if (ret < 0)
		return ret;
	qsort(model->photos, model->n, sizeof(*model->photos), by_name);
	return 0;
}

void camera_model_close(struct camera_model *model)
{
	free(model->photos);
}
