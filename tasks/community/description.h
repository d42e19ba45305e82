/* What "describe" printed, as task types. */
#ifndef TASKS_COMMUNITY_DESCRIPTION_H
#define TASKS_COMMUNITY_DESCRIPTION_H

#include "tasks/community/plugin.h"

/* Adds the types to the plugin; with an error none of them counts. */
int description_read(struct plugin *plugin, const char *text, size_t size,
		     struct err *err);

void description_free(struct plugin_type *type); /* NULL is fine */

#endif
