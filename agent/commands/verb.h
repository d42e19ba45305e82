/* A verb of the contract: a row in its noun's table.
 *
 * To add one: write its row and its function in the file of its noun, and its line in
 * mqtt/README.md, sections 1 and 11. */
#ifndef AGENT_COMMANDS_VERB_H
#define AGENT_COMMANDS_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/core/state.h"
#include "agent/commands/parse.h"

struct suggest;

enum verb_flag {
	VERB_BROADCAST = 1, /* also on _all */
	VERB_WRITES =
		2, /* changes something: its request is remembered, its reply stored */
	VERB_FRESH = 4,	  /* refused as stale when it has waited at the broker */
	VERB_MOTION = 8,  /* in groups only with fleet.group_motion */
	VERB_TASK = 16,	  /* names a task: id, current or PRESS */
	VERB_FREES = 32,  /* carried out on a full disk: frees room or ends work */
	VERB_STOPS = 64,  /* carried out whatever the storage says: stops hardware */
	VERB_BRIEF = 128, /* done in a moment: waits for others of the kind instead of
			     being refused */
};

/* A command while it is answered. */
struct answer {
	struct command *command;
	bool late; /* it has waited at the broker */
	bool refused;
	bool later; /* an act answers it when it is done */
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

struct verb {
	const char *name; /* "task/create" */
	unsigned flags;
	const char *args; /* JSON Schema of the body without the envelope; NULL: {} */
	void (*handle)(struct core *core, struct answer *answer);
};

/* One table a noun, ended by a row without a name. */
extern const struct verb task_verbs[], queue_verbs[], project_verbs[], motor_verbs[],
	light_verbs[], camera_verbs[], trigger_verbs[], gpio_verbs[], device_verbs[],
	settings_verbs[], agent_verbs[], estop_verbs[];

/* ---- what a verb's function answers with ---- */

/* ok; data is taken over, may be NULL. */
void answer_ok(struct answer *answer, const char *code, cJSON *data);
void answer_refuse(struct answer *answer, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The task's document as data, its id and revision. */
void answer_task(struct core *core, struct answer *answer, const char *code,
		 const struct task *task);

/* A refusal that shows the task as it is now. */
void answer_conflict(struct core *core, struct answer *answer, const char *code,
		     const struct task *task, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Problems of a schema as errors, the first as the sentence. */
void answer_problems(struct answer *answer, const char *code,
		     const struct schema_problem *problems, size_t n);

/* One problem whose sentence is whole. */
void answer_problem(struct answer *answer, const char *code, const char *path,
		    const char *sentence);

/* There is no such thing, of which the payload's path has the name; says the suggest one.
 * noun: "task type". */
void answer_unknown(struct answer *answer, const char *code, const char *path,
		    const char *noun, const struct suggest *suggest);

/* Starts an act with these devices: after the commit it runs on a worker, and its end is
 * the answer.  Refused with device_busy when a device is held (a brief one waits for
 * brief ones), and with queue_full when too many are under way. */
void answer_act(struct core *core, struct answer *answer, uint64_t devices);

/* The same for the estimate of a task type (dry_run); args is copied. */
void answer_estimate(struct core *core, struct answer *answer,
		     const struct registered_type *type, const char *args);

/* device_busy: there is no rig while it is exchanged, see devices_away(). */
void answer_away(struct answer *answer);

#endif
