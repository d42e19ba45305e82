/* The reserve is an allocated file beside the database. */
#include "agent/store/disk_reserve.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define RESERVE_BYTES (4 * 1024 * 1024)

static bool acquire(void *context)
{
	const struct disk_reserve_file *file = context;
	int fd = open(file->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool taken;

	if (fd < 0)
		return false;
	taken = posix_fallocate(fd, 0, RESERVE_BYTES) == 0;
	close(fd);
	if (!taken)
		unlink(file->path);
	return taken;
}

static void release(void *context)
{
	const struct disk_reserve_file *file = context;

	unlink(file->path);
}

struct disk_reserve disk_reserve_in(struct disk_reserve_file *file, const char *folder)
{
	snprintf(file->path, sizeof(file->path), "%.4000s/reserve", folder);
	return (struct disk_reserve){
		.context = file, .acquire = acquire, .release = release};
}
