/* The working folder of one community process. */
#ifndef TASKS_COMMUNITY_WORK_DIR_H
#define TASKS_COMMUNITY_WORK_DIR_H

#include "agent/base/err.h"
#include "tasks/community/config.h"

struct work_dir;

/* Makes the folder of a task, or goes on with the one that is there; task NULL: a new one
 * that belongs to nobody. */
int work_dir_open(struct work_dir **out, struct community_config *config,
		  const char *task, struct err *err);

/* keep: the task will want it again. */
void work_dir_close(struct work_dir *dir, bool keep); /* NULL is fine */

const char *work_dir_path(const struct work_dir *dir);

/* The name of a file that may be put into it: no folder, not hidden. */
bool work_dir_name_valid(const char *name);

/* Writes a whole file, whatever the program has put in its place. */
int work_dir_write(struct work_dir *dir, const char *name, const void *bytes, size_t size,
		   struct err *err);

#endif
