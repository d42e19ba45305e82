/* Trying again what a network can break: after 1 s, 2 s, 4 s… up to a minute, each time
 * somewhat less or more. */
#ifndef TASKS_CLOUD_RETRY_H
#define TASKS_CLOUD_RETRY_H

#include <stdbool.h>

#include "agent/base/err.h"
#include "tasks/task_api.h"

#define ATTEMPTS 10 /* five minutes in all */

struct attempt {
	const struct task_host *host;
	struct task_run *run;
	const char *what; /* "part 2 of 5", in the log and in the error */

	/* One try: 0; -EAGAIN when another may help, after err's sentence; -EINTR when
	 * the run's cancel was requested; any other failure is final. */
	int (*once)(void *context, struct err *err);
	void *context;

	bool progressed; /* once() may set it: it failed, but got further than before */
};

/* Tries until it worked, or failed ATTEMPTS times without getting further.  0; the gate's
 * answer when the run shall stop; -1 when it failed, which is explained. */
int attempt_all(struct attempt *attempt);

/* What an HTTP status that is not wanted comes to: -EAGAIN where another try may help. */
int attempt_status(int status, struct err *err);

#endif
