/* Task types that live outside of this tree: where they are looked for, and what their
 * processes may use. */
#ifndef TASKS_COMMUNITY_COMMUNITY_H
#define TASKS_COMMUNITY_COMMUNITY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "tasks/registry.h"
#include "tasks/services.h"

struct catalog;

struct community_options {
	const char *folder;	 /* with the types' files; need not exist */
	const char *state_dir;	 /* the working folders are made below it */
	const char *project_dir; /* told to the programs */
	bool enabled;		 /* false: nothing is looked for */
	bool sub_folders;
	const char *const
		*ignored; /* stems of files and names of folders; NULL-terminated */
	int64_t memory, folder_bytes; /* bytes of one run */
	int processes, files;	      /* of one run */
	int64_t kill_after_ms;
	const struct task_services *services; /* what is lent to programs; must stay */
};

/* Fixed after the opening but for the newest catalog, so that any thread may read it. */
struct community {
	pthread_mutex_t looking; /* of newest; held for as long as a look takes */
	struct catalog *newest;
	char *folder, *work, *cache_dir, *project_dir;
	char *host, *python_host; /* paths of openscan-task-host and python_host.py */
	char isolation[16]; /* of the processes, as the host has it; "" before one was
			       needed */
	bool enabled, sub_folders;
	cJSON *ignored;
	int64_t memory, folder_bytes;
	int processes, files;
	atomic_llong kill_after_ms;
	atomic_uint scratch; /* numbers folders that have no task */
	const struct task_services *services;
};

/* Finds out how processes can be shut in here.  Copies what it needs. */
int community_open(struct community **out, const struct community_options *options,
		   struct err *err);

/* After the last run and the last catalog. */
void community_close(struct community *community); /* NULL is fine */

/* Looks through the folder, one caller at a time; takes up to a few seconds.  The caller
 * frees what it gets (tasks/community/catalog.h). */
struct catalog *community_look(struct community *community);

/* Any thread: acts on runs that begin later. */
void community_kill_after(struct community *community, int64_t ms);

/* How the processes are shut in, for people: "in a user and a PID namespace". */
const char *community_isolation(const struct community *community);

/* Removes the working folders of tasks that is_there() does not know. */
void community_tidy(struct community *community,
		    bool (*is_there)(void *context, const char *task), void *context);

#endif
