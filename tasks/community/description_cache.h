/* What files of the community folder described when they were last heard: on disk, so
 * that one that is too slow at a start keeps its types, and the tasks of these types.
 *
 * Any thread, for different files at once; every call blocks on the disk.  What goes
 * wrong is in the log: without it a file that is late merely has no types. */
#ifndef TASKS_COMMUNITY_DESCRIPTION_CACHE_H
#define TASKS_COMMUNITY_DESCRIPTION_CACHE_H

#include "tasks/community/scan_folder.h"
#include "tasks/community/plugin.h"

/* Notes what the plugin's file printed. */
void description_cache_put(const struct plugin *plugin, const char *text, size_t size);

/* What this very file printed then, unless it was changed since; the caller frees it.
 * NULL when that is not known. */
char *description_cache_get(const struct plugin *plugin, size_t *size);

/* Forgets the files that are not there any more. */
void description_cache_clean_up(const struct community_config *config,
				const struct finder *finder);

#endif
