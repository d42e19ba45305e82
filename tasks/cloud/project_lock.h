/* Locks a project for one run, so that no second run of the same kind works on it.  Any
 * thread. */
#ifndef TASKS_CLOUD_PROJECT_LOCK_H
#define TASKS_CLOUD_PROJECT_LOCK_H

#include <stdbool.h>

#include "agent/base/err.h"

struct project_lock {
	const char *kind;    /* "uploaded": what is being done, for the error sentence */
	const char *project; /* the caller's, until project_lock_release() */
	const char *task;
	struct project_lock *next;
	bool held;
};

/* "invalid_state" when another run holds the lock; a paused run keeps it. */
int project_lock_acquire(struct project_lock *lock, struct err *err);
void project_lock_release(struct project_lock *lock); /* one not acquired is fine */

#endif
