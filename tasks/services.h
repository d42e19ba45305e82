/* The parts of the agent that task types of this tree may use besides the host functions.
 */
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
	int64_t min_free_bytes; /* space that a scan must leave free on the disk */
	const char *state_dir;
	struct community *community; /* the types from outside this tree */
	const cJSON *export_roots;   /* absolute folders for exports; NULL for none */
	const cJSON *cloud;	     /* the settings cloud.*, without that prefix */
};

#endif
