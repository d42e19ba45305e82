/* The reply to a command: its JSON, its topic, its way to the outbox. */
#ifndef AGENT_COMMANDS_REPLY_H
#define AGENT_COMMANDS_REPLY_H

#include "agent/commands/response.h"

/* The part of a reply that is kept for repetitions, without its data; the caller deletes
 * it. */
cJSON *reply_head(const struct core *core, const struct response *response);

/* The topic that the command asked for, or the default one; and the delay in milliseconds
 * that spreads the replies of a fleet. */
void reply_topic(const struct core *core, const struct command *command,
		 char topic[TOPIC_MAX]);
int64_t reply_delay(struct core *core, const struct command *command);

/* Puts the reply into the outbox, and takes the response's data.  stored: the command has
 * changed something, so the reply must survive a restart. */
void reply_send(struct core *core, struct response *response, bool stored);

#endif
