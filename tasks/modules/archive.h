/* The module "archive": writes and extracts ZIP archives by libarchive. */
#ifndef TASKS_MODULES_ARCHIVE_H
#define TASKS_MODULES_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define ZIP_FRAME SIZE_MAX

/* A file to store.  Its content must not change while the zip is in use. */
struct zip_file {
	const char *name; /* in the archive */
	int64_t size, mtime_s;
};

/* Reads the files. */
struct zip_reader {
	void *context;
	/* Reads size bytes at an offset of a file.  Returns 0, or another value to end
	 * the operation with it. */
	int (*read)(void *context, size_t file, int64_t offset, void *bytes, size_t size,
		    struct err *err);
};

/* Consecutive bytes of the archive: a file's content, or a part of the frame. */
struct zip_piece {
	int64_t at, size; /* in the archive */
	size_t file;	  /* its index, or ZIP_FRAME */
	size_t bytes;	  /* offset in zip.bytes, for a part of the frame */
};

struct zip {
	struct zip_piece *pieces; /* in order, without gaps */
	size_t count;
	unsigned char *bytes; /* the frame */
	size_t byte_count;
	int64_t size; /* of the whole archive */
};

/* Receives the contents of an archive, entry by entry: folder(), or file(), then bytes()
 * several times, then end().  Names are unchecked, as the archive has them.  Each
 * callback returns 0, or another value to end the extraction with it. */
struct archive_extractor {
	void *context;
	int (*folder)(void *context, const char *name, struct err *err);
	int (*file)(void *context, const char *name, struct err *err);
	int (*bytes)(void *context, const void *bytes, size_t size, struct err *err);
	int (*end)(void *context, struct err *err);
};

struct archive_module {
	/* Builds the frame; see zip_open() in tasks/cloud/zip.h, which calls it. */
	int (*frame)(struct zip *zip, const struct zip_file *files, size_t n,
		     const struct zip_reader *reader, struct err *err);

	/* Extracts the ZIP archive in fd, which must be a regular file at offset 0.
	 * -EBADMSG when it is not a ZIP archive, is damaged or encrypted, or contains
	 * links or devices. */
	int (*unpack)(int fd, const struct archive_extractor *extractor, struct err *err);
};

extern const struct archive_module module_archive;

#endif
