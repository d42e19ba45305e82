/* A project that one run works on, so that no second one of its kind does.  Any thread.
 */
#ifndef TASKS_CLOUD_PROJECT_LOCK_H
#define TASKS_CLOUD_PROJECT_LOCK_H

#include <stdbool.h>

#include "agent/base/err.h"

struct claim {
	const char *kind;    /* "uploaded": told in the refusal */
	const char *project; /* the caller's, until claim_drop() */
	const char *task;
	struct claim *next;
	bool held;
};

/* "invalid_state" when another holds it: paused ones, too. */
int claim_take(struct claim *claim, struct err *err);
void claim_drop(struct claim *claim); /* one that was refused is fine */

#endif
