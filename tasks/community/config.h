/* Where community types are looked for, and what their processes may use.  Only the
 * atomic members change after community_open(); any thread may read all of them. */
#ifndef TASKS_COMMUNITY_CONFIG_H
#define TASKS_COMMUNITY_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "tasks/services.h"

struct community_config {
	bool enabled, sub_folders;
	char *folder;		  /* with the types' files */
	cJSON *ignored;		  /* stems of files and names of folders to skip */
	char *work_dirs;	  /* the folder of the working folders */
	char *cache_dir;	  /* the folder of the cached descriptions */
	char *project_dir;	  /* passed on to the programs */
	char *host, *python_host; /* paths of openscan-task-host and python_host.py */
	char isolation[16];	  /* as process_probe() reported it, or "none" */

	/* The limits of one run, in bytes and numbers. */
	int64_t memory, folder_bytes;
	int processes, files;
	atomic_llong kill_after_ms;

	atomic_uint scratch_number; /* of the next folder without a task */
	const struct task_services *services;
};

#endif
