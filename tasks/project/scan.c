/* A scan on disk: path.json, scan.json and the photos. */
#include "tasks/project/scan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "tasks/project/folder.h"
#include "tasks/capture/path_json.h"
#include "tasks/project/project.h"

#define STEM 40

struct scan {
	struct projects *projects;
	const struct folder *root;
	char *project;
	int index;
	char folder[SCAN_PATH - 64];
	cJSON *doc;
	struct path_point *points;
	size_t n;
	double radius;
	int stacks;
	enum photo_format format;
};

static void put_number(cJSON *object, const char *key, double value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	cJSON_AddNumberToObject(object, key, value);
}

void scan_file_path(const struct scan *scan, const char *name, char path[SCAN_PATH])
{
	snprintf(path, SCAN_PATH, "%s/%s", scan->folder, name);
}

static int scan_new(struct scan **out, struct projects *projects, const char *project,
		    int index, struct err *err)
{
	struct scan *scan;
	int ret = project_name_check(project, err);

	if (ret < 0)
		return ret;
	scan = calloc(1, sizeof(*scan));
	if (scan)
		scan->project = strdup(project);
	if (!scan || !scan->project) {
		free(scan);
		return err_set(err, -ENOMEM, "out of memory");
	}
	scan->projects = projects;
	scan->root = projects_folder(projects);
	scan->index = index;
	snprintf(scan->folder, sizeof(scan->folder), "%s/scan%02d", project, index);
	*out = scan;
	return 0;
}

void scan_close(struct scan *scan)
{
	if (!scan)
		return;
	cJSON_Delete(scan->doc);
	free(scan->points);
	free(scan->project);
	free(scan);
}

/* ---- path.json ---- */

static int write_path(const struct scan *scan, double radius, struct err *err)
{
	cJSON *json = cJSON_CreateObject();
	char now[CLOCK_TEXT], path[SCAN_PATH];
	int ret;

	clock_text(clock_wall_ms(), now);
	json_put_string(json, "project_name", scan->project);
	cJSON_AddNumberToObject(json, "scan_index", scan->index);
	json_put_string(json, "generated", now);
	cJSON_AddItemToObject(json, "points",
			      path_json(scan->points, scan->n, radius, ""));
	scan_file_path(scan, "path.json", path);
	ret = folder_write_json(scan->root, path, json, err);
	cJSON_Delete(json);
	return ret;
}

static int read_path(struct scan *scan, struct err *err)
{
	char path[SCAN_PATH];
	cJSON *json;
	int ret;

	scan_file_path(scan, "path.json", path);
	ret = folder_read_json(scan->root, path, &json, err);
	if (ret < 0)
		return ret;
	ret = path_json_read(cJSON_GetObjectItemCaseSensitive(json, "points"), "", path,
			     &scan->points, &scan->n, &scan->radius, err);
	cJSON_Delete(json);
	return ret;
}

/* ---- scan.json ---- */

static cJSON *new_document(const struct scan *scan, const struct scan_options *options)
{
	cJSON *doc = cJSON_CreateObject();
	char now[CLOCK_TEXT];

	clock_text(clock_wall_ms(), now);
	json_put_string(doc, "project_name", scan->project);
	cJSON_AddNumberToObject(doc, "index", scan->index);
	json_put_string(doc, "created", now);
	json_put_string(doc, "status", "pending");
	cJSON_AddItemToObject(doc, "settings", cJSON_Duplicate(options->settings, true));
	json_put_string(doc, "camera_name", options->camera);
	cJSON_AddItemToObject(doc, "camera_settings",
			      cJSON_Duplicate(options->camera_settings, true));
	cJSON_AddNumberToObject(doc, "points", (double)options->n);
	cJSON_AddNumberToObject(doc, "current_step", 0);
	json_put_string(doc, "system_message", NULL);
	json_put_string(doc, "last_updated", now);
	json_put_string(doc, "description", options->description);
	cJSON_AddNumberToObject(doc, "duration", 0);
	cJSON_AddNumberToObject(doc, "total_size_bytes", 0);
	cJSON_AddNumberToObject(doc, "stacked_size_bytes", 0);
	cJSON_AddArrayToObject(doc, "photos");
	json_put_string(doc, "task_id", options->task_id);
	cJSON_AddNullToObject(doc, "stacking_task_status");
	return doc;
}

/* Reads the settings that concern the photos. */
static int read_settings(struct scan *scan, struct err *err)
{
	const cJSON *settings = cJSON_GetObjectItemCaseSensitive(scan->doc, "settings");
	double stacks = json_number(settings, "focus_stacks", 1);
	const char *name = json_string(settings, "image_format");
	int format = photo_format_parse(name ? name : "jpeg");

	if (!(stacks >= 1 && stacks <= SCAN_STACKS_MAX))
		return err_code(err, -EBADMSG, "bad_json",
				"%s/scan.json is damaged: focus_stacks must be 1 to %d",
				scan->folder, SCAN_STACKS_MAX);
	if (format < 0)
		return err_code(
			err, -ENOTSUP, "not_supported",
			"the photos of %s are %s, supported are " PHOTO_FORMAT_LIST,
			scan->folder, name);
	scan->stacks = (int)stacks;
	scan->format = (enum photo_format)format;
	return 0;
}

static int make_folder(const struct scan *scan, const char *path, struct err *err)
{
	int ret = folder_make(scan->root, path, err);

	return ret == -EEXIST ? 0 : ret;
}

static int write_new(struct scan *scan, const struct scan_options *options,
		     struct err *err)
{
	char metadata[SCAN_PATH];
	int ret;

	scan->points = calloc(options->n, sizeof(*scan->points));
	if (!scan->points)
		return err_set(err, -ENOMEM, "out of memory");
	memcpy(scan->points, options->points, options->n * sizeof(*scan->points));
	scan->n = options->n;
	scan->radius = options->radius;
	scan->doc = new_document(scan, options);

	scan_file_path(scan, "metadata", metadata);
	ret = read_settings(scan, err);
	if (ret == 0)
		ret = make_folder(scan, scan->folder, err);
	if (ret == 0)
		ret = make_folder(scan, metadata, err);
	if (ret == 0)
		ret = write_path(scan, options->radius, err);
	if (ret == 0)
		ret = scan_save(scan, err);
	if (ret == 0)
		ret = projects_note_scan(scan->projects, scan->project, scan->index,
					 json_string(scan->doc, "created"), 0, err);
	return ret;
}

int scan_create(struct scan **out, struct projects *projects, const char *project,
		int index, const struct scan_options *options, struct err *err)
{
	struct scan *scan = NULL;
	int ret = scan_new(&scan, projects, project, index, err);

	if (ret < 0)
		return ret;
	ret = write_new(scan, options, err);
	if (ret < 0) {
		scan_close(scan);
		return ret;
	}
	*out = scan;
	return 0;
}

/* Says what is missing: the project, the scan or one of its files. */
static int not_there(const struct scan *scan, struct err *err)
{
	if (!folder_has(scan->root, scan->project))
		return err_code(err, -ENOENT, "not_found", "there is no project '%s'",
				scan->project);
	if (!folder_has(scan->root, scan->folder))
		return err_code(err, -ENOENT, "not_found", "project '%s' has no scan %d",
				scan->project, scan->index);
	return err_code(err, -ENOENT, "not_found",
			"scan %d of project '%s' has lost its scan.json or path.json",
			scan->index, scan->project);
}

int scan_open(struct scan **out, struct projects *projects, const char *project,
	      int index, struct err *err)
{
	struct scan *scan = NULL;
	char path[SCAN_PATH];
	int ret = scan_new(&scan, projects, project, index, err);

	if (ret < 0)
		return ret;
	scan_file_path(scan, "scan.json", path);
	ret = folder_read_json(scan->root, path, &scan->doc, err);
	if (ret == 0)
		ret = read_settings(scan, err);
	if (ret == 0)
		ret = read_path(scan, err);
	if (ret == -ENOENT)
		ret = not_there(scan, err);
	if (ret < 0) {
		scan_close(scan);
		return ret;
	}
	*out = scan;
	return 0;
}

const char *scan_project(const struct scan *scan)
{
	return scan->project;
}

int scan_index(const struct scan *scan)
{
	return scan->index;
}

const struct path_point *scan_points(const struct scan *scan, size_t *n)
{
	*n = scan->n;
	return scan->points;
}

double scan_radius(const struct scan *scan)
{
	return scan->radius;
}

const char *scan_folder(const struct scan *scan)
{
	return scan->folder;
}

const cJSON *scan_document(const struct scan *scan)
{
	return scan->doc;
}

/* ---- photos ---- */

int scan_stacks(const struct scan *scan)
{
	return scan->stacks;
}

enum photo_format scan_format(const struct scan *scan)
{
	return scan->format;
}

/* "scan01_007_fs02", without the extension. */
static void stem_of(const struct scan *scan, struct scan_photo photo, char stem[STEM])
{
	if (scan->stacks > 1)
		snprintf(stem, STEM, "scan%02d_%03d_fs%02d", scan->index, photo.index,
			 photo.stack);
	else
		snprintf(stem, STEM, "scan%02d_%03d", scan->index, photo.index);
}

void scan_photo_name(const struct scan *scan, struct scan_photo photo,
		     char name[SCAN_PATH])
{
	char stem[STEM];

	stem_of(scan, photo, stem);
	snprintf(name, SCAN_PATH, "%s.%s", stem, photo_format_extension(scan->format));
}

void scan_photo_path(const struct scan *scan, struct scan_photo photo,
		     char path[SCAN_PATH])
{
	char stem[STEM];

	stem_of(scan, photo, stem);
	snprintf(path, SCAN_PATH, "%s/%s.%s", scan->folder, stem,
		 photo_format_extension(scan->format));
}

void scan_metadata_path(const struct scan *scan, struct scan_photo photo,
			char path[SCAN_PATH])
{
	char stem[STEM];

	stem_of(scan, photo, stem);
	snprintf(path, SCAN_PATH, "%s/metadata/%s.json", scan->folder, stem);
}

cJSON *scan_photo_metadata(const struct scan *scan, struct scan_photo photo)
{
	char path[SCAN_PATH];
	cJSON *metadata;

	scan_metadata_path(scan, photo, path);
	return folder_read_json(scan->root, path, &metadata, NULL) == 0 ? metadata : NULL;
}

static double recorded_bytes(const struct scan *scan, struct scan_photo photo)
{
	cJSON *metadata = scan_photo_metadata(scan, photo);
	double bytes = json_number(metadata, "bytes", 0);

	cJSON_Delete(metadata);
	return bytes;
}

int64_t scan_photo_bytes(const struct scan *scan, struct scan_photo photo)
{
	unsigned char first[PHOTO_FORMAT_EDGE], last[PHOTO_FORMAT_EDGE];
	char path[SCAN_PATH];
	int64_t bytes;

	scan_photo_path(scan, photo, path);
	bytes = folder_file_size(scan->root, path);
	if (bytes < 2 * PHOTO_FORMAT_EDGE ||
	    (double)bytes != recorded_bytes(scan, photo) ||
	    !folder_read_at(scan->root, path, 0, first, PHOTO_FORMAT_EDGE) ||
	    !folder_read_at(scan->root, path, bytes - PHOTO_FORMAT_EDGE, last,
			    PHOTO_FORMAT_EDGE))
		return 0;
	return photo_format_is_whole(scan->format, first, last) ? bytes : 0;
}

/* ---- changes ---- */

static bool is_listed(const cJSON *photos, const char *name)
{
	const cJSON *photo;

	cJSON_ArrayForEach(photo, photos)
		if (cJSON_IsString(photo) && !strcmp(photo->valuestring, name))
			return true;
	return false;
}

static cJSON *photo_list(struct scan *scan)
{
	cJSON *photos = cJSON_GetObjectItemCaseSensitive(scan->doc, "photos");

	if (cJSON_IsArray(photos))
		return photos;
	cJSON_DeleteItemFromObjectCaseSensitive(scan->doc, "photos");
	return cJSON_AddArrayToObject(scan->doc, "photos");
}

/* False when name is listed already. */
static bool list_photo(struct scan *scan, const char *name, int64_t bytes)
{
	cJSON *photos = photo_list(scan);

	if (is_listed(photos, name))
		return false;
	cJSON_AddItemToArray(photos, cJSON_CreateString(name));
	put_number(scan->doc, "total_size_bytes",
		   json_number(scan->doc, "total_size_bytes", 0) + (double)bytes);
	return true;
}

void scan_add_photo(struct scan *scan, struct scan_photo photo, int64_t bytes)
{
	char name[SCAN_PATH];

	scan_photo_name(scan, photo, name);
	if (list_photo(scan, name, bytes))
		put_number(scan->doc, "current_step",
			   project_count_photos(photo_list(scan)));
}

void scan_add_stacked(struct scan *scan, const char *name, int64_t bytes)
{
	list_photo(scan, name, bytes);
}

const char *scan_stacking_task(const struct scan *scan)
{
	const cJSON *status =
		cJSON_GetObjectItemCaseSensitive(scan->doc, "stacking_task_status");
	const char *text = json_string(status, "status");

	return text && !strcmp(text, "running") ? json_string(status, "task_id") : NULL;
}

void scan_set_stacking(struct scan *scan, const char *task_id, const char *status)
{
	cJSON *value;

	cJSON_DeleteItemFromObjectCaseSensitive(scan->doc, "stacking_task_status");
	value = cJSON_AddObjectToObject(scan->doc, "stacking_task_status");
	json_put_string(value, "task_id", task_id);
	json_put_string(value, "status", status);
}

void scan_set_status(struct scan *scan, const char *status, const char *message)
{
	json_put_string(scan->doc, "status", status);
	json_put_string(scan->doc, "system_message", message);
}

void scan_add_seconds(struct scan *scan, double seconds)
{
	put_number(scan->doc, "duration",
		   round((json_number(scan->doc, "duration", 0) + seconds) * 1000) /
			   1000);
}

void scan_set_task(struct scan *scan, const char *task_id)
{
	json_put_string(scan->doc, "task_id", task_id);
}

int scan_save(struct scan *scan, struct err *err)
{
	char now[CLOCK_TEXT], path[SCAN_PATH];

	clock_text(clock_wall_ms(), now);
	json_put_string(scan->doc, "last_updated", now);
	scan_file_path(scan, "scan.json", path);
	return folder_write_json(scan->root, path, scan->doc, err);
}

static int64_t stacked_size(const struct scan *scan)
{
	char path[SCAN_PATH], file[SCAN_PATH * 2];
	cJSON *names = NULL;
	const cJSON *name;
	int64_t size = 0;

	scan_file_path(scan, "stacked", path);
	if (!folder_has(scan->root, path) ||
	    folder_names(scan->root, path, false, &names, NULL) < 0)
		return 0;
	cJSON_ArrayForEach(name, names) {
		size_t length = strlen(name->valuestring);

		snprintf(file, sizeof(file), "%s/%s", path, name->valuestring);
		if (length > 4 && !strcmp(name->valuestring + length - 4, ".jpg"))
			size += folder_file_size(scan->root, file);
	}
	cJSON_Delete(names);
	return size;
}

int scan_save_final(struct scan *scan, struct err *err)
{
	const char *created = json_string(scan->doc, "created");
	int64_t bytes = folder_tree_size(scan->root, scan->folder);
	int ret;

	put_number(scan->doc, "total_size_bytes", (double)bytes);
	put_number(scan->doc, "stacked_size_bytes", (double)stacked_size(scan));
	ret = scan_save(scan, err);
	if (ret == 0)
		ret = projects_note_scan(scan->projects, scan->project, scan->index,
					 created, bytes, err);
	return ret;
}
