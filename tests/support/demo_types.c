/* The example types as a community shared object. */
#include "tasks/task_api.h"

extern const struct task_type task_exclusive_demo, task_failing, task_generator,
	task_hello_world_async, task_hello_world_blocking;

TASK_TYPES(&task_exclusive_demo, &task_failing, &task_generator, &task_hello_world_async,
	   &task_hello_world_blocking);
