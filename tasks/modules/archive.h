/* The module "archive": what libarchive does for us. */
#ifndef TASKS_MODULES_ARCHIVE_H
#define TASKS_MODULES_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define ZIP_FRAME SIZE_MAX

/* One file that goes in.  Its content must not change while the zip is in use. */
struct zip_file {
	const char *name; /* in the archive */
	int64_t size, mtime_s;
};

/* Who can read the files. */
struct zip_reader {
	void *context;
	/* Fills bytes from an offset of a file.  0, or what ends the work with that
	 * answer. */
	int (*read)(void *context, size_t file, int64_t offset, void *bytes, size_t size,
		    struct err *err);
};

/* Bytes of the archive that lie together: of a file, or of the frame. */
struct zip_piece {
	int64_t at, size; /* in the archive */
	size_t file;	  /* ZIP_FRAME: of the frame, from bytes on */
	size_t bytes;
};

struct zip {
	struct zip_piece *pieces; /* in order, without gaps */
	size_t count;
	unsigned char *bytes; /* of the frame */
	size_t byte_count;
	int64_t size; /* of the whole archive */
};

/* Who takes what is in an archive, entry by entry: folder(), or file(), some bytes() and
 * end().  Names are as the archive has them, and nobody has looked at them.  Each answers
 * 0, or what ends the unpacking with that answer. */
struct archive_taker {
	void *context;
	int (*folder)(void *context, const char *name, struct err *err);
	int (*file)(void *context, const char *name, struct err *err);
	int (*bytes)(void *context, const void *bytes, size_t size, struct err *err);
	int (*end)(void *context, struct err *err);
};

struct archive_module {
	/* As zip_open() of tasks/cloud/zip.h, which calls it. */
	int (*frame)(struct zip *zip, const struct zip_file *files, size_t n,
		     const struct zip_reader *reader, struct err *err);

	/* Unpacks the ZIP archive that fd, a regular file, holds from its beginning.
	 * -EBADMSG when it is none, is damaged, encrypted, or holds links or devices. */
	int (*unpack)(int fd, const struct archive_taker *taker, struct err *err);
};

extern const struct archive_module module_archive;

#endif
