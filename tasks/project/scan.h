/* One scan on disk: its document, its path and its photos.
 *
 * <project>/scan01/scan.json, path.json (in visiting order), intrinsics.json,
 * scan01_000.jpg…, metadata/.
 * The photos on disk decide what exists; the document follows them.  One thread at a
 * time.
 */
#ifndef TASKS_PROJECT_SCAN_H
#define TASKS_PROJECT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "tasks/capture/photo_format.h"
#include "tasks/capture/path.h"

struct projects;
struct scan;

#define SCAN_PATH 400
#define SCAN_STACKS_MAX 99

/* One photo of a scan: the index of its point, and its place in the focus bracket. */
struct scan_photo {
	int index;
	int stack; /* 0 to scan_stacks() - 1 */
};

/* The properties of a new scan; everything stays the caller's. */
struct scan_options {
	const char *task_id, *description, *camera; /* description may be NULL */
	const cJSON *settings, *camera_settings;
	const struct path_point *points; /* in visiting order */
	size_t n;
	double radius; /* of the sphere that the points lie on */
};

/* Creates the scan's folder and documents.  Those that an interrupted run left behind are
 * overwritten. */
int scan_create(struct scan **out, struct projects *projects, const char *project,
		int index, const struct scan_options *options, struct err *err);

/* Opens an existing scan: -ENOENT ("not_found") when there is no such scan, -EBADMSG when
 * one of its documents is damaged. */
int scan_open(struct scan **out, struct projects *projects, const char *project,
	      int index, struct err *err);
void scan_close(struct scan *scan); /* NULL is fine */

const char *scan_project(const struct scan *scan);
int scan_index(const struct scan *scan);

/* The points in visiting order. */
const struct path_point *scan_points(const struct scan *scan, size_t *n);

/* The radius of the sphere that the points are on. */
double scan_radius(const struct scan *scan);

/* The folder below the projects' root ("cup/scan01"). */
const char *scan_folder(const struct scan *scan);

/* scan.json, read only. */
const cJSON *scan_document(const struct scan *scan);

/* Photos per point: 1, or the size of the focus bracket. */
int scan_stacks(const struct scan *scan);

enum photo_format scan_format(const struct scan *scan);

/* The name of a photo ("scan01_007.jpg", in a bracket "scan01_007_fs02.jpg"), and the
 * paths of it and of its metadata below the projects' root. */
void scan_photo_name(const struct scan *scan, struct scan_photo photo,
		     char name[SCAN_PATH]);
void scan_photo_path(const struct scan *scan, struct scan_photo photo,
		     char path[SCAN_PATH]);
void scan_metadata_path(const struct scan *scan, struct scan_photo photo,
			char path[SCAN_PATH]);

/* The path of another file of the scan. */
void scan_file_path(const struct scan *scan, const char *name, char path[SCAN_PATH]);

/* The size of a photo that is complete on disk and as long as its metadata says; else 0.
 */
int64_t scan_photo_bytes(const struct scan *scan, struct scan_photo photo);

/* The metadata of a photo, NULL when there is none; the caller deletes it. */
cJSON *scan_photo_metadata(const struct scan *scan, struct scan_photo photo);

/* ---- changes, written to disk by scan_save() ---- */

/* Lists a photo that is now on disk; it is never listed twice. */
void scan_add_photo(struct scan *scan, struct scan_photo photo, int64_t bytes);

/* Lists a picture stacked from photos of the scan ("stacked/stacked_scan01_007.jpg"). */
void scan_add_stacked(struct scan *scan, const char *name, int64_t bytes);

/* The task that is stacking this scan, or NULL when none is. */
const char *scan_stacking_task(const struct scan *scan);
void scan_set_stacking(struct scan *scan, const char *task_id, const char *status);

/* status is one of the task's; message may be NULL. */
void scan_set_status(struct scan *scan, const char *status, const char *message);

void scan_add_seconds(struct scan *scan, double seconds);
void scan_set_task(struct scan *scan, const char *task_id);

int scan_save(struct scan *scan, struct err *err);

/* As scan_save() at the end of a run: also recounts the sizes and updates the project. */
int scan_save_final(struct scan *scan, struct err *err);

#endif
