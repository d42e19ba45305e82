/* A ZIP archive of stored files that is never made as a whole.
 *
 * All of its bytes but the files' own are its frame: headers, sums, the directory at the
 * end; some hundred bytes a file.  With the frame in memory and the files on disk any
 * part of the archive can be produced, as often as wanted, and always the same.
 * libarchive writes the frame, in the module "archive".  One thread at a time. */
#ifndef TASKS_EXPORT_ZIP_H
#define TASKS_EXPORT_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/json.h"

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

/* Reads all files once, for their sums.  Clear zip in any case. */
int zip_open(struct zip *zip, const struct zip_file *files, size_t n,
	     const struct zip_reader *reader, struct err *err);
void zip_clear(struct zip *zip);

/* Produces size bytes from an offset; they must lie within the archive. */
int zip_read(const struct zip *zip, const struct zip_reader *reader, int64_t offset,
	     void *bytes, size_t size, struct err *err);

/* Two archives with this in common are the same, byte for byte. */
void zip_fingerprint(const struct zip *zip, char hex[SHA256_HEX]);

#endif
