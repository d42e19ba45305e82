/* Unpacks an archive that somebody else made, into a new folder: nothing of it can get
 * outside, and not more of it than was agreed.  One thread. */
#ifndef TASKS_CLOUD_UNPACK_H
#define TASKS_CLOUD_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "tasks/task_api.h"

struct folder;

struct unpack {
	const struct task_host *host;
	struct task_run *run;
	const struct folder *folder;
	const char *archive; /* a file below it */
	const char *into;    /* a folder below it, which must not exist */
	size_t most_files;   /* folders count, too */
	int64_t most_bytes;
	int64_t spare; /* bytes that the disk keeps */

	/* what came of it */
	size_t files;
	int64_t bytes;
	int stopped; /* the gate's answer, when that ended it */

	/* its own */
	size_t entries;
	int fd;
};

/* 0 when all of it is on disk.  Refused as a whole ("task_failed"): absolute paths, "..",
 * links, devices, names twice, more files or bytes than agreed.  What there is of it
 * then, or after a stop, stays for the caller to remove. */
int unpack_all(struct unpack *unpack, struct err *err);

#endif
