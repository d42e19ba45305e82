/* A run of a community type: what the program and the agent say to each other. */
#ifndef TASKS_COMMUNITY_PROTOCOL_H
#define TASKS_COMMUNITY_PROTOCOL_H

#include "tasks/task_api.h"

/* The run() of every community type; type is the first member of a struct plugin_type. */
int protocol_run(const struct task_type *type, const struct task_host *host,
		 struct task_run *run, const char *args);

#endif
