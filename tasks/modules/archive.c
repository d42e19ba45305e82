/* Writes the frame of stored ZIP archives, and extracts archives, by libarchive. */
#include "tasks/modules/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES (256 * 1024)

/* libarchive reads and writes names in the thread's locale, and the agent's is C. */
static locale_t use_utf8(locale_t *before)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

	*before = uselocale(utf8);
	return utf8;
}

static void restore_locale(locale_t utf8, locale_t before)
{
	uselocale(before);
	if (utf8)
		freelocale(utf8);
}

/* ---- the frame of a stored archive ---- */

/* Sorts what libarchive writes: the content that it was given, all else is the frame. */
struct framing {
	struct zip *zip;
	size_t piece_room, byte_room;
	const void *content; /* the bytes being written as a file's content, or NULL */
	size_t file;
	bool out_of_memory;
};

/* Returns the array with room for that many items, or NULL and leaves it unchanged. */
static void *grow(void *array, size_t *room, size_t wanted, size_t item)
{
	size_t more = *room ? *room * 2 : 64;
	void *grown;

	if (wanted <= *room)
		return array;
	while (more < wanted)
		more *= 2;
	grown = realloc(array, more * item);
	if (grown)
		*room = more;
	return grown;
}

static struct zip_piece *new_piece(struct framing *f)
{
	struct zip *zip = f->zip;
	struct zip_piece *pieces =
		grow(zip->pieces, &f->piece_room, zip->count + 1, sizeof(*pieces));

	if (!pieces)
		return NULL;
	zip->pieces = pieces;
	return &pieces[zip->count++];
}

/* Adds a piece, or extends the last one if it is of the same file. */
static bool add_piece(struct framing *f, size_t file, size_t size)
{
	struct zip *zip = f->zip;
	struct zip_piece *last = zip->count ? &zip->pieces[zip->count - 1] : NULL;

	if (!last || last->file != file) {
		last = new_piece(f);
		if (!last)
			return false;
		*last = (struct zip_piece){
			.at = zip->size, .file = file, .bytes = zip->byte_count};
	}
	last->size += (int64_t)size;
	zip->size += (int64_t)size;
	return true;
}

static bool add_frame(struct framing *f, const void *bytes, size_t size)
{
	struct zip *zip = f->zip;
	unsigned char *grown = grow(zip->bytes, &f->byte_room, zip->byte_count + size, 1);

	if (!grown)
		return false;
	zip->bytes = grown;
	if (!add_piece(f, ZIP_FRAME, size))
		return false;
	memcpy(zip->bytes + zip->byte_count, bytes, size);
	zip->byte_count += size;
	return true;
}

static la_ssize_t on_write(struct archive *archive, void *context, const void *bytes,
			   size_t size)
{
	struct framing *f = context;
	bool kept = bytes == f->content ? add_piece(f, f->file, size)
					: add_frame(f, bytes, size);

	if (kept)
		return (la_ssize_t)size;
	f->out_of_memory = true;
	archive_set_error(archive, ENOMEM, "out of memory");
	return -1;
}

static int write_error(struct archive *archive, struct err *err)
{
	const char *why = archive_error_string(archive);

	return err_set(err, -EIO, "the archive cannot be made: %s", why ? why : "?");
}

static int write_header(struct archive *archive, const struct zip_file *file,
			struct err *err)
{
	struct archive_entry *entry = archive_entry_new();
	int ret;

	if (!entry)
		return err_set(err, -ENOMEM, "out of memory");
	archive_entry_set_pathname_utf8(entry, file->name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, file->size);
	archive_entry_set_mtime(entry, file->mtime_s, 0);
	ret = archive_write_header(archive, entry);
	archive_entry_free(entry);
	return ret == ARCHIVE_OK ? 0 : write_error(archive, err);
}

static int write_file(struct archive *archive, struct framing *f,
		      const struct zip_file *file, const struct zip_reader *reader,
		      void *buffer, struct err *err)
{
	int ret = write_header(archive, file, err);

	for (int64_t done = 0; ret == 0 && done < file->size;) {
		size_t size = file->size - done < PIECE_BYTES
				      ? (size_t)(file->size - done)
				      : PIECE_BYTES;

		ret = reader->read(reader->context, f->file, done, buffer, size, err);
		if (ret)
			return ret;
		f->content = buffer;
		if (archive_write_data(archive, buffer, size) != (la_ssize_t)size)
			ret = write_error(archive, err);
		f->content = NULL;
		done += (int64_t)size;
	}
	if (ret == 0 && archive_write_finish_entry(archive) != ARCHIVE_OK)
		ret = write_error(archive, err);
	return ret;
}

static int open_writer(struct archive *archive, struct framing *f, struct err *err)
{
	if (archive_write_set_format_zip(archive) != ARCHIVE_OK ||
	    archive_write_zip_set_compression_store(archive) != ARCHIVE_OK ||
	    archive_write_set_options(archive, "hdrcharset=UTF-8") != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(archive, 0) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK ||
	    archive_write_open(archive, f, NULL, on_write, NULL) != ARCHIVE_OK)
		return write_error(archive, err);
	return 0;
}

/* Does the zip contain each file's bytes in one piece? */
static bool is_whole(const struct zip *zip, const struct zip_file *files, size_t n)
{
	size_t file = 0;

	for (size_t i = 0; i < zip->count; i++) {
		const struct zip_piece *piece = &zip->pieces[i];

		if (piece->file == ZIP_FRAME)
			continue;
		while (file < n && files[file].size == 0)
			file++;
		if (piece->file != file || piece->size != files[file].size)
			return false;
		file++;
	}
	while (file < n && files[file].size == 0)
		file++;
	return file == n;
}

static int frame(struct zip *zip, const struct zip_file *files, size_t n,
		 const struct zip_reader *reader, struct err *err)
{
	struct archive *archive = archive_write_new();
	struct framing f = {.zip = zip};
	void *buffer = malloc(PIECE_BYTES);
	locale_t before, utf8 = use_utf8(&before);
	int ret;

	if (!archive || !buffer)
		ret = err_set(err, -ENOMEM, "out of memory");
	else
		ret = open_writer(archive, &f, err);
	for (; ret == 0 && f.file < n; f.file++)
		ret = write_file(archive, &f, &files[f.file], reader, buffer, err);
	if (ret == 0 && archive_write_close(archive) != ARCHIVE_OK)
		ret = write_error(archive, err);
	if (ret == 0 && !is_whole(zip, files, n))
		ret = err_set(
			err, -EIO,
			"this version of libarchive does not store files as they are");
	archive_write_free(archive);
	restore_locale(utf8, before);
	free(buffer);
	return ret;
}

/* ---- extracting ---- */

static int damaged(struct archive *archive, struct err *err)
{
	const char *why = archive_error_string(archive);

	return err_code(err, -EBADMSG, "task_failed", "it is no whole ZIP archive: %s",
			why ? why : "?");
}

static int extract_bytes(struct archive *archive,
			 const struct archive_extractor *extractor, void *buffer,
			 struct err *err)
{
	la_ssize_t n;
	int ret = 0;

	while (ret == 0 && (n = archive_read_data(archive, buffer, PIECE_BYTES)) != 0) {
		if (n < 0)
			return damaged(archive, err);
		ret = extractor->bytes(extractor->context, buffer, (size_t)n, err);
	}
	return ret;
}

static int extract_entry(struct archive *archive, struct archive_entry *entry,
			 const struct archive_extractor *extractor, void *buffer,
			 struct err *err)
{
	const char *name = archive_entry_pathname_utf8(entry);
	int ret;

	if (!name)
		name = archive_entry_pathname(entry);
	if (!name || archive_entry_is_encrypted(entry))
		return err_code(err, -EBADMSG, "task_failed",
				"it holds an entry that cannot be read");
	if (archive_entry_symlink(entry) || archive_entry_hardlink(entry) ||
	    (archive_entry_filetype(entry) != AE_IFREG &&
	     archive_entry_filetype(entry) != AE_IFDIR))
		return err_code(err, -EBADMSG, "task_failed",
				"it holds %s, which is neither a file nor a folder",
				name);
	if (archive_entry_filetype(entry) == AE_IFDIR)
		return extractor->folder(extractor->context, name, err);
	ret = extractor->file(extractor->context, name, err);
	if (ret == 0)
		ret = extract_bytes(archive, extractor, buffer, err);
	return ret ? ret : extractor->end(extractor->context, err);
}

static int extract_entries(struct archive *archive,
			   const struct archive_extractor *extractor, void *buffer,
			   struct err *err)
{
	struct archive_entry *entry;
	int ret, next;

	while ((next = archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
	       next == ARCHIVE_WARN) {
		ret = extract_entry(archive, entry, extractor, buffer, err);
		if (ret)
			return ret;
	}
	return next == ARCHIVE_EOF ? 0 : damaged(archive, err);
}

static int unpack(int fd, const struct archive_extractor *extractor, struct err *err)
{
	struct archive *archive = archive_read_new();
	void *buffer = malloc(PIECE_BYTES);
	locale_t before, utf8 = use_utf8(&before);
	int ret;

	if (!archive || !buffer)
		ret = err_set(err, -ENOMEM, "out of memory");
	else if (archive_read_support_format_zip_seekable(archive) != ARCHIVE_OK ||
		 archive_read_open_fd(archive, fd, PIECE_BYTES) != ARCHIVE_OK)
		ret = damaged(archive, err);
	else
		ret = extract_entries(archive, extractor, buffer, err);
	archive_read_free(archive);
	restore_locale(utf8, before);
	free(buffer);
	return ret;
}

const struct archive_module module_archive = {
	.frame = frame,
	.unpack = unpack,
};
