#include "tasks/export/meshroom.h"

#include <stdio.h>

#include "agent/base/json.h"
#include "tasks/project/folder.h"
#include "tasks/export/camera_model.h"

#define PATH 4096
#define LENS 1 /* its number */

static const double version[] = {1, 0, 0};

static cJSON *view_json(const struct camera_model *model, size_t i, const char *photos)
{
	cJSON *view = cJSON_CreateObject();
	char path[PATH];

	snprintf(path, sizeof(path), "%s/%s", photos, model->photos[i].name);
	cJSON_AddNumberToObject(view, "viewId", (double)i + 1);
	cJSON_AddNumberToObject(view, "poseId", (double)i + 1);
	cJSON_AddNumberToObject(view, "frameId", model->photos[i].index);
	cJSON_AddNumberToObject(view, "intrinsicId", LENS);
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

	cJSON_AddNumberToObject(lens, "intrinsicId", LENS);
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

int meshroom_write(const struct camera_model *model, const struct folder *folder,
		   const char *path, const char *photos, struct err *err)
{
	cJSON *json = cJSON_CreateObject(), *views, *poses;
	int ret;

	cJSON_AddItemToObject(json, "version", cJSON_CreateDoubleArray(version, 3));
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
