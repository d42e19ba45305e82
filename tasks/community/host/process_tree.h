/* All descendants of this process, and what they use. */
#ifndef TASKS_COMMUNITY_HOST_PROCESS_TREE_H
#define TASKS_COMMUNITY_HOST_PROCESS_TREE_H

#include <stdint.h>
#include <sys/types.h>

#define PROCESS_TREE_MAX 4096

struct process_tree {
	int count;		      /* at most PROCESS_TREE_MAX */
	int64_t memory;		      /* bytes: anonymous and shared memory of all */
	pid_t pids[PROCESS_TREE_MAX]; /* as /proc shows them: outside any namespace */
};

/* Takes a snapshot.  A process that starts or ends in the meantime may be missing. */
void process_tree_read(struct process_tree *tree);

/* Bytes on disk below an open folder; stops counting once there are more than most. */
int64_t disk_usage(int fd, int64_t most);

#endif
