/* Downloads a large file, and resumes after an interruption, within one run or in a later
 * one.  One thread. */
#ifndef TASKS_CLOUD_DOWNLOAD_H
#define TASKS_CLOUD_DOWNLOAD_H

#include <stdint.h>

#include "agent/base/err.h"
#include "tasks/cloud/transfer_rate.h"
#include "tasks/modules/http.h"
#include "tasks/task_api.h"

struct endpoint;
struct retry;
struct folder;

struct download {
	const struct task_host *host;
	struct task_run *run;
	const struct endpoint *endpoint;
	const char *url;
	const struct folder *folder; /* contains the file */
	const char *path;
	int64_t most;  /* the maximum size in bytes */
	int64_t spare; /* bytes of disk space to leave free */

	/* The version that a partial file belongs to, from the checkpoint of an earlier
	 * run, or "" and -1.  changed() is called to save new values; when it returns
	 * non-zero, the try ends. */
	char tag[HTTP_TAG];
	int64_t total;
	int (*changed)(struct download *download);

	/* Private. */
	struct retry *retry;
	int fd;
	int64_t have; /* bytes in the file */
	struct transfer_rate rate;
};

/* Returns when the file is complete: 0; or what gate() returned when the run is to stop,
 * or -1 after fail_with(). */
int download_file(struct download *download);

#endif
