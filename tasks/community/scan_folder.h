/* The files of the community folder that may hold task types, and the rules for them. */
#ifndef TASKS_COMMUNITY_SCAN_FOLDER_H
#define TASKS_COMMUNITY_SCAN_FOLDER_H

#include <limits.h>
#include <stddef.h>

#include "tasks/community/config.h"

#define FINDER_FILES_MAX 256
#define FINDER_STAMP 128

struct found {
	char path[PATH_MAX];
	char stamp[FINDER_STAMP]; /* another one when the file was changed */
	char problem[256];	  /* why it is not to be used; "" when it is */
};

struct finder {
	struct found *files; /* sorted by path */
	size_t count;
};

/* A folder that does not exist holds nothing.  The caller frees what it gets. */
struct finder *finder_look(const struct community_config *config);
void finder_free(struct finder *finder);

#endif
