/* Mounts and fills a tmpfs in a private mount namespace. */
#include "tests/support/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Gives this process its own mount namespace, which ends with it. */
static int hide_mounts(void)
{
	static bool hidden;

	if (hidden)
		return 0;
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	hidden = true;
	return 0;
}

bool disk_possible(void)
{
	return hide_mounts() == 0;
}

int disk_mount(struct disk *disk, const char *path, int kib)
{
	char size[32];
	int ret = hide_mounts();

	if (ret < 0)
		return ret;
	snprintf(size, sizeof(size), "size=%dk,mode=755", kib);
	if (mount("openscan-test", path, "tmpfs", 0, size) < 0)
		return -errno;
	snprintf(disk->path, sizeof(disk->path), "%s", path);
	return 0;
}

void disk_unmount(struct disk *disk)
{
	if (disk->path[0])
		umount2(disk->path, MNT_DETACH);
	disk->path[0] = '\0';
}

static void filler(const struct disk *disk, char out[PATH_MAX + 16])
{
	snprintf(out, PATH_MAX + 16, "%s/filler", disk->path);
}

int disk_fill(struct disk *disk)
{
	static const uint8_t block[4096];
	char path[PATH_MAX + 16];
	int ret = 0, fd;

	filler(disk, path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (write(fd, block, sizeof(block)) > 0)
		;
	if (errno != ENOSPC)
		ret = -errno;
	close(fd);
	return ret;
}

int disk_clear(struct disk *disk)
{
	char path[PATH_MAX + 16];

	filler(disk, path);
	return unlink(path) < 0 ? -errno : 0;
}

int disk_free_kib(const struct disk *disk)
{
	struct statvfs st;

	if (statvfs(disk->path, &st) < 0)
		return -1;
	return (int)(st.f_bavail * st.f_frsize / 1024);
}

int disk_read_only(struct disk *disk, bool read_only)
{
	unsigned long flags = MS_REMOUNT | (read_only ? (unsigned long)MS_RDONLY : 0);

	return mount(NULL, disk->path, NULL, flags, NULL) < 0 ? -errno : 0;
}
