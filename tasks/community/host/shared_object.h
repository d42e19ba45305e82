/* Speaks the protocol of tasks/community/README.md for a shared object. */
#ifndef TASKS_COMMUNITY_HOST_SHARED_OBJECT_H
#define TASKS_COMMUNITY_HOST_SHARED_OBJECT_H

#include "tasks/task_api.h"

/* What "describe" or "run" (verb) of the shared object file answers, as a program's exit
 * code. */
int object_main(const char *verb, const char *file);

/* One run: reads orders from standard input, lends the host's functions by way of
 * standard output, and returns the exit code.  The types are those of the object,
 * NULL-terminated. */
int object_run(const struct task_type *const *types);

#endif
