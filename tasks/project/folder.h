/* A folder and what lies below it, never anything else.
 *
 * Paths are relative, with slashes, and are followed by the kernel itself without leaving
 * the folder and without following symbolic links (openat2 with RESOLVE_BENEATH and
 * RESOLVE_NO_SYMLINKS; on an older kernel one openat a part with O_NOFOLLOW).  A path
 * that tries fails as "not_found" or "invalid_args".
 *
 * Files appear whole or not at all: a temporary file beside it, fsync, rename, fsync of
 * the folder.  Any thread; every call blocks on the disk.  Errors: a negative errno with
 * a sentence that names the path; a full disk has the code "storage_full", any other
 * failure of the disk "storage_error". */
#ifndef TASKS_PROJECT_FOLDER_H
#define TASKS_PROJECT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

struct folder;

/* Opens path, an ordinary path of the file system, and makes it when it is missing (its
 * parents too). */
int folder_open(struct folder **out, const char *path, struct err *err);
void folder_close(struct folder *folder); /* NULL is fine */

/* Where it is, absolute. */
const char *folder_path(const struct folder *folder);

/* Free bytes on its disk for those who are not root; 0 when the disk does not say. */
int64_t folder_bytes_free(const struct folder *folder);

/* Makes the folder path, not its parents.  -EEXIST ("id_conflict") when it is there. */
int folder_make(const struct folder *folder, const char *path, struct err *err);

/* The same with all parents that are missing; one that is there is fine. */
int folder_make_all(const struct folder *folder, const char *path, struct err *err);

/* Writes a whole file, replacing what was there, and returns when it is on disk. */
int folder_write(const struct folder *folder, const char *path, const void *bytes,
		 size_t size, struct err *err);

/* The same for a JSON value, formatted for people. */
int folder_write_json(const struct folder *folder, const char *path, const cJSON *value,
		      struct err *err);

/* Makes to_path below to the same file as path below from: by a hard link where the disk
 * can do that, else as a copy with its time.  1, or 0 when it was that already: the same
 * file, or one of this size and time. */
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

/* Reads exactly size bytes from offset; false when they are not there. */
bool folder_read_at(const struct folder *folder, const char *path, int64_t offset,
		    void *bytes, size_t size);

/* A descriptor of a regular file, to be closed: flags are O_RDONLY, or O_RDWR with
 * O_CREAT and what else open() takes.  For what is too large to be held in memory; what
 * is written so does not appear whole. */
int folder_open_file(const struct folder *folder, const char *path, int flags,
		     struct err *err);

/* Does a folder of this path exist? */
bool folder_has(const struct folder *folder, const char *path);

/* The names in a folder, sorted by their bytes, as an array of strings; only folders
 * (folders true) or only regular files.  The caller deletes it. */
int folder_names(const struct folder *folder, const char *path, bool folders, cJSON **out,
		 struct err *err);

/* Bytes of all files below path. */
int64_t folder_tree_size(const struct folder *folder, const char *path);

/* Removes path and all below it; symbolic links themselves, never what they point to. */
int folder_remove(const struct folder *folder, const char *path, struct err *err);

/* Renames within the folder; fails when to exists. */
int folder_rename(const struct folder *folder, const char *from, const char *to,
		  struct err *err);

/* Puts from in the place of to, whatever that is: at once where the disk can swap two
 * names (nobody ever sees none of them), else one after the other.  What was there is
 * removed; without from it stays. */
int folder_replace(const struct folder *folder, const char *from, const char *to,
		   struct err *err);

/* Returns when all that was written to its disk is there. */
int folder_sync(const struct folder *folder, struct err *err);

#endif
