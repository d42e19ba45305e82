/* Community types: task types that are files outside this tree. */
#ifndef TASKS_COMMUNITY_COMMUNITY_H
#define TASKS_COMMUNITY_COMMUNITY_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"

struct catalog;
struct task_services;

struct community_options {
	const char *folder;	 /* contains the types' files; need not exist */
	const char *state_dir;	 /* working folders are created below it */
	const char *project_dir; /* passed on to the programs */
	bool enabled;		 /* false: there are no community types */
	bool sub_folders;
	/* Stems of files and names of folders to skip; NULL-terminated. */
	const char *const *ignored;
	int64_t memory, folder_bytes; /* limits of one run, in bytes */
	int processes, files;	      /* limits of one run */
	int64_t kill_after_ms;
	const struct task_services *services; /* must outlive the community */
};

struct community;

/* Copies the options, and finds out how well this kernel can isolate processes. */
int community_open(struct community **out, const struct community_options *options,
		   struct err *err);

/* Call after the last run has ended and the last catalog was released. */
void community_close(struct community *community); /* NULL is fine */

/* Reads the folder and returns a new catalog (tasks/community/catalog.h), which the
 * caller releases.  Blocks for up to a few seconds, and while another thread is doing the
 * same. */
struct catalog *community_refresh(struct community *community);

/* Any thread; takes effect for runs that start later. */
void community_kill_after(struct community *community, int64_t ms);

/* How processes are isolated, for people: "in a user and a PID namespace". */
const char *community_isolation(const struct community *community);

/* Removes the working folders of tasks for which exists() is false. */
void community_clean_up(struct community *community,
			bool (*exists)(void *context, const char *task), void *context);

#endif
