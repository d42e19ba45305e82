/* Reads the output of a describe command. */
#ifndef TASKS_COMMUNITY_DESCRIPTION_H
#define TASKS_COMMUNITY_DESCRIPTION_H

#include "tasks/community/plugin.h"

/* Adds the described types to the plugin.  An invalid type becomes one of the plugin's
 * problems and does not affect the others.  Fails only when the text as a whole is no
 * description. */
int description_read(struct plugin *plugin, const char *text, size_t size,
		     struct err *err);

#endif
