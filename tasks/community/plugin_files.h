/* The files of the community folder that may contain task types, and the rules that a
 * file must meet. */
#ifndef TASKS_COMMUNITY_PLUGIN_FILES_H
#define TASKS_COMMUNITY_PLUGIN_FILES_H

#include <limits.h>
#include <stddef.h>

#include "tasks/community/config.h"

#define PLUGIN_FILES_MAX 256
#define PLUGIN_STAMP 128

struct plugin_file {
	char path[PATH_MAX];
	char stamp[PLUGIN_STAMP]; /* changes whenever the file is changed */
	char problem[256];	  /* why the file must not be used, or "" */
};

struct plugin_files {
	struct plugin_file *files; /* sorted by path */
	size_t count;
};

/* Searches the folder and returns a new list.  Empty when the folder does not exist. */
struct plugin_files *plugin_files_find(const struct community_config *config);
void plugin_files_free(struct plugin_files *files);

#endif
