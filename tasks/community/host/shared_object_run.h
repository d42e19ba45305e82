/* One run of a task type of a shared object. */
#ifndef TASKS_COMMUNITY_HOST_SHARED_OBJECT_RUN_H
#define TASKS_COMMUNITY_HOST_SHARED_OBJECT_RUN_H

#include "tasks/task_api.h"

/* Speaks the protocol of tasks/community/README.md on standard input and output, and
 * implements the host functions on top of it.  types are the object's, NULL-terminated.
 * Returns the exit code, or ends the process with it. */
int shared_object_run(const struct task_type *const *types);

#endif
