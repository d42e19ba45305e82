/* The MQTT session from CONNACK on: subscriptions, the barrier, the sweep, rivals. */
#ifndef AGENT_CORE_SESSION_H
#define AGENT_CORE_SESSION_H

#include "agent/core/state.h"

/* EVENT_CONNECTED, EVENT_DISCONNECTED, EVENT_SUBSCRIBED. */
void session_event(struct core *core, const struct event *event);

/* Handles a message; false when it is a command, which is left to the caller. */
bool session_message(struct core *core, const struct event *event,
		     const struct topic *topic);

/* Sends the barrier again, publishes again, begins a sweep: whatever is due. */
void session_tick(struct core *core);
int64_t session_wake(const struct core *core);

/* After the turn's messages: disconnects for a while if a rival was found. */
void session_back_off(struct core *core);

#endif
