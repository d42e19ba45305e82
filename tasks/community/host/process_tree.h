/* The processes that descend from this one, and what they use. */
#ifndef TASKS_COMMUNITY_HOST_PROCESS_TREE_H
#define TASKS_COMMUNITY_HOST_PROCESS_TREE_H

#include <stdint.h>
#include <sys/types.h>

#define CENSUS_MAX 4096

struct census {
	int count;		/* CENSUS_MAX and more are counted as that */
	int64_t memory;		/* bytes that are theirs: anonymous and shared memory */
	pid_t pids[CENSUS_MAX]; /* as /proc has them: outside of a namespace */
};

/* Counts them now.  A process that comes or goes meanwhile may be missing. */
void census_take(struct census *census);

/* Bytes on disk below an open folder; stops counting above most. */
int64_t census_folder(int fd, int64_t most);

#endif
