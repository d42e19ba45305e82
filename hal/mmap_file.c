/* Maps small files, creates them atomically, and sets damaged ones aside. */
#include "hal/mmap_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/file.h"
#include "agent/base/log.h"

static int mmap_file_fail(struct err *err, const char *path)
{
	return err_set(err, -errno, "%s: %s", path, strerror(errno));
}

int mmap_file_open(void **out, const char *path, size_t size, struct err *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	void *map;
	int ret;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return mmap_file_fail(err, path);
	if (fstat(fd, &st) < 0) {
		ret = mmap_file_fail(err, path);
		goto done;
	}
	if ((size_t)st.st_size != size) {
		ret = err_set(err, -EBADMSG, "%s has %jd bytes, not %zu", path,
			      (intmax_t)st.st_size, size);
		goto done;
	}
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		ret = mmap_file_fail(err, path);
		goto done;
	}
	*out = map;
	ret = 0;
done:
	close(fd);
	return ret;
}

int mmap_file_create(void **out, const char *path, const void *bytes, size_t size,
		     struct err *err)
{
	int ret = file_replace(path, bytes, size, 0644);

	if (ret < 0)
		return err_set(err, ret, "%s: %s", path, strerror(-ret));
	return mmap_file_open(out, path, size, err);
}

int mmap_file_sync(void *map, size_t size)
{
	return msync(map, size, MS_SYNC) < 0 ? -errno : 0;
}

void mmap_file_close(void *map, size_t size)
{
	if (map)
		munmap(map, size);
}

int mmap_file_set_aside(const char *path, const char *why, struct err *err)
{
	char aside[PATH_MAX];

	if ((size_t)snprintf(aside, sizeof(aside), "%s.damaged-%" PRId64, path,
			     clock_wall_ms()) >= sizeof(aside))
		return err_set(err, -ENAMETOOLONG, "%s: the path is too long", path);
	if (rename(path, aside) < 0)
		return mmap_file_fail(err, path);
	log_error("%s cannot be used (%s) and is now %s", path, why, aside);
	return 0;
}
