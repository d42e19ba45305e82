/* export_task: exports a scan's photos to a folder, for reconstruction programs.
 *
 * Existing files are left alone, so a run after an interruption, or after more photos
 * were taken, exports only the others.  It writes below the folders of the setting
 * export.roots and nowhere else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/json.h"
#include "tasks/core/preflight.h"
#include "tasks/project/folder.h"
#include "tasks/export/camera_model.h"
#include "tasks/project/project.h"
#include "tasks/project/scan.h"
#include "tasks/services.h"
#include "tasks/task_api.h"

#define PATH 1024

static const char export_schema[] =
	"{\"type\":\"object\",\"additionalProperties\":false,"
	"\"required\":[\"project\",\"scan\",\"path\"],\"properties\":{"
	"\"project\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":150},"
	"\"scan\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9999},"
	"\"format\":{\"enum\":[\"photos\",\"colmap\",\"meshroom\"],\"default\":\"photos\","
	"\"description\":\"With which program's cameras\"},"
	"\"path\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":900,"
	"\"description\":\"A folder below one of the setting export.roots\"}}}";

/* The differences between the formats. */
struct layout {
	const char *name;
	const char *photos; /* folder of the photos below path; "" for path itself */
	const char *model;  /* folder of the model; NULL for none */
};

static const struct layout layouts[] = {
	{"photos", "", NULL},
	{"colmap", "/images", "/sparse/0"},
	{"meshroom", "", ""},
};

struct export
{
	const struct task_host *host;
	struct task_run *run;
	const struct folder *photos; /* the projects' */
	struct scan *scan;
	struct folder *root; /* of export.roots */
	char below[PATH];    /* the folder within root */
	const char *path;    /* the folder as the argument names it */
	const struct layout *layout;
	size_t done, total, copied;
	double bytes;
};

static const struct layout *find_layout(const char *name)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (name && !strcmp(layouts[i].name, name))
			return &layouts[i];
	return &layouts[0];
}

/* The part of path below root, without a trailing slash; NULL when path is elsewhere. */
static const char *path_below(const char *path, const char *root)
{
	size_t length = strlen(root);

	while (length > 0 && root[length - 1] == '/')
		length--;
	if (strncmp(path, root, length) != 0 || path[length] != '/')
		return NULL;
	return path[length + 1] ? path + length + 1 : NULL;
}

/* A missing root is a disk that is not plugged in, so it is not created. */
static int open_root(struct export *e, const char *root, const char *rest,
		     struct err *err)
{
	struct stat st;

	if (stat(root, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_code(err, -ENOENT, "not_found",
				"the folder %s of the setting export.roots is not there",
				root);
	snprintf(e->below, sizeof(e->below), "%s", rest);
	for (size_t end = strlen(e->below); end > 0 && e->below[end - 1] == '/'; end--)
		e->below[end - 1] = '\0';
	return folder_open(&e->root, root, err);
}

static int find_root(struct export *e, struct err *err)
{
	const cJSON *roots = e->host->services->export_roots, *root;

	cJSON_ArrayForEach(root, roots) {
		const char *rest = path_below(e->path, root->valuestring);

		if (rest)
			return open_root(e, root->valuestring, rest, err);
	}
	if (!cJSON_GetArraySize(roots))
		return err_code(
			err, -EPERM, "not_supported",
			"nothing may be exported: the setting export.roots is empty");
	return err_code(
		err, -EPERM, "invalid_args",
		"path must be below one of the folders of the setting export.roots, "
		"not %s",
		e->path);
}

/* Reconstruction programs read pictures, not arrays. */
static int check_format(const struct export *e, struct err *err)
{
	if (!e->layout->model || scan_format(e->scan) == PHOTO_FORMAT_JPEG)
		return 0;
	return err_code(
		err, -ENOTSUP, "not_supported",
		"the photos of this scan are %s, and %s needs jpeg: export them as "
		"photos",
		photo_format_name(scan_format(e->scan)), e->layout->name);
}

/* Finds everything and creates nothing. */
static int prepare(struct export *e, const cJSON *args, struct err *err)
{
	int ret;

	e->path = json_string(args, "path");
	e->layout = find_layout(json_string(args, "format"));
	ret = find_root(e, err);
	if (ret == 0)
		ret = scan_open(&e->scan, e->host->services->projects,
				json_string(args, "project"),
				(int)json_number(args, "scan", 0), err);
	return ret < 0 ? ret : check_format(e, err);
}

static int make_folders(struct export *e, struct err *err)
{
	char folder[PATH + 32];
	int ret;

	snprintf(folder, sizeof(folder), "%s%s", e->below, e->layout->photos);
	ret = folder_make_all(e->root, folder, err);
	if (ret == 0 && e->layout->model) {
		snprintf(folder, sizeof(folder), "%s%s", e->below, e->layout->model);
		ret = folder_make_all(e->root, folder, err);
	}
	return ret;
}

static int export_photo(struct export *e, struct scan_photo photo, int64_t bytes,
			struct err *err)
{
	char from[SCAN_PATH], name[SCAN_PATH], to[PATH + SCAN_PATH], message[64];
	int ret;

	scan_photo_path(e->scan, photo, from);
	scan_photo_name(e->scan, photo, name);
	snprintf(to, sizeof(to), "%s%s/%s", e->below, e->layout->photos, name);
	ret = folder_share(e->photos, from, e->root, to, err);
	if (ret < 0)
		return ret;
	e->copied += ret == 1;
	e->done++;
	e->bytes += (double)bytes;
	snprintf(message, sizeof(message), "Photo %zu of %zu", e->done, e->total);
	e->host->progress(e->run, (double)e->done, (double)e->total, message);
	return 0;
}

static struct scan_photo photo_at(const struct export *e, size_t i)
{
	size_t n, stacks = (size_t)scan_stacks(e->scan);
	const struct path_point *points = scan_points(e->scan, &n);

	return (struct scan_photo){points[i / stacks].index, (int)(i % stacks)};
}

static size_t photos_planned(const struct export *e)
{
	size_t n;

	scan_points(e->scan, &n);
	return n * (size_t)scan_stacks(e->scan);
}

/* 0, the gate's answer, or -1 after fail_with(). */
static int export_photos(struct export *e)
{
	e->total = photos_planned(e);
	for (size_t i = 0; i < e->total; i++) {
		struct scan_photo photo = photo_at(e, i);
		int64_t bytes = scan_photo_bytes(e->scan, photo);
		struct err err = {0};
		int ret = e->host->gate(e->run);

		if (ret)
			return ret;
		if (bytes > 0 && export_photo(e, photo, bytes, &err) < 0)
			return e->host->fail_with(e->run, err.code, err.text);
	}
	return 0;
}

static int write_model(struct export *e, struct err *err)
{
	char path[PATH + 32], photos[PATH * 5];
	struct camera_model model;
	int ret;

	if (!e->layout->model)
		return 0;
	snprintf(path, sizeof(path), "%s%s", e->below, e->layout->model);
	snprintf(photos, sizeof(photos), "%s/%s", folder_path(e->root), e->below);
	ret = camera_model_read(&model, e->scan, e->photos, err);
	if (ret == 0 && !strcmp(e->layout->name, "colmap"))
		ret = camera_model_write_colmap(&model, e->root, path, err);
	else if (ret == 0) {
		strncat(path, "/cameras.sfm", sizeof(path) - strlen(path) - 1);
		ret = camera_model_write_meshroom(&model, e->root, path, photos, err);
	}
	camera_model_close(&model);
	return ret;
}

static void report_result(const struct export *e)
{
	cJSON *result = cJSON_CreateObject();
	char *text;

	json_put_string(result, "project", scan_project(e->scan));
	cJSON_AddNumberToObject(result, "scan", scan_index(e->scan));
	json_put_string(result, "format", e->layout->name);
	json_put_string(result, "path", e->path);
	cJSON_AddNumberToObject(result, "photos", (double)e->done);
	cJSON_AddNumberToObject(result, "new", (double)e->copied);
	cJSON_AddNumberToObject(result, "bytes", e->bytes);
	text = json_text(result);
	if (text)
		e->host->result(e->run, text);
	cJSON_free(text);
	cJSON_Delete(result);
}

static int export_all(struct export *e, const cJSON *args)
{
	struct err err = {0};
	int ret = prepare(e, args, &err);

	if (ret == 0)
		ret = make_folders(e, &err);
	if (ret == 0) {
		ret = e->host->begin(e->run);
		if (ret == 0) /* the files show how far the export is; this only allows
				 resuming */
			ret = e->host->checkpoint(e->run, "{}");
		if (ret == 0)
			ret = export_photos(e);
		if (ret)
			return ret;
		ret = write_model(e, &err);
	}
	if (ret < 0)
		return e->host->fail_with(e->run, err.code, err.text);
	report_result(e);
	return 0;
}

static int export_run(const struct task_type *type, const struct task_host *host,
		      struct task_run *run, const char *text)
{
	cJSON *args = cJSON_Parse(text);
	struct export e = {
		.host = host,
		.run = run,
		.photos = projects_folder(host->services->projects),
	};
	int ret = export_all(&e, args);

	(void)type;
	scan_close(e.scan);
	folder_close(e.root);
	cJSON_Delete(args);
	return ret;
}

/* The bytes if copied; hard links need none. */
static void add_sizes(const struct export *e, struct task_estimate *estimate)
{
	size_t total = photos_planned(e);

	for (size_t i = 0; i < total; i++) {
		int64_t bytes = scan_photo_bytes(e->scan, photo_at(e, i));

		estimate->photos += bytes > 0;
		estimate->bytes += bytes > 0 ? (double)bytes : 0;
	}
}

static int export_estimate(const struct task_type *type,
			   const struct task_services *services, const char *text,
			   struct task_estimate *estimate)
{
	cJSON *args = cJSON_Parse(text);
	const struct task_host host = {.services = services};
	struct export e = {.host = &host};
	struct err err = {0};

	(void)type;
	if (prepare(&e, args, &err) < 0)
		estimate->problems = preflight_only(&err);
	else
		add_sizes(&e, estimate);
	if (e.root)
		estimate->bytes_free = (double)folder_bytes_free(e.root);
	scan_close(e.scan);
	folder_close(e.root);
	cJSON_Delete(args);
	return 0;
}

/* A symbolic link in the path would be refused later; this reports it early. */
static int export_check(const struct task_type *type, const char *text,
			struct task_problem *problem)
{
	cJSON *args = cJSON_Parse(text);
	const char *path = json_string(args, "path");
	bool wrong =
		path && (path[0] != '/' || strstr(path, "/../") || strstr(path, "//"));

	(void)type;
	if (wrong) {
		snprintf(problem->path, sizeof(problem->path), "/path");
		snprintf(problem->sentence, sizeof(problem->sentence),
			 "path must be an absolute path without .. and //, not %.300s",
			 path);
	}
	cJSON_Delete(args);
	return wrong ? -1 : 0;
}

const struct task_type task_export = {
	.name = "export_task",
	.title = "Export of a scan",
	.category = "core",
	.is_blocking = true,
	.resumable = true,
	.args = export_schema,
	.check = export_check,
	.run = export_run,
	.estimate = export_estimate,
};
