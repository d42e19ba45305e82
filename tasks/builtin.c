/* The list of built-in task types: declare yours, add a row. */
#include "tasks/registry.h"

extern const struct task_type task_scan;
extern const struct task_type task_export;
extern const struct task_type task_focus_stacking;
extern const struct task_type task_crop;
extern const struct task_type task_external_trigger_run;
extern const struct task_type task_rig_check;
extern const struct task_type task_cloud_upload;
extern const struct task_type task_cloud_download;
extern const struct task_type task_qr_scan;
extern const struct task_type task_hello_world_async;
extern const struct task_type task_hello_world_blocking;
extern const struct task_type task_exclusive_demo;
extern const struct task_type task_generator;
extern const struct task_type task_failing;

const struct type_offer builtin_types[] = {
	{"core", &task_scan},
	{"core", &task_export},
	{"core", &task_focus_stacking},
	{"core", &task_crop},
	{"core", &task_external_trigger_run},
	{"core", &task_rig_check},
	{"core", &task_cloud_upload},
	{"core", &task_cloud_download},
	{"core", &task_qr_scan},
	{"examples", &task_hello_world_async},
	{"examples", &task_hello_world_blocking},
	{"examples", &task_exclusive_demo},
	{"examples", &task_generator},
	{"examples", &task_failing},
	{NULL, NULL},
};
