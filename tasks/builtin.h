/* The task types that are compiled in. */
#ifndef TASKS_BUILTIN_H
#define TASKS_BUILTIN_H

#include "tasks/task_api.h"

/* In the order in which they are published; ended by NULL. */
extern const struct task_type *const builtin_types[];

#endif
