/* All verbs of the agent: the tables of the nouns. */
#ifndef AGENT_COMMANDS_VERBS_H
#define AGENT_COMMANDS_VERBS_H

#include "agent/model/verb.h"

struct suggest;

/* One table per noun, in the file of that noun, ended by a row without a name. */
extern const struct verb task_verbs[], queue_verbs[], project_verbs[], motor_verbs[],
	light_verbs[], camera_verbs[], trigger_verbs[], settings_verbs[], device_verbs[],
	gpio_verbs[], agent_verbs[], estop_verbs[];

/* NULL when the agent has no such verb. */
const struct verb *verb_find(const char *name);

/* Offers the names of all verbs. */
void verb_suggest(struct suggest *suggest);

#endif
