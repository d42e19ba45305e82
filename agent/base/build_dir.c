/* The build folder, known since the build. */
#include "agent/base/build_dir.h"

#include <limits.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

bool build_dir_in_use(void)
{
	const char folder[] = OPENSCAN_BUILD_DIR "/";
	char program[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program));

	return length > (ssize_t)strlen(folder) &&
	       strncmp(program, folder, strlen(folder)) == 0;
}

const char *build_dir_path(void)
{
	return OPENSCAN_BUILD_DIR;
}
