/* The photos of a project to upload: its JPEGs.  Of a focus-stacked scan only the merged
 * photos are taken; thumbnails, contact sheets and the model are not.  One thread. */
#ifndef TASKS_CLOUD_PHOTO_SET_H
#define TASKS_CLOUD_PHOTO_SET_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "tasks/cloud/zip.h"

struct folder;

struct photo_file {
	char *path; /* below the projects' root */
	char *name; /* in the archive: unique, so it may contain the folders' names */
	int64_t size, mtime_s;
};

struct photo_set {
	const struct folder *root;
	struct photo_file *list; /* sorted by path */
	size_t count;
	size_t others; /* photos in other formats, left out */
	int64_t bytes;

	int fd;	     /* of the photo read last */
	size_t open; /* its index */
};

/* Reads the project's folder.  "not_found" when there is none, "invalid_state" when it
 * has no photos.  Clear the set even after an error. */
int photo_set_open(struct photo_set *set, const struct folder *root, const char *project,
		   struct err *err);
void photo_set_clear(struct photo_set *set);

/* The read function of a zip_reader, with the set as its context.  -ESTALE, with a
 * sentence, for a photo that has changed since photo_set_open(). */
int photo_set_read(void *context, size_t file, int64_t offset, void *bytes, size_t size,
		   struct err *err);

/* An array for zip_open(); the caller frees it, the set owns the names in it. */
struct zip_file *photo_set_zip_files(const struct photo_set *set);

#endif
