/* One scan on disk: its document, its path and which of its photos are there.
 *
 * <project>/scan01/scan.json, path.json (in visiting order), scan01_000.jpg…, metadata/.
 * The photos themselves are the truth; the document follows them.  One thread at a time.
 */
#ifndef TASKS_SCAN_H
#define TASKS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "tasks/path.h"

struct projects;
struct scan;

#define SCAN_PATH 400

/* What a new scan begins with; everything stays the caller's. */
struct scan_birth {
	const char *task_id, *description, *camera; /* description may be NULL */
	const cJSON *settings, *camera_settings;
	const struct path_point *points; /* in visiting order */
	size_t n;
	double radius; /* of the sphere that the points lie on */
};

/* Makes the scan's folder and documents.  What a run that was cut off left of them is
 * written again. */
int scan_create(struct scan **out, struct projects *projects, const char *project,
		int index, const struct scan_birth *birth, struct err *err);

/* Reads it back: -ENOENT ("not_found") when there is no such scan, -EBADMSG when one of
 * its documents is damaged. */
int scan_open(struct scan **out, struct projects *projects, const char *project,
	      int index, struct err *err);
void scan_close(struct scan *scan); /* NULL is fine */

const char *scan_project(const struct scan *scan);
int scan_index(const struct scan *scan);

/* The points in visiting order. */
const struct path_point *scan_points(const struct scan *scan, size_t *n);

/* The folder below the projects' root ("cup/scan01"). */
const char *scan_folder(const struct scan *scan);

/* The document, to read. */
const cJSON *scan_document(const struct scan *scan);

/* "scan01_007.jpg" and where it and its metadata lie below the projects' root. */
void scan_photo_name(const struct scan *scan, int index, char name[SCAN_PATH]);
void scan_photo_path(const struct scan *scan, int index, char path[SCAN_PATH]);
void scan_metadata_path(const struct scan *scan, int index, char path[SCAN_PATH]);

/* The size of a photo that is on disk, whole and as long as its metadata says; else 0. */
int64_t scan_photo_bytes(const struct scan *scan, int index);

/* ---- what happens, to be written by scan_save() ---- */

/* A photo is on disk.  One that is listed already is not listed twice. */
void scan_add_photo(struct scan *scan, int index, int64_t bytes);

/* status is one of the task's; message may be NULL. */
void scan_set_status(struct scan *scan, const char *status, const char *message);

void scan_add_seconds(struct scan *scan, double seconds);
void scan_set_task(struct scan *scan, const char *task_id);

int scan_save(struct scan *scan, struct err *err);

/* Sizes are counted anew and the project is told; once, at the end. */
int scan_save_final(struct scan *scan, struct err *err);

#endif
