/* A snapshot of the community folder: its plugins, their task types, and the problems
 * found. */
#ifndef TASKS_COMMUNITY_CATALOG_H
#define TASKS_COMMUNITY_CATALOG_H

#include <cjson/cJSON.h>

#include "tasks/community/config.h"
#include "tasks/registry.h"

struct catalog;

/* Reads the folder.  Plugins of before (may be NULL) whose files have not changed are
 * reused.  Blocks for up to a few seconds and never fails: errors become problems. */
struct catalog *catalog_build(struct community_config *config,
			      const struct catalog *before);

struct catalog *catalog_acquire(struct catalog *catalog);
void catalog_release(struct catalog *catalog); /* NULL is fine; the last user frees it */

/* Increases with every catalog: a higher number is a newer catalog. */
unsigned catalog_number(const struct catalog *catalog);

/* The types, sorted by file, ended by an entry without a type.  Owned by the catalog. */
const struct type_guest *catalog_guests(const struct catalog *catalog);

/* An array of sentences about files that were skipped. */
const cJSON *catalog_problems(const struct catalog *catalog);

#endif
