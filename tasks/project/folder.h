/* File access below one folder, and nowhere else.
 *
 * Paths are relative, with slashes.  The kernel resolves them without leaving the folder
 * and without following symbolic links (openat2 with RESOLVE_BENEATH and
 * RESOLVE_NO_SYMLINKS; on an older kernel one openat per component with O_NOFOLLOW).  A
 * path that would leave fails as "not_found" or "invalid_args".
 *
 * Files appear whole or not at all: temporary file, fsync, rename, fsync of the folder.
 * Any thread; every call blocks on the disk.  Errors: a negative errno with a sentence
 * that names the path; a full disk has the code "storage_full", any other failure of the
 * disk "storage_error". */
#ifndef TASKS_PROJECT_FOLDER_H
#define TASKS_PROJECT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

struct folder;

/* Opens path, an ordinary path of the file system; creates it and its parents if they are
 * missing. */
int folder_open(struct folder **out, const char *path, struct err *err);
void folder_close(struct folder *folder); /* NULL is fine */

/* Its absolute path. */
const char *folder_path(const struct folder *folder);

/* Bytes free on its disk for unprivileged users; 0 when unknown. */
int64_t folder_bytes_free(const struct folder *folder);

/* Creates the folder path, not its parents.  -EEXIST ("id_conflict") when it exists. */
int folder_make(const struct folder *folder, const char *path, struct err *err);

/* Creates the folder path and its missing parents; an existing one is fine. */
int folder_make_all(const struct folder *folder, const char *path, struct err *err);

/* Writes a whole file, replacing an existing one; returns when it is on disk. */
int folder_write(const struct folder *folder, const char *path, const void *bytes,
		 size_t size, struct err *err);

/* As folder_write(), for a JSON value with line breaks and indentation. */
int folder_write_json(const struct folder *folder, const char *path, const cJSON *value,
		      struct err *err);

/* Makes to_path below to the same file as path below from: a hard link where the disk
 * supports it, else a copy with the same time.  Returns 1, or 0 when to_path was already
 * that file, or one of the same size and time. */
int folder_share(const struct folder *from, const char *path, const struct folder *to,
		 const char *to_path, struct err *err);

/* Reads a whole file of at most max bytes; the caller frees it.  A NUL follows the bytes.
 * -ENOENT ("not_found") when there is none. */
int folder_read(const struct folder *folder, const char *path, size_t max, char **bytes,
		size_t *size, struct err *err);

/* Reads and parses; -EBADMSG ("bad_json") when it is no JSON object. */
int folder_read_json(const struct folder *folder, const char *path, cJSON **out,
		     struct err *err);

/* The size of a regular file, or a negative errno. */
int64_t folder_file_size(const struct folder *folder, const char *path);

/* Reads exactly size bytes from offset; false when the file has fewer. */
bool folder_read_at(const struct folder *folder, const char *path, int64_t offset,
		    void *bytes, size_t size);

/* Opens a regular file for content too large for memory; the caller closes the
 * descriptor. flags are O_RDONLY, or O_RDWR with O_CREAT and others of open().  Files
 * written this way do not appear whole. */
int folder_open_file(const struct folder *folder, const char *path, int flags,
		     struct err *err);

/* True when path is an existing folder. */
bool folder_has(const struct folder *folder, const char *path);

/* The names in a folder, sorted by their bytes, as an array of strings: of its folders
 * (folders true) or of its regular files.  Hidden names are left out.  The caller deletes
 * the array. */
int folder_names(const struct folder *folder, const char *path, bool folders, cJSON **out,
		 struct err *err);

/* Bytes of all files below path. */
int64_t folder_tree_size(const struct folder *folder, const char *path);

/* Removes path and everything below it; symbolic links, never their targets. */
int folder_remove(const struct folder *folder, const char *path, struct err *err);

/* Renames within the folder; fails when to exists. */
int folder_rename(const struct folder *folder, const char *from, const char *to,
		  struct err *err);

/* Replaces to by from and removes the old to, whatever it was.  Atomic where the disk can
 * exchange two names, otherwise there is a moment without to.  If from does not exist, to
 * stays. */
int folder_replace(const struct folder *folder, const char *from, const char *to,
		   struct err *err);

/* Returns when everything written to its file system is on disk. */
int folder_sync(const struct folder *folder, struct err *err);

#endif
