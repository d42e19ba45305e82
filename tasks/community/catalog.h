/* What the community folder holds at one time: files, the types in them, and what is
 * wrong. */
#ifndef TASKS_COMMUNITY_CATALOG_H
#define TASKS_COMMUNITY_CATALOG_H

#include <cjson/cJSON.h>

#include "tasks/community/config.h"
#include "tasks/registry.h"

struct catalog;

/* Looks through the folder.  Files that are as they were in before (may be NULL) are not
 * asked again.  Takes up to a few seconds, never fails: what goes wrong is a problem. */
struct catalog *catalog_look(struct community_config *config,
			     const struct catalog *before);

struct catalog *catalog_acquire(struct catalog *catalog);
void catalog_release(
	struct catalog *catalog); /* NULL is fine; the last user's frees it */

/* Counts the looks of a community: the higher, the newer. */
unsigned catalog_number(const struct catalog *catalog);

/* The types, sorted by file, ended by one without a type; the catalog's. */
const struct type_guest *catalog_guests(const struct catalog *catalog);

/* Sentences about files that were skipped. */
const cJSON *catalog_problems(const struct catalog *catalog);

#endif
