/* Retries operations that a network failure can interrupt, with exponential backoff:
 * after 1 s, 2 s, 4 s… up to a minute, each with some jitter. */
#ifndef TASKS_CLOUD_RETRY_H
#define TASKS_CLOUD_RETRY_H

#include <stdbool.h>

#include "agent/base/err.h"
#include "tasks/task_api.h"

#define RETRY_TRIES 10 /* about five minutes in all */

struct retry {
	const struct task_host *host;
	struct task_run *run;
	const char *what; /* "part 2 of 5", for the log and the error */

	/* One try.  0 on success; -EAGAIN, with a sentence in err, when another try may
	 * help; -EINTR when the run's cancel was requested; any other error is final. */
	int (*once)(void *context, struct err *err);
	void *context;

	bool progressed; /* once() may set it when it failed but got further than before
			  */
};

/* Calls once() until it succeeds, fails for good, or fails RETRY_TRIES times in a row
 * without progress.  0; what gate() returned when the run is to stop; -1 after
 * fail_with().
 */
int retry_run(struct retry *retry);

/* The error for an unexpected HTTP status: -EAGAIN where another try may help. */
int retry_http_status(int status, struct err *err);

#endif
