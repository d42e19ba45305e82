/* What "describe" printed, as task types. */
#ifndef TASKS_COMMUNITY_DESCRIPTION_H
#define TASKS_COMMUNITY_DESCRIPTION_H

#include "tasks/community/plugin.h"

/* Adds the types to the plugin; one that is wrong becomes a problem of the plugin and
 * does not spoil the others.  An error when there is no telling types at all. */
int description_read(struct plugin *plugin, const char *text, size_t size,
		     struct err *err);

#endif
