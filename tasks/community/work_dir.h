/* The working folder of one community process. */
#ifndef TASKS_COMMUNITY_WORK_DIR_H
#define TASKS_COMMUNITY_WORK_DIR_H

#include "tasks/community/community.h"

struct workroom;

/* Makes the folder of a task, or goes on with the one that is there; task NULL: a new one
 * that belongs to nobody. */
int workroom_open(struct workroom **out, struct community *community, const char *task,
		  struct err *err);

/* keep: the task will want it again. */
void workroom_close(struct workroom *room, bool keep); /* NULL is fine */

const char *workroom_path(const struct workroom *room);

/* The name of a file that may be put into it: no folder, not hidden. */
bool workroom_name_valid(const char *name);

/* Writes a whole file, whatever the program has put in its place. */
int workroom_write(struct workroom *room, const char *name, const void *bytes,
		   size_t size, struct err *err);

#endif
