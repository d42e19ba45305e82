/* A verb of the contract: one row, which says everything about a command.
 *
 * The rows are in agent/commands/, one table per file.  A row has three functions:
 * decide() is called on the loop's thread, within a turn; work() on a worker's thread, if
 * the command takes time; done() on the loop's thread again, after work() has succeeded.
 * The parser, the dispatcher and the workers know rows, and no verb by its name. */
#ifndef AGENT_MODEL_VERB_H
#define AGENT_MODEL_VERB_H

#include <cjson/cJSON.h>

#include "mqtt/topic.h"

#define VERB_NAME_SIZE (2 * NAME_MAX_LENGTH + 2) /* "noun/verb" and its end */

struct cancel;
struct core;
struct err;
struct mailbox;
struct registered_type;
struct response;
struct rig_slot;
struct task_services;

enum verb_flag {
	/* also on _all */
	VERB_BROADCAST = 1,
	/* changes something: its request is kept, its reply stored */
	VERB_WRITES = 2,
	/* refused as stale when it has waited at the broker */
	VERB_FRESH = 4,
	/* in groups only with the setting fleet.group_motion */
	VERB_MOTION = 8,
	/* its id names what it creates: the id is kept as a request is */
	VERB_CREATES = 16,
	/* carried out on a full disk: frees room or ends work */
	VERB_FREES = 32,
	/* stops the axes, or all hardware: as soon as the message is received, before any
	 * parsing; carried out whatever the storage says */
	VERB_STOPS_MOTION = 64,
	VERB_STOPS_RIG = 128,
	VERB_STOPS = VERB_STOPS_MOTION | VERB_STOPS_RIG,
	/* done in a moment: waits for others of its kind instead of being refused */
	VERB_QUEUEABLE = 256,
	/* neither refused for its form nor dropped as a repetition */
	VERB_NEVER_REFUSED = 512,
};

/* The payloads that a verb takes besides a JSON object. */
enum short_form {
	SHORT_EMPTY, /* an empty one, or PRESS */
	SHORT_NONE,  /* none: it has arguments that are required */
	SHORT_TYPE,  /* a task type */
	SHORT_TASK,  /* a task id, current or PRESS; the command must name a task */
	SHORT_LIGHT, /* ON, OFF or 0 to 100 */
};

/* What a work() function may use. */
struct work {
	const struct task_services *services;
	struct rig_slot *rig_slot; /* of the rig in services */
	struct cancel *cancel;	   /* requested when the agent stops */
	struct mailbox *mailbox;   /* for events that the loop must see before the end */
	const struct registered_type *type; /* of a dry run, else NULL */
	const char *args;		    /* of a dry run, as text */
};

struct verb {
	const char *name; /* "task/create"; NULL: the end of the table */
	unsigned flags;
	enum short_form short_form;
	const char *schema; /* JSON Schema of the body without the envelope; NULL: {} */

	/* Answers the command, refuses it or leaves it to a worker. */
	void (*decide)(struct core *core, struct response *response);

	/* Carries the command out, on a worker's thread, for as long as it takes; body
	 * fits the schema.  0 with the reply's data in *data (NULL: none), or a negative
	 * errno with a code of the contract and a sentence.  NULL: decide() does all. */
	int (*work)(const struct work *work, const cJSON *body, cJSON **data,
		    struct err *err);

	/* Takes the outcome of a successful work(), response->data, into the core, and
	 * may replace it.  NULL: there is nothing to take. */
	void (*done)(struct core *core, struct response *response);
};

#endif
