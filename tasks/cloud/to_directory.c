/* Uploads to a local folder: a USB drive or a mounted network drive.  The parts are
 * written to one file, which gets its final name when it is complete. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/json.h"
#include "tasks/cloud/upload.h"
#include "tasks/project/folder.h"
#include "tasks/services.h"

#define PIECE_BYTES (256 * 1024)

/* A missing folder means that the drive is not mounted, so it is not created. */
static int open_directory(struct upload *u, const char *token, struct err *err)
{
	const char *path = json_string(u->host->services->cloud, "directory");
	struct stat st;

	(void)token;
	if (!path || !*path)
		return err_code(err, -ENOTCONN, "not_supported",
				"cloud is not configured: cloud.directory must be set on "
				"the machine itself");
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_code(
			err, -ENOENT, "not_found",
			"the folder %s of the setting cloud.directory is not there",
			path);
	return folder_open(&u->directory, path, err);
}

static void partial_name(const struct upload *u, char name[UPLOAD_REMOTE + 16])
{
	snprintf(name, UPLOAD_REMOTE + 16, "%s.part", u->remote);
}

static int make_file(void *context, struct err *err)
{
	struct upload *u = context;
	char name[UPLOAD_REMOTE + 16];
	int fd;

	partial_name(u, name);
	if (folder_bytes_free(u->directory) < u->zip.size)
		return err_code(err, -ENOSPC, "storage_full",
				"the archive has %.0f MB, and %s has room for %.0f MB",
				(double)u->zip.size / 1e6, folder_path(u->directory),
				(double)folder_bytes_free(u->directory) / 1e6);
	fd = folder_open_file(u->directory, name, O_RDWR | O_CREAT | O_TRUNC, err);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int write_all(int fd, const char *bytes, size_t size, int64_t offset)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, bytes, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		offset += n;
		size -= (size_t)n;
	}
	return 0;
}

static int refuse(const struct upload *u, int ret, struct err *err)
{
	if (ret == -ENOSPC || ret == -EDQUOT)
		return err_code(err, ret, "storage_full",
				"%s is full: make room, then restart the task",
				folder_path(u->directory));
	return err_code(err, ret, "storage_error", "%s: %s", folder_path(u->directory),
			strerror(-ret));
}

static int write_part(struct upload *u, int fd, void *buffer, struct err *err)
{
	int64_t size = upload_part_size(u), begin = upload_part_offset(u), done = 0;
	int ret = 0;

	while (ret == 0 && done < size) {
		size_t n =
			size - done < PIECE_BYTES ? (size_t)(size - done) : PIECE_BYTES;

		ret = upload_read(u, done, buffer, n, err);
		if (ret)
			return ret;
		ret = write_all(fd, buffer, n, begin + done);
		if (ret < 0)
			return refuse(u, ret, err);
		done += (int64_t)n;
		ret = upload_tick(u, done);
	}
	if (ret == 0 && fsync(fd) < 0)
		return refuse(u, -errno, err);
	return ret;
}

static int put_part(void *context, struct err *err)
{
	struct upload *u = context;
	char name[UPLOAD_REMOTE + 16];
	void *buffer = malloc(PIECE_BYTES);
	struct stat st;
	int fd, ret;

	partial_name(u, name);
	fd = folder_open_file(u->directory, name, O_RDWR, err);
	if (fd < 0)
		ret = fd;
	else if (!buffer)
		ret = err_set(err, -ENOMEM, "out of memory");
	else if (fstat(fd, &st) < 0 || st.st_size < upload_part_offset(u))
		ret = err_code(err, -ESTALE, "task_failed",
			       "%s is not what was written of it: restart the task from "
			       "the start",
			       name);
	else
		ret = write_part(u, fd, buffer, err);
	if (fd >= 0)
		close(fd);
	free(buffer);
	return ret;
}

/* If the file already has its final name, an earlier run was cut off just after renaming
 * it.
 */
static int rename_file(void *context, struct err *err)
{
	struct upload *u = context;
	char name[UPLOAD_REMOTE + 16];

	if (folder_file_size(u->directory, u->remote) == u->zip.size)
		return 0;
	partial_name(u, name);
	return folder_rename(u->directory, name, u->remote, err);
}

const struct upload_target upload_to_directory = {
	.name = "directory",
	.open = open_directory,
	.create = make_file,
	.part = put_part,
	.finish = rename_file,
};
