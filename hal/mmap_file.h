/* A small file of fixed size in memory: what is written there outlives the process, also
 * one that is killed between two instructions, and with mmap_file_sync() the machine. */
#ifndef HAL_MMAP_FILE_H
#define HAL_MMAP_FILE_H

#include <stddef.h>

#include "agent/base/err.h"

/* Maps path, which must be size bytes long.  -ENOENT without a sentence when there is
 * none, -EBADMSG when it has another size. */
int mmap_file_open(void **out, const char *path, size_t size, struct err *err);

/* Makes path with these size bytes, complete or not at all, and maps it. */
int mmap_file_create(void **out, const char *path, const void *bytes, size_t size,
		     struct err *err);

/* Writes it to the disk now; costs what the disk takes. */
int mmap_file_sync(void *map, size_t size);

void mmap_file_close(void *map, size_t size); /* NULL is fine */

/* Renames a file that cannot be used to "<path>.damaged-<wall time>" and logs why, so
 * that a new one can take its place and nothing is lost. */
int mmap_file_set_aside(const char *path, const char *why, struct err *err);

#endif
