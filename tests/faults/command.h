/* A command that was sent in a run, and the agent's reply to it. */
#ifndef TESTS_FAULTS_COMMAND_H
#define TESTS_FAULTS_COMMAND_H

#include "tests/faults/fault_run.h"

enum command_kind {
	COMMAND_COUNT,
	COMMAND_RESUME_COUNT,
	COMMAND_HELLO,
	COMMAND_GENERATOR,
	COMMAND_SCAN, /* the kinds up to here create a task */
	COMMAND_CONTROL,
	COMMAND_MOVE,
};

struct command {
	enum command_kind kind;
	size_t original; /* its own number, or that of the command that it repeats */
	const char *verb;
	char id[65], request[33]; /* "" without one */
	char *body;
	int steps;    /* points of a scan */
	bool certain; /* the broker has it and cannot lose it */
	/* of a pause, resume or cancel: the command that created its task; else -1 */
	int target;

	/* the reply */
	bool replied, ok, duplicate;
	char code[32], task[65];
};

/* Publishes a new random task/create.  wait: until the broker has it. */
struct command *command_create(struct fault_run *run, bool wait);
/* One without id and request; does not wait. */
struct command *command_create_nameless(struct fault_run *run);
/* Pauses, resumes or cancels a task; NULL when there is none yet. */
struct command *command_control(struct fault_run *run, bool wait);
struct command *command_move(struct fault_run *run, bool wait);

/* Repeats an earlier command byte for byte; NULL when none has an id or a request. */
struct command *command_repeat(struct fault_run *run, bool wait);

bool command_makes_task(const struct command *command);

/* Whether it has an id or a request. */
bool command_is_named(const struct command *command);

/* Whether it must be carried out only once.  Without id and request a second delivery is
 * recognized by its DUP flag, as long as the broker remembers the first one. */
bool command_is_protected(const struct fault_run *run, const struct command *command);

/* The file that the task of a command writes its lines to. */
void command_file(const struct fault_run *run, size_t number, char path[PATH_MAX]);

/* Waits for the reply to this command; false when none came in time. */
bool command_wait_reply(struct fault_run *run, const struct command *command,
			size_t mark);

/* Reads all replies of the run into the commands.  Contradictory replies are violations.
 */
void commands_read_replies(struct fault_run *run);

/* The command that created the task with these labels, or -1. */
int command_of_labels(const struct fault_run *run, const char *labels);

void commands_free(struct fault_run *run);

#endif
