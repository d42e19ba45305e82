/* The photos of a project that are worth sending: its JPEGs, of a scan with merged ones
 * only those; no thumbnail, no contact sheet, nothing of the model.  One thread. */
#ifndef TASKS_CLOUD_PHOTO_SET_H
#define TASKS_CLOUD_PHOTO_SET_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "tasks/cloud/zip.h"

struct folder;

struct photo_file {
	char *path; /* below the projects' root */
	char *name; /* in the archive: the file's, or with its folders where two have one
		     */
	int64_t size, mtime_s;
};

struct photos {
	const struct folder *root;
	struct photo_file *list; /* sorted by path */
	size_t count;
	size_t others; /* pictures in other formats, left out */
	int64_t bytes;

	int fd; /* of the one that was read last */
	size_t open;
};

/* Looks through the project's folder.  "not_found" when there is none, "invalid_state"
 * when there is no photo in it.  Clear photos in any case. */
int photos_open(struct photos *photos, const struct folder *root, const char *project,
		struct err *err);
void photos_clear(struct photos *photos);

/* As a zip_reader reads; context is the photos.  A photo that is not what it was at
 * photos_open() is -ESTALE with a sentence. */
int photos_read(void *context, size_t file, int64_t offset, void *bytes, size_t size,
		struct err *err);

/* As zip_open() takes them; the caller frees the array, the names stay the photos'. */
struct zip_file *photos_files(const struct photos *photos);

#endif
