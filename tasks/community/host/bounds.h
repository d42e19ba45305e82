/* What one community process may use, with everything that it starts. */
#ifndef TASKS_COMMUNITY_HOST_BOUNDS_H
#define TASKS_COMMUNITY_HOST_BOUNDS_H

#include <stdint.h>

#include "tasks/community/host/isolation.h"

struct bounds {
	enum isolation isolation;
	int64_t memory, folder; /* bytes */
	int processes, files, nice;
	int64_t kill_after_ms;
};

#endif
