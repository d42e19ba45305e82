/* What the task types of this tree may use besides the host functions. */
#ifndef TASKS_SERVICES_H
#define TASKS_SERVICES_H

#include <stdint.h>

#include <cjson/cJSON.h>

struct rig;
struct projects;
struct community;

struct task_services {
	struct rig *rig;
	struct projects *projects;
	int64_t min_free_bytes; /* room that a scan leaves on the disk */
	const char *state_dir;
	struct community *community; /* where types from outside of this tree are found */
	const cJSON *export_roots; /* folders to export below, absolute; NULL for none */
	const cJSON *cloud;	   /* the settings cloud.*, by the rest of their keys */
};

#endif
