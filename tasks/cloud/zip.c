/* Produces parts of a ZIP archive from its frame and its files. */
#include "tasks/cloud/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/module.h"

int zip_open(struct zip *zip, const struct zip_file *files, size_t n,
	     const struct zip_reader *reader, struct err *err)
{
	const void *table = NULL;
	const struct archive_module *module;
	int ret = module_load(&table, "archive", err);

	*zip = (struct zip){.size = 0};
	if (ret < 0)
		return ret;
	module = table;
	return module->frame(zip, files, n, reader, err);
}

void zip_clear(struct zip *zip)
{
	free(zip->pieces);
	free(zip->bytes);
	*zip = (struct zip){.size = 0};
}

/* Finds the piece at this offset. */
static const struct zip_piece *piece_at(const struct zip *zip, int64_t offset)
{
	size_t low = 0, high = zip->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (zip->pieces[middle].at <= offset)
			low = middle;
		else
			high = middle;
	}
	return &zip->pieces[low];
}

int zip_read(const struct zip *zip, const struct zip_reader *reader, int64_t offset,
	     void *bytes, size_t size, struct err *err)
{
	unsigned char *to = bytes;

	if (offset < 0 || offset + (int64_t)size > zip->size)
		return err_set(err, -EINVAL, "the archive ends before that");
	while (size > 0) {
		const struct zip_piece *piece = piece_at(zip, offset);
		int64_t within = offset - piece->at, rest = piece->size - within;
		size_t n = rest < (int64_t)size ? (size_t)rest : size;
		int ret = 0;

		if (piece->file == ZIP_FRAME)
			memcpy(to, zip->bytes + piece->bytes + within, n);
		else
			ret = reader->read(reader->context, piece->file, within, to, n,
					   err);
		if (ret)
			return ret;
		to += n;
		offset += (int64_t)n;
		size -= n;
	}
	return 0;
}

void zip_fingerprint(const struct zip *zip, char hex[SHA256_HEX])
{
	json_sha256(zip->bytes, zip->byte_count, hex);
}
