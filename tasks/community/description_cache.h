/* The last description of each plugin file, on disk.  A file that is too slow to answer
 * when the agent starts keeps its types, and so do the tasks of these types.
 *
 * Any thread, at the same time for different files.  Every call blocks on the disk.
 * Failures are only logged: without the cache a slow file merely has no types. */
#ifndef TASKS_COMMUNITY_DESCRIPTION_CACHE_H
#define TASKS_COMMUNITY_DESCRIPTION_CACHE_H

#include "tasks/community/plugin.h"
#include "tasks/community/plugin_files.h"

/* Saves what the plugin's describe command printed. */
void description_cache_put(const struct plugin *plugin, const char *text, size_t size);

/* The saved description, unless the file has changed since; the caller frees it.  NULL
 * when there is none. */
char *description_cache_get(const struct plugin *plugin, size_t *size);

/* Removes the entries of files that no longer exist. */
void description_cache_clean_up(const struct community_config *config,
				const struct plugin_files *files);

#endif
