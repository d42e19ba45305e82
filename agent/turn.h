/* The agent's decisions: a function from (state, events, now) to (state, effects).
 *
 * Everything that happens comes in as an event, the time is passed in, and everything to
 * be done comes out as a list of effects after the commit.  Nothing here reads a clock, a
 * socket or a random number, so the same code runs in the agent's loop and in the
 * simulation.
 *
 * This is all that the loop sees of the core; struct core is in agent/core/state.h. */
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

/* Opens the database, restores its tasks and adds the first effects to the caller's list.
 */
int core_open(struct core **out, const struct core_options *options, struct core_time now,
	      struct effects *effects, struct err *err);
void core_close(struct core *core); /* NULL is fine */

/* One turn: handles the events (a list that stays the caller's), commits, and adds the
 * effects.  A full disk is not an error: nothing of the turn is published until a later
 * turn commits it.  A negative errno means that the database can no longer be trusted:
 * the process must end without acknowledging (exit 75). */
int core_turn(struct core *core, struct event *events, struct core_time now,
	      struct effects *effects, struct err *err);

/* When the core wants a turn without an event: monotonic ms, -1 for never. */
int64_t core_wake(const struct core *core);

/* When EVENT_STOP was handled: monotonic ms; -1 before that. */
int64_t core_stopping_since(const struct core *core);

/* Stored messages that the broker has not acknowledged. */
int64_t core_unsent(const struct core *core);

/* Is there a task with that id, live or ended? */
bool core_knows_task(const struct core *core, const char *id);

/* The name of the rig's backend. */
const char *core_backend(const struct core *core);

#endif
