/* The rig, lent to a program: one verb of the protocol at a time. */
#ifndef TASKS_COMMUNITY_RIG_PROXY_H
#define TASKS_COMMUNITY_RIG_PROXY_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/base/cancel.h"
#include "tasks/community/work_dir.h"
#include "tasks/task_api.h"

struct lend {
	struct rig *rig;
	const char *const *uses;      /* what the type may touch */
	struct workroom *room;	      /* where captures go */
	const struct task_host *host; /* whose image() shows them, for run */
	struct task_run *run;
};

/* Carries out request and returns the answer's value in *value.  -EINTR when the
 * cancel was requested: called again with the same request it goes on (a relative move
 * has become an absolute one in it by then).  Otherwise 0, or a code of the contract and
 * a sentence. */
int lend_do(const struct lend *lend, cJSON *request, struct cancel *cancel, cJSON **value,
	    struct err *err);

#endif
