/* An effect: something that the core wants done after the commit.  A turn returns a list
 * of them, and the loop carries them out.
 *
 * An effect owns its strings.  Nothing that stops hardware is among them: that never
 * waits for a commit and is called through struct stop_ops (agent/core/options.h). */
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
	EFFECT_RESUME,	    /* run: continue at the gate */
	EFFECT_COMMAND,	    /* run, verb, text = body, type (dry_run) */
	EFFECT_PUBLISH,	    /* token, name = topic, text/size, qos, retain, expiry_s,
			       correlation */
	EFFECT_SUBSCRIBE,   /* token: every topic of filters */
	EFFECT_UNSUBSCRIBE, /* token, name = one topic */
	EFFECT_RECONNECT,   /* number = milliseconds to stay disconnected */
	EFFECT_RELEASE_ESTOP,
	EFFECT_STOPPED, /* everything has ended after EVENT_STOP: exit */
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
	bool no_local, as_published; /* options of a subscription */
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

/* Removes the effect of that kind and run; false when there is none. */
bool effects_withdraw(struct effects *effects, enum effect_kind kind, uint64_t run);

/* Appends all of from to effects; from is empty then. */
void effects_move(struct effects *effects, struct effects *from);

#endif
