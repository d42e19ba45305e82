/* Idempotency: the replies of commands that changed something are kept, under the id of
 * what they created and under their request.  A repetition is answered from them. */
#ifndef AGENT_COMMANDS_DEDUP_H
#define AGENT_COMMANDS_DEDUP_H

#include "agent/commands/response.h"

/* The letter before the id or request in a record's key. */
enum dedup_kind { DEDUP_ID = 'i', DEDUP_REQUEST = 'r' };

/* Keeps the reply, without its data, under the id of the response or the request of its
 * command. */
void dedup_remember(struct core *core, const struct response *response,
		    enum dedup_kind kind);

/* If a command with this id or request has been carried out before, answers with its
 * reply, or refuses with id_conflict when that was another command; returns true. */
bool dedup_answers(struct core *core, struct response *response, enum dedup_kind kind);

#endif
