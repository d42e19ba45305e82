/* The way of a command from its message to its verb. */
#ifndef AGENT_COMMANDS_DISPATCH_H
#define AGENT_COMMANDS_DISPATCH_H

#include "agent/core/state.h"

void dispatch_message(struct core *core, const struct event *event,
		      const struct topic *topic);
void dispatch_close(struct core *core);

#endif
