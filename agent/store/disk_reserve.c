#include "agent/store/disk_reserve.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define RESERVE_BYTES (4 * 1024 * 1024)

static bool reserve_take(void *context)
{
	const struct reserve_file *file = context;
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

static void reserve_give_up(void *context)
{
	const struct reserve_file *file = context;

	unlink(file->path);
}

struct reserve reserve_in(struct reserve_file *file, const char *folder)
{
	snprintf(file->path, sizeof(file->path), "%.4000s/reserve", folder);
	return (struct reserve){
		.context = file, .take = reserve_take, .give_up = reserve_give_up};
}
