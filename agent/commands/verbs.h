/* All verbs of the agent. */
#ifndef AGENT_COMMANDS_VERBS_H
#define AGENT_COMMANDS_VERBS_H

#include "agent/model/verb.h"

struct suggest;
struct topic;

/* NULL when the agent has no such verb. */
const struct verb *verb_find(const char *name);

/* The same, for the topic of a command. */
const struct verb *verb_of_topic(const struct topic *topic);

/* Offers the names of all verbs. */
void verb_suggest(struct suggest *suggest);

#endif
