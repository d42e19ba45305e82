/* The list of built-in task types: to add one, add its line here. */
#include "tasks/builtin.h"

#include <stddef.h>

#define BUILTIN_TYPES(TYPE)                                                              \
	TYPE(task_scan)                                                                  \
	TYPE(task_export)                                                                \
	TYPE(task_focus_stacking)                                                        \
	TYPE(task_crop)                                                                  \
	TYPE(task_external_trigger_run)                                                  \
	TYPE(task_rig_check)                                                             \
	TYPE(task_cloud_upload)                                                          \
	TYPE(task_cloud_download)                                                        \
	TYPE(task_qr_scan)                                                               \
	TYPE(task_hello_world_async)                                                     \
	TYPE(task_hello_world_blocking)                                                  \
	TYPE(task_exclusive_demo)                                                        \
	TYPE(task_generator)                                                             \
	TYPE(task_blink)                                                                 \
	TYPE(task_failing)

#define DECLARATION(type) extern const struct task_type type;
#define ADDRESS(type) &(type),

BUILTIN_TYPES(DECLARATION)

const struct task_type *const builtin_types[] = {BUILTIN_TYPES(ADDRESS) NULL};
