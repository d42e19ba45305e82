/* The reply that a command is answered with. */
#ifndef AGENT_COMMANDS_REPLY_H
#define AGENT_COMMANDS_REPLY_H

#include "agent/commands/response.h"

/* The part of a reply that is remembered: everything but its data; the caller deletes it.
 */
cJSON *reply_head(const struct core *core, const struct response *response);

/* The topic that the command asked for, or its default; and the delay that spreads the
 * replies of a fleet. */
void reply_topic(const struct core *core, const struct command *command,
		 char topic[TOPIC_MAX]);
int64_t reply_delay(struct core *core, const struct command *command);

/* Takes the response's data.  stored: the reply of a command that changed something. */
void reply_send(struct core *core, struct response *response, bool stored);

#endif
