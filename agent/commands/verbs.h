/* All verbs of the agent. */
#ifndef AGENT_COMMANDS_VERBS_H
#define AGENT_COMMANDS_VERBS_H

#include "agent/model/verb.h"

struct suggest;

/* NULL when the agent has no such verb. */
const struct verb *verb_find(const char *name);

/* The name that the topic of a command stands for: "task/create", "estop". */
void verb_name(char name[VERB_NAME_SIZE], const struct topic *topic);

/* The verb of that name, or NULL. */
const struct verb *verb_of_topic(const struct topic *topic);

/* Offers the names of all verbs. */
void verb_suggest(struct suggest *suggest);

#endif
