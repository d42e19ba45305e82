/* The response to a command: a verb's decide() fills it in.
 *
 * Refuse before anything is changed: everything written in this turn is committed,
 * whatever the response says. */
#ifndef AGENT_COMMANDS_RESPONSE_H
#define AGENT_COMMANDS_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/commands/command.h"
#include "agent/core/state.h"

struct suggest;

struct response {
	struct command *command;
	bool stale; /* it has waited at the broker */
	bool refused;
	bool later; /* pending: the reply is sent at its end */
	const char *code;
	char message[1024];
	cJSON *errors; /* array of {"path","message"}, or NULL */
	cJSON *data;
	cJSON *current;	      /* the document that a conflict shows */
	int64_t rev;	      /* -1: none */
	double retry_after_s; /* -1: none */
	bool duplicate;
	char id[NAME_MAX_LENGTH + 1];
	int packet; /* MQTT's id of the message; 0: none */
	char message_hash[SHA256_HEX];
};

/* Success; data is taken over and may be NULL. */
void response_ok(struct response *response, const char *code, cJSON *data);
void response_refuse(struct response *response, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Success with the task's document as data, and its id and revision. */
void response_task(struct core *core, struct response *response, const char *code,
		   const struct task *task);

/* A refusal with the task's document as it is now. */
void response_conflict(struct core *core, struct response *response, const char *code,
		       const struct task *task, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Refuses with device_busy: the rig is being swapped, see core_rig_is_away(). */
void response_rig_away(struct response *response);

/* Refuses with the problems that a schema found; the first one makes the sentence. */
void response_problems(struct response *response, const char *code,
		       const struct schema_problem *problems, size_t n);

/* Refuses with one problem, at this path of the body. */
void response_problem(struct response *response, const char *code, const char *path,
		      const char *sentence);

/* Refuses an unknown name, at this path of the body, and suggests the nearest.  noun:
 * "task type". */
void response_unknown(struct response *response, const char *code, const char *path,
		      const char *noun, const struct suggest *suggest);

/* The task that the command names; NULL, and refused, when it does not exist or has
 * changed since if_rev.  A task that has ended is read from the store and is in *ended as
 * well, which the caller frees. */
struct task *response_find_task(struct core *core, struct response *response,
				struct task **ended);

#endif
