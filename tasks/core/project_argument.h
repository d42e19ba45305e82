/* The argument "project" of a type: the checks that its schema cannot express. */
#ifndef TASKS_CORE_PROJECT_ARGUMENT_H
#define TASKS_CORE_PROJECT_ARGUMENT_H

#include "tasks/task_api.h"

/* For task_type.check. */
int project_argument_check(const struct task_type *type, const char *args,
			   struct task_problem *problem);

#endif
