/* A small file of fixed size, mapped into memory.  Writes survive the process, even one
 * that is killed between two instructions, and with mmap_file_sync() a restart of the
 * machine. */
#ifndef HAL_MMAP_FILE_H
#define HAL_MMAP_FILE_H

#include <stddef.h>

#include "agent/base/err.h"

/* Maps path, which must be size bytes long.  -ENOENT without a sentence if there is no
 * such file, -EBADMSG if it has another size. */
int mmap_file_open(void **out, const char *path, size_t size, struct err *err);

/* Creates path with these size bytes, completely or not at all, and maps it. */
int mmap_file_create(void **out, const char *path, const void *bytes, size_t size,
		     struct err *err);

/* Writes it to the disk; takes as long as the disk does. */
int mmap_file_sync(void *map, size_t size);

void mmap_file_close(void *map, size_t size); /* NULL is fine */

/* Renames a file that cannot be used to "<path>.damaged-<wall time>" and logs why: a
 * new one can be created, and nothing is lost. */
int mmap_file_set_aside(const char *path, const char *why, struct err *err);

#endif
