/* All verbs of the agent. */
#ifndef AGENT_COMMANDS_VERBS_H
#define AGENT_COMMANDS_VERBS_H

#include "agent/model/verb.h"

struct suggest;

/* NULL when the agent has no such verb. */
const struct verb *verb_find(const char *name);

/* Offers the names of all verbs. */
void verb_suggest(struct suggest *suggest);

#endif
