/* A plugin: one file of the community folder, and the task types in it. */
#ifndef TASKS_COMMUNITY_PLUGIN_H
#define TASKS_COMMUNITY_PLUGIN_H

#include <limits.h>
#include <stdatomic.h>

#include "tasks/community/process.h"
#include "tasks/community/plugin_files.h"
#include "tasks/registry.h"

#define PLUGIN_DESCRIPTION_MAX (64 * 1024) /* bytes */

enum plugin_kind { PLUGIN_PROGRAM, PLUGIN_OBJECT, PLUGIN_PYTHON };

struct plugin;

struct plugin_type {
	struct task_type type; /* first: run() is given only this */
	struct plugin *plugin;
	cJSON *description; /* owns the strings of type */
	const char **uses;
	char *args;
};

/* Shared by the catalogs and the registry; read-only once it has been described. */
struct plugin {
	struct type_owner owner; /* first */
	atomic_int users;
	struct community_config *config;
	char path[PATH_MAX];
	enum plugin_kind kind;
	char stamp[PLUGIN_STAMP]; /* of the file when it was described */
	struct plugin_type **types;
	size_t count;
	cJSON *problems; /* an array of sentences */
	bool unanswered; /* describe was too slow or could not be run; retrying may help
			  */
};

/* With one user, and without types yet. */
struct plugin *plugin_new(struct community_config *config, const char *path,
			  enum plugin_kind kind, const char *stamp);
void plugin_acquire(struct plugin *plugin);
void plugin_release(struct plugin *plugin); /* the last user frees it */

void plugin_type_free(struct plugin_type *type); /* NULL is fine */

/* Starts the file's program with verb, "describe" or "run", in folder.  task is NULL for
 * describe. */
int plugin_start(const struct plugin *plugin, const char *verb, const char *folder,
		 const char *task, struct process **out, struct err *err);

#endif
