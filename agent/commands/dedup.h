/* Replies that are kept, so that a repeated command is answered and not carried out. */
#ifndef AGENT_COMMANDS_DEDUP_H
#define AGENT_COMMANDS_DEDUP_H

#include "agent/commands/response.h"

/* Keeps the reply under prefix ("i" for an id, "r" for a request) and name. */
void remember_reply(struct core *core, const char *prefix, const char *name,
		    const struct response *response, const char *hash);

/* Has this command been carried out before?  Then answers it. */
bool remember_answers(struct core *core, struct response *response, const char *prefix,
		      const char *name);

#endif
