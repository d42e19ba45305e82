/* The MQTT session from CONNACK on: subscriptions, the barrier, the sweep, rivals. */
#ifndef AGENT_CORE_SESSION_H
#define AGENT_CORE_SESSION_H

#include "agent/core/state.h"

void session_event(struct core *core, const struct event *event);

/* A message on a topic; false for one of a command, which is not the session's. */
bool session_message(struct core *core, const struct event *event,
		     const struct topic *topic);
void session_tick(struct core *core);
int64_t session_wake(const struct core *core);

/* Leaves the broker to a rival, behind what this turn tells. */
void session_back_off(struct core *core);

#endif
