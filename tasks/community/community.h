/* Task types that live outside of this tree: where they are looked for, and what their
 * processes may use. */
#ifndef TASKS_COMMUNITY_COMMUNITY_H
#define TASKS_COMMUNITY_COMMUNITY_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"

struct catalog;
struct task_services;

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

struct community;

/* Finds out how processes can be shut in here.  Copies what it needs. */
int community_open(struct community **out, const struct community_options *options,
		   struct err *err);

/* After the last run and the last catalog. */
void community_close(struct community *community); /* NULL is fine */

/* Looks through the folder, one caller at a time; takes up to a few seconds.  The caller
 * frees what it gets (tasks/community/catalog.h). */
struct catalog *community_refresh(struct community *community);

/* Any thread: acts on runs that begin later. */
void community_kill_after(struct community *community, int64_t ms);

/* How the processes are shut in, for people: "in a user and a PID namespace". */
const char *community_isolation(const struct community *community);

/* Removes the working folders of tasks that is_there() does not know. */
void community_clean_up(struct community *community,
			bool (*is_there)(void *context, const char *task), void *context);

#endif
