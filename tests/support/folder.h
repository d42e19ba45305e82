/* A temporary folder per test, and small files in it. */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct folder {
	char path[PATH_MAX]; /* below $TMPDIR, or /tmp */
};

/* Returns 0 or a negative errno. */
int folder_make(struct folder *folder);

/* Removes it with its contents; an empty path is ignored. */
void folder_remove(struct folder *folder);

/* Writes "path/name" into out and returns out. */
char *folder_path(const struct folder *folder, char out[PATH_MAX], const char *name);

/* The contents of a file, for the caller to free; NULL when it cannot be read. */
char *file_read(const char *path, size_t *size);

/* Replaces the file; returns 0 or a negative errno. */
int file_write(const char *path, const void *bytes, size_t size);

bool file_exists(const char *path);

#endif
