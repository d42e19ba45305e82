/* Replaces files: write to a temporary name, fsync, rename, fsync the folder. */
#include "agent/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int file_write_all(int fd, const void *bytes, size_t size)
{
	const char *rest = bytes;

	while (size > 0) {
		ssize_t n = write(fd, rest, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		rest += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_and_sync(int fd, const void *bytes, size_t size)
{
	int ret = file_write_all(fd, bytes, size);

	if (ret < 0)
		return ret;
	return fsync(fd) < 0 ? -errno : 0;
}

/* Closing may report an error that writing did not. */
static int write_new(int folder, const char *temp, const void *bytes, size_t size,
		     mode_t mode)
{
	int fd = openat(folder, temp,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write_and_sync(fd, bytes, size);
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	return ret;
}

/* Some file systems cannot sync a folder, and say EINVAL. */
static int sync_folder(int folder)
{
	return fsync(folder) < 0 && errno != EINVAL ? -errno : 0;
}

int file_put_in_place(int folder, const char *temp, const char *name, int written)
{
	int ret = written;

	if (ret == 0 && renameat(folder, temp, folder, name) < 0)
		ret = -errno;
	if (ret < 0) {
		unlinkat(folder, temp, 0);
		return ret;
	}
	return sync_folder(folder);
}

static int replace_by(int folder, const char *temp, const char *name, const void *bytes,
		      size_t size, mode_t mode)
{
	int ret = write_new(folder, temp, bytes, size, mode);

	if (ret == -EEXIST) { /* left behind by a crash */
		unlinkat(folder, temp, 0);
		ret = write_new(folder, temp, bytes, size, mode);
	}
	return file_put_in_place(folder, temp, name, ret);
}

void file_temp_name(char temp[FILE_TEMP_NAME])
{
	static atomic_uint count;

	snprintf(temp, FILE_TEMP_NAME, ".new-%d-%u", (int)getpid(),
		 atomic_fetch_add(&count, 1));
}

int file_replace_at(int folder, const char *name, const void *bytes, size_t size,
		    mode_t mode)
{
	char temp[FILE_TEMP_NAME];

	file_temp_name(temp);
	return replace_by(folder, temp, name, bytes, size, mode);
}

int file_replace(const char *path, const void *bytes, size_t size, mode_t mode)
{
	char for_folder[PATH_MAX], temp[NAME_MAX + 1];
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int folder, ret;

	if (strlen(path) >= sizeof(for_folder) ||
	    (size_t)snprintf(temp, sizeof(temp), "%s.new", name) >= sizeof(temp))
		return -ENAMETOOLONG;
	strcpy(for_folder, path);
	folder = open(dirname(for_folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	ret = replace_by(folder, temp, name, bytes, size, mode);
	close(folder);
	return ret;
}
