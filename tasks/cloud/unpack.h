/* Unpacks an untrusted archive into a new folder: nothing is written outside it, and no
 * more than the limits allow.  One thread. */
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
	size_t most_files;   /* including folders */
	int64_t most_bytes;
	int64_t spare; /* bytes of disk space to leave free */

	/* The outcome. */
	size_t files;
	int64_t bytes;
	int stopped; /* what gate() returned, if that ended it */

	/* Private. */
	size_t entries;
	int fd;
};

/* 0 when everything is on disk.  An archive with absolute paths, "..", links, devices,
 * duplicate names, or more files or bytes than allowed is refused ("task_failed").  After
 * an error or a stop the caller removes what was unpacked. */
int unpack_all(struct unpack *unpack, struct err *err);

#endif
