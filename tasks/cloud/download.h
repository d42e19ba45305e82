/* Loads something large into a file, and goes on where it broke off: within a run, and in
 * a later one.  One thread. */
#ifndef TASKS_CLOUD_DOWNLOAD_H
#define TASKS_CLOUD_DOWNLOAD_H

#include <stdint.h>

#include "agent/base/err.h"
#include "tasks/cloud/transfer_rate.h"
#include "tasks/modules/http.h"
#include "tasks/task_api.h"

struct account;
struct retry;
struct folder;

struct fetch {
	const struct task_host *host;
	struct task_run *run;
	const struct account *account;
	const char *url;
	const struct folder *folder; /* where the file is */
	const char *path;
	int64_t most;  /* bytes that are taken at all */
	int64_t spare; /* bytes that the disk keeps */

	/* Of what the file holds a part of; from the checkpoint of an earlier run, or ""
	 * and -1.  changed() is called when they are others, to save them; its answer
	 * ends the try unless it is 0. */
	char tag[HTTP_TAG];
	int64_t total;
	int (*changed)(struct fetch *fetch);

	/* its own */
	struct retry *retry;
	int fd;
	int64_t have;
	struct transfer_rate rate;
};

/* Returns when all is in the file: 0, the gate's answer, or -1 when it is explained. */
int fetch_all(struct fetch *fetch);

#endif
