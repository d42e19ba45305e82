/* The tasks and events in the database of the stopped agent. */
#ifndef TESTS_FAULTS_DATABASE_H
#define TESTS_FAULTS_DATABASE_H

#include "tests/faults/fault_run.h"

struct task_row {
	char id[65], type[65], status[16], code[32];
	char *message; /* of its error, or "" */
	int command;   /* the command that created it, or -1 */
	int64_t rev;
	int attempt;
};

struct event_row {
	int64_t seq;
	char name[48], id[65];
};

struct database {
	char store[32];
	struct task_row *tasks;
	size_t count;
	struct event_row *events;
	size_t event_count;
	int64_t last_seq;
};

/* Returns 0, or -1 with a violation. */
int database_read(struct database *database, struct fault_run *run);
void database_free(struct database *database);

/* The task with that id, or NULL. */
const struct task_row *database_find(const struct database *database, const char *id);

/* The number of tasks that a command created; the last one is returned in *task unless
 * NULL. */
size_t database_tasks_of(const struct database *database, size_t command,
			 const struct task_row **row);

bool status_is_final(const char *status);

#endif
