/* What the core wants done, told after the commit: a list that the shell carries out.
 *
 * An effect owns its strings.  Acts that stop hardware are not here: they never wait for
 * a commit and leave through struct stop_ops (agent/core/options.h). */
#ifndef AGENT_MODEL_EFFECT_H
#define AGENT_MODEL_EFFECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tasks/registry.h"

struct verb; /* agent/model/verb.h */
struct completion;

enum effect_kind {
	EFFECT_COMPLETE, /* completion */
	EFFECT_START, /* run, name = task id, type, text = args, more = checkpoint, number
			 = attempt */
	EFFECT_GO_ON, /* run: leave the gate */
	EFFECT_COMMAND,	    /* run, verb, text = body, type (dry_run) */
	EFFECT_PUBLISH,	    /* token, name = topic, text/size, qos, retain, expiry_s,
			       correlation */
	EFFECT_SUBSCRIBE,   /* token: every topic of filters */
	EFFECT_UNSUBSCRIBE, /* token, name = one topic */
	EFFECT_RECONNECT,   /* number = not before so many milliseconds */
	EFFECT_RELEASE_ESTOP,
	EFFECT_STOPPED, /* all is at rest after EVENT_STOP: disconnect and exit */
};

struct effect {
	enum effect_kind kind;
	uint32_t epoch;
	uint64_t token, run;
	int64_t number;
	char *name, *text, *more;
	size_t size;
	int qos;
	bool retain;
	int expiry_s;
	uint8_t *correlation;
	size_t correlation_size;
	const struct registered_type *type;
	const struct verb *verb;
	struct completion *completion;
	bool no_local, as_published; /* a subscription's options */
	int handling;
	struct effect *next;
};

struct effects {
	struct effect *first, **last;
};

void effects_init(struct effects *effects);
struct effect *effects_add(struct effects *effects, enum effect_kind kind);

/* A QoS 1 message; topic is copied, payload (NULL is an empty one) is taken over. */
struct effect *effects_publish(struct effects *effects, uint32_t epoch, uint64_t token,
			       const char *topic, char *payload);

void effects_clear(struct effects *effects);

/* Takes the effect of that kind and run back; false when it is not there. */
bool effects_withdraw(struct effects *effects, enum effect_kind kind, uint64_t run);

/* Puts all of from behind those of effects. */
void effects_move(struct effects *effects, struct effects *from);

#endif
