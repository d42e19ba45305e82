/* One file of the community folder, and the task types that it described. */
#ifndef TASKS_COMMUNITY_PLUGIN_H
#define TASKS_COMMUNITY_PLUGIN_H

#include <limits.h>
#include <stdatomic.h>

#include "tasks/community/scan_folder.h"
#include "tasks/community/process.h"

enum plugin_kind { PLUGIN_PROGRAM, PLUGIN_OBJECT, PLUGIN_PYTHON };

struct plugin;

struct plugin_type {
	struct task_type type; /* first: a run is given only this */
	struct plugin *plugin;
	cJSON *description; /* owns the strings of type */
	const char **uses;
	char *args;
};

/* Shared by the catalogs and the registry; fixed once it is described. */
struct plugin {
	struct type_owner owner; /* first */
	atomic_int users;
	struct community *community;
	char path[PATH_MAX];
	enum plugin_kind kind;
	char stamp[FINDER_STAMP]; /* when it was described */
	struct plugin_type **types;
	size_t count;
	cJSON *problems; /* what is wrong with it, sentences */
	bool unheard;	 /* too slow, or no room to ask it: perhaps the machine's fault
			  */
};

/* With one user.  Its types are not known yet. */
struct plugin *plugin_new(struct community *community, const char *path,
			  enum plugin_kind kind, const char *stamp);
void plugin_acquire(struct plugin *plugin);
void plugin_release(struct plugin *plugin); /* the last user frees it */

/* Runs its describe; takes up to PLUGIN_DESCRIBE_MS, for a Python file PLUGIN_IMPORT_MS
 * (how long the interpreter needs is not the file's fault).  What goes wrong is its
 * problem. */
#define PLUGIN_DESCRIBE_MS 2000
#define PLUGIN_IMPORT_MS 5000
#define PLUGIN_DESCRIPTION_MAX (64 * 1024)
void plugin_describe(struct plugin *plugin);

/* Gives one that was not heard the types that it described before, if that is known, and
 * says so among its problems. */
void plugin_recall(struct plugin *plugin);

/* Starts the file's program with verb in folder; task NULL when there is none. */
int plugin_start(const struct plugin *plugin, const char *verb, const char *folder,
		 const char *task, struct process **out, struct err *err);

#endif
