/* A ZIP archive of stored files that never exists as a whole.
 *
 * Its bytes are the files' contents and a frame: headers, checksums, and the directory at
 * the end, some hundred bytes per file.  With the frame in memory and the files on disk,
 * any part of the archive can be produced at any time, and always the same.  libarchive
 * writes the frame, in the module "archive".  One thread at a time. */
#ifndef TASKS_CLOUD_ZIP_H
#define TASKS_CLOUD_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/json.h"
#include "tasks/modules/archive.h"

/* Reads all files once, for their checksums.  Clear the zip even after an error. */
int zip_open(struct zip *zip, const struct zip_file *files, size_t n,
	     const struct zip_reader *reader, struct err *err);
void zip_clear(struct zip *zip);

/* Produces size bytes at an offset; they must lie within the archive. */
int zip_read(const struct zip *zip, const struct zip_reader *reader, int64_t offset,
	     void *bytes, size_t size, struct err *err);

/* Archives with the same fingerprint are the same, byte for byte. */
void zip_fingerprint(const struct zip *zip, char hex[SHA256_HEX]);

#endif
