/* Projects on disk: one folder per project, below one root and never outside it.
 *
 * <root>/<project>/openscan_project.json, thumbnail.jpg, scan01/{scan.json,path.json,
 * metadata/,scan01_000.jpg…}, scan02/…  Every path is opened below the root with
 * RESOLVE_BENEATH, so no name from the network can escape it.  Files appear whole or not
 * at all: temporary file, fsync, rename, fsync of the folder.
 *
 * Any thread; blocks on the disk, so never the loop's. */
#ifndef TASKS_PROJECT_PROJECT_H
#define TASKS_PROJECT_PROJECT_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

struct projects;
struct folder; /* tasks/project/folder.h */

/* Creates root if it is missing.  Scans that are "running", "pending" or "paused" on disk
 * belong to a process that has ended: they become "interrupted" (a resumed scan task sets
 * them to running again). */
int projects_open(struct projects **out, const char *root, struct err *err);
void projects_close(struct projects *projects);
const char *projects_root(const struct projects *projects);

/* Free bytes on the disk of the projects. */
int64_t projects_bytes_free(const struct projects *projects);

/* Checks a name, without normalizing it: 1 to 150 characters of any script, spaces,
 * _ - . ' ; not beginning or ending with a space or a period; no Windows device name.
 * "invalid_args" with a sentence. */
int project_name_check(const char *name, struct err *err);

/* The four verbs.  *out is the reply's data, contract section 11.  Creating an existing
 * name is "id_conflict", an unknown name is "not_found". */
int projects_create(struct projects *p, const char *name, const char *description,
		    cJSON **out, struct err *err);
int projects_list(struct projects *p, int limit, const char *next, cJSON **out,
		  struct err *err);
int projects_get(struct projects *p, const char *name, cJSON **out, struct err *err);
int projects_delete(struct projects *p, const char *name, cJSON **out, struct err *err);

/* ---- for the task types ---- */

/* The root, for reading and writing below it; owned by p. */
const struct folder *projects_folder(const struct projects *p);

/* Creates the project unless it exists; description may be NULL. */
int projects_ensure(struct projects *p, const char *name, const char *description,
		    struct err *err);

/* The index for the next new scan of a project: the highest existing one plus 1. */
int projects_next_scan(struct projects *p, const char *name, int *index, struct err *err);

/* How many photos the list "photos" of a scan's document holds; pictures stacked from
 * them do not count. */
int project_count_photos(const cJSON *photos);

/* Records a scan and its size in the project's document. */
int projects_note_scan(struct projects *p, const char *name, int index,
		       const char *created, int64_t bytes, struct err *err);

/* The project's document; the caller deletes it. */
int projects_document(struct projects *p, const char *name, cJSON **out, struct err *err);

/* Changes members of the project's document ("uploaded", "cloud_project_name",
 * "downloaded"); patch stays the caller's. */
int projects_patch(struct projects *p, const char *name, const cJSON *patch,
		   struct err *err);

#endif
