/* Takes a message on a command topic to its verb. */
#ifndef AGENT_COMMANDS_DISPATCH_H
#define AGENT_COMMANDS_DISPATCH_H

#include "agent/core/state.h"

/* Carries out the command, or refuses it; its reply is in the outbox, or follows when the
 * command is no longer pending. */
void dispatch_message(struct core *core, const struct event *event,
		      const struct topic *topic);
void dispatch_close(struct core *core);

#endif
