/* The module "archive": what libarchive does for us. */
#ifndef TASKS_MODULES_ARCHIVE_H
#define TASKS_MODULES_ARCHIVE_H

#include "agent/base/err.h"
#include "tasks/export/zip.h"

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
	/* As zip_open(), which calls it. */
	int (*frame)(struct zip *zip, const struct zip_file *files, size_t n,
		     const struct zip_reader *reader, struct err *err);

	/* Unpacks the ZIP archive that fd, a regular file, holds from its beginning.
	 * -EBADMSG when it is none, is damaged, encrypted, or holds links or devices. */
	int (*unpack)(int fd, const struct archive_taker *taker, struct err *err);
};

extern const struct archive_module module_archive;

#endif
