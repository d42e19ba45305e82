/* Preloaded into the agent: makes each fsync() take SLOW_FSYNC_MS longer, as on a worn
 * memory card. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void dawdle(void)
{
	const char *text = getenv("SLOW_FSYNC_MS");
	long ms = text ? strtol(text, NULL, 10) : 0;
	struct timespec delay = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&delay, NULL);
}

static int slowly(const char *name, int fd)
{
	union {
		void *address;
		int (*call)(int fd);
	} real = {.address = dlsym(RTLD_NEXT, name)};

	dawdle();
	return real.call(fd);
}

int fsync(int fd)
{
	return slowly("fsync", fd);
}

int fdatasync(int fd)
{
	return slowly("fdatasync", fd);
}
