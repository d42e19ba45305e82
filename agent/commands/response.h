/* How a command is answered: shared by the files that receive it and make its reply.
 *
 * receive.c judges a message and calls its verb; answer.c is what a verb's function says;
 * reply.c makes the reply and sends it; remember.c knows repeated ids and requests;
 * acts.c answers what takes time.  A verb's function needs agent/commands/verb.h only. */
#ifndef AGENT_COMMANDS_RESPONSE_H
#define AGENT_COMMANDS_RESPONSE_H

#include "agent/commands/verb.h"
#include "agent/core/state.h"

/* ---- receive.c ---- */

/* NULL when this agent has no such verb. */
const struct verb *verb_find(const char *name);

/* ---- reply.c ---- */

/* The part of a reply that is remembered: everything but its data; the caller deletes it.
 */
cJSON *reply_head(const struct core *core, const struct answer *answer);

/* Where the reply goes when nobody said so, and how long it waits in a fleet. */
void reply_topic(const struct core *core, const struct command *command,
		 char topic[TOPIC_MAX]);
int64_t reply_delay(struct core *core, const struct command *command);

/* Takes the answer's data.  stored: the reply of a command that changed something. */
void reply_send(struct core *core, struct answer *answer, bool stored);

/* ---- remember.c ---- */

/* Keeps the reply under prefix ("i" for an id, "r" for a request) and name. */
void remember_reply(struct core *core, const char *prefix, const char *name,
		    const struct answer *answer, const char *hash);

/* Has this command been carried out before?  Then answers it. */
bool remember_answers(struct core *core, struct answer *answer, const char *prefix,
		      const char *name);

/* ---- acts.c ---- */

/* Is an act of the same request under way?  Then answers that. */
bool acts_answer_running(struct core *core, struct answer *answer);

#endif
