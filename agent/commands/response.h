/* What a verb's function answers with.
 *
 * Refuse before anything is changed: what was written in this turn is committed whatever
 * the response says. */
#ifndef AGENT_COMMANDS_RESPONSE_H
#define AGENT_COMMANDS_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/commands/command.h"
#include "agent/core/state.h"

struct suggest;

/* A command while it is answered. */
struct response {
	struct command *command;
	bool stale; /* it has waited at the broker */
	bool refused;
	bool later; /* the reply is sent when the pending command is done */
	const char *code;
	char message[1024];
	cJSON *errors; /* array of {"path","message"}, or NULL */
	cJSON *data;
	cJSON *current;	      /* the document that a conflict shows */
	int64_t rev;	      /* -1: none */
	double retry_after_s; /* -1: none */
	bool duplicate;
	char id[NAME_MAX_LENGTH + 1];
	int packet; /* of the message; 0: none */
	char message_hash[SHA256_HEX];
};

/* ok; data is taken over, may be NULL. */
void response_ok(struct response *response, const char *code, cJSON *data);
void response_refuse(struct response *response, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The task's document as data, its id and revision. */
void response_task(struct core *core, struct response *response, const char *code,
		   const struct task *task);

/* A refusal that shows the task as it is now. */
void response_conflict(struct core *core, struct response *response, const char *code,
		       const struct task *task, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* device_busy: there is no rig while it is exchanged, see core_rig_is_away(). */
void response_rig_away(struct response *response);

/* Problems of a schema as errors, the first as the sentence. */
void response_problems(struct response *response, const char *code,
		       const struct schema_problem *problems, size_t n);

/* One problem whose sentence is whole. */
void response_problem(struct response *response, const char *code, const char *path,
		      const char *sentence);

/* There is no such thing, of which the payload's path has the name; says the suggest one.
 * noun: "task type". */
void response_unknown(struct response *response, const char *code, const char *path,
		      const char *noun, const struct suggest *suggest);

/* The task a command names; refused when it does not exist or has changed since if_rev.
 * One that has ended was read from the store: then it stands in *ended too, for the
 * caller to free. */
struct task *response_find_task(struct core *core, struct response *response,
				struct task **ended);

#endif
