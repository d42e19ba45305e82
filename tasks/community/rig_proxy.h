/* The rig as a community program sees it: one request of the protocol at a time. */
#ifndef TASKS_COMMUNITY_RIG_PROXY_H
#define TASKS_COMMUNITY_RIG_PROXY_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "agent/base/cancel.h"
#include "tasks/community/work_dir.h"
#include "tasks/task_api.h"

struct rig_proxy {
	struct rig *rig;
	const char *const *uses;      /* what the type may touch */
	struct work_dir *work_dir;    /* where captures are written */
	const struct task_host *host; /* publishes previews by image() */
	struct task_run *run;
};

/* Carries out the request in members and returns the answer's value in *value, which the
 * caller deletes.  0, or a negative errno with a code of the contract and a sentence.
 * -EINTR when cancel was requested: call again with the same members to continue (a
 * relative move has been made absolute in them by then). */
int rig_proxy_call(const struct rig_proxy *proxy, cJSON *members, struct cancel *cancel,
		   cJSON **value, struct err *err);

#endif
