/* The agent's decisions: a function from (state, events, now) to (state, effects).
 *
 * Everything that happens enters as an event, time is passed in, what is to be done
 * leaves as a list after the commit.  Nothing here reads a clock, a socket or a random
 * number; so the same code runs in the agent's loop and under a simulated one.
 *
 * This is all that the loop sees of the core; agent/core/state.h is its inside. */
#ifndef AGENT_TURN_H
#define AGENT_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/core/options.h"
#include "agent/model/effect.h"
#include "agent/model/event.h"
#include "agent/model/limits.h"

#define CORE_TURN_EVENTS 64

struct core;

/* Opens the database, restores what it holds and makes the first effects.  effects are
 * the caller's. */
int core_open(struct core **out, const struct core_options *options, struct core_time now,
	      struct effects *effects, struct err *err);
void core_close(struct core *core); /* NULL is fine */

/* One turn: handles the events (a list; stays the caller's), commits, adds the effects.
 * A full disk is not an error: the turn is held, nothing of it is told, and a later turn
 * commits it.  A negative errno means that the database cannot be trusted any more: the
 * process must end without acknowledging (exit 75). */
int core_turn(struct core *core, struct event *events, struct core_time now,
	      struct effects *effects, struct err *err);

/* When the core wants a turn without an event: monotonic ms, -1 for never. */
int64_t core_wake(const struct core *core);

/* Monotonic ms of the turn that took EVENT_STOP; -1 before. */
int64_t core_stopping_since(const struct core *core);

/* Stored messages that the broker has not acknowledged. */
int64_t core_unsent(const struct core *core);

/* Is there a task of that id, live or ended? */
bool core_knows_task(const struct core *core, const char *id);

/* The name of the rig's backend. */
const char *core_backend(const struct core *core);

#endif
