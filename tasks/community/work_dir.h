/* The working folder of one community process. */
#ifndef TASKS_COMMUNITY_WORK_DIR_H
#define TASKS_COMMUNITY_WORK_DIR_H

#include "agent/base/err.h"
#include "tasks/community/config.h"

struct work_dir;

/* Opens the folder of a task, creating it if needed.  With task NULL, creates a new
 * folder that belongs to no task. */
int work_dir_open(struct work_dir **out, struct community_config *config,
		  const char *task, struct err *err);

/* Removes the folder, unless keep is set because the task will resume. */
void work_dir_close(struct work_dir *dir, bool keep); /* NULL is fine */

const char *work_dir_path(const struct work_dir *dir);

/* Is this the name of a file that may be written here: no folder, not hidden? */
bool work_dir_name_valid(const char *name);

/* Replaces the file of this name, whole or not at all, whatever the program has put
 * there. */
int work_dir_write(struct work_dir *dir, const char *name, const void *bytes, size_t size,
		   struct err *err);

#endif
