/* Reads the cameras of a scan and writes them for COLMAP and Meshroom. */
#include "tasks/export/camera_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/json.h"
#include "tasks/project/folder.h"
#include "tasks/project/scan.h"

#define COLMAP_PATH 1024
#define MESHROOM_PATH 4096
#define MESHROOM_LENS 1 /* the number of the only lens */

static int read_lens(struct camera_model *model, const struct scan *scan,
		     const struct folder *root, struct err *err)
{
	char path[SCAN_PATH];
	cJSON *json;
	int ret;

	scan_file_path(scan, "intrinsics.json", path);
	ret = folder_read_json(root, path, &json, err);
	if (ret == -ENOENT)
		return err_code(
			err, -ENODATA, "invalid_state",
			"%s is missing: the camera did not report its focal length",
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

/* The orientation set when the scan was taken. */
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
				"no pose can express: export them as photos",
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

/* ---- COLMAP ---- */

static void print_cameras(FILE *file, const struct camera_model *model)
{
	fprintf(file, "# CAMERA_ID MODEL WIDTH HEIGHT FX FY CX CY\n");
	fprintf(file, "1 PINHOLE %d %d %.10g %.10g %.10g %.10g\n", model->width,
		model->height, model->fx, model->fy, model->cx, model->cy);
}

/* Each photo has two lines; the second lists its 2D points and is empty. */
static void print_images(FILE *file, const struct camera_model *model)
{
	fprintf(file, "# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME\n"
		      "# POINTS2D as X Y POINT3D_ID\n");
	for (size_t i = 0; i < model->n; i++) {
		const struct camera_model_photo *photo = &model->photos[i];
		const double *q = photo->pose.quaternion, *t = photo->pose.translation;

		fprintf(file, "%zu %.12g %.12g %.12g %.12g %.12g %.12g %.12g 1 %s\n\n",
			i + 1, q[0], q[1], q[2], q[3], t[0], t[1], t[2], photo->name);
	}
}

static void print_points(FILE *file, const struct camera_model *model)
{
	(void)model;
	fprintf(file, "# POINT3D_ID X Y Z R G B ERROR TRACK\n");
}

static int write_text(const struct camera_model *model, const struct folder *folder,
		      const char *path,
		      void (*print)(FILE *, const struct camera_model *), struct err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	int ret;

	if (!file)
		return err_set(err, -ENOMEM, "out of memory");
	print(file, model);
	ret = ferror(file) ? -ENOMEM : 0;
	if (fclose(file) != 0)
		ret = -ENOMEM;
	ret = ret < 0 ? err_set(err, ret, "out of memory")
		      : folder_write(folder, path, text, size, err);
	free(text);
	return ret;
}

int camera_model_write_colmap(const struct camera_model *model,
			      const struct folder *folder, const char *path,
			      struct err *err)
{
	static const struct {
		const char *name;
		void (*print)(FILE *file, const struct camera_model *model);
	} files[] = {
		{"cameras.txt", print_cameras},
		{"images.txt", print_images},
		{"points3D.txt", print_points},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char name[COLMAP_PATH];
		int ret;

		snprintf(name, sizeof(name), "%s/%s", path, files[i].name);
		ret = write_text(model, folder, name, files[i].print, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* ---- Meshroom ---- */

static const double meshroom_version[] = {1, 0, 0};

static cJSON *view_json(const struct camera_model *model, size_t i, const char *photos)
{
	cJSON *view = cJSON_CreateObject();
	char path[MESHROOM_PATH];

	snprintf(path, sizeof(path), "%s/%s", photos, model->photos[i].name);
	cJSON_AddNumberToObject(view, "viewId", (double)i + 1);
	cJSON_AddNumberToObject(view, "poseId", (double)i + 1);
	cJSON_AddNumberToObject(view, "frameId", model->photos[i].index);
	cJSON_AddNumberToObject(view, "intrinsicId", MESHROOM_LENS);
	json_put_string(view, "path", path);
	cJSON_AddNumberToObject(view, "width", model->width);
	cJSON_AddNumberToObject(view, "height", model->height);
	cJSON_AddObjectToObject(view, "metadata");
	return view;
}

static cJSON *pose_json(const struct pose *pose, size_t i)
{
	cJSON *json = cJSON_CreateObject(), *part, *transform, *rotation;

	cJSON_AddNumberToObject(json, "poseId", (double)i + 1);
	part = cJSON_AddObjectToObject(json, "pose");
	transform = cJSON_AddObjectToObject(part, "transform");
	rotation = cJSON_AddArrayToObject(transform, "rotation");
	for (int k = 0; k < 9; k++)
		cJSON_AddItemToArray(rotation,
				     cJSON_CreateNumber(pose->rotation[k % 3][k / 3]));
	cJSON_AddItemToObject(transform, "center",
			      cJSON_CreateDoubleArray(pose->centre, 3));
	cJSON_AddNumberToObject(part, "locked", 1);
	return json;
}

static cJSON *lens_json(const struct camera_model *model)
{
	const double middle[] = {model->cx, model->cy};
	cJSON *lens = cJSON_CreateObject();

	cJSON_AddNumberToObject(lens, "intrinsicId", MESHROOM_LENS);
	cJSON_AddNumberToObject(lens, "width", model->width);
	cJSON_AddNumberToObject(lens, "height", model->height);
	json_put_string(lens, "serialNumber", "openscan");
	json_put_string(lens, "type", "pinhole");
	json_put_string(lens, "initializationMode", "calibrated");
	cJSON_AddNumberToObject(lens, "pxInitialFocalLength", model->fx);
	cJSON_AddNumberToObject(lens, "pxFocalLength", model->fx);
	cJSON_AddItemToObject(lens, "principalPoint", cJSON_CreateDoubleArray(middle, 2));
	cJSON_AddArrayToObject(lens, "distortionParams");
	cJSON_AddNumberToObject(lens, "locked", 1);
	return lens;
}

int camera_model_write_meshroom(const struct camera_model *model,
				const struct folder *folder, const char *path,
				const char *photos, struct err *err)
{
	cJSON *json = cJSON_CreateObject(), *views, *poses;
	int ret;

	cJSON_AddItemToObject(json, "version",
			      cJSON_CreateDoubleArray(meshroom_version, 3));
	views = cJSON_AddArrayToObject(json, "views");
	cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "intrinsics"),
			     lens_json(model));
	poses = cJSON_AddArrayToObject(json, "poses");
	for (size_t i = 0; i < model->n; i++) {
		cJSON_AddItemToArray(views, view_json(model, i, photos));
		cJSON_AddItemToArray(poses, pose_json(&model->photos[i].pose, i));
	}
	ret = folder_write_json(folder, path, json, err);
	cJSON_Delete(json);
	return ret;
}
