/* A run of a community type: the protocol between its program and the agent. */
#ifndef TASKS_COMMUNITY_PROTOCOL_H
#define TASKS_COMMUNITY_PROTOCOL_H

#include "tasks/task_api.h"

/* The run() of all community types.  type must be the first member of a struct
 * plugin_type.
 */
int protocol_run(const struct task_type *type, const struct task_host *host,
		 struct task_run *run, const char *args);

#endif
