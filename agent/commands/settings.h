/* Changing settings, for who does it without being asked by settings/set. */
#ifndef AGENT_COMMANDS_SETTINGS_H
#define AGENT_COMMANDS_SETTINGS_H

#include "agent/core/state.h"

/* Changes them durably, all or none, and tells the world. */
int settings_apply(struct core *core, const cJSON *values, struct err *err);

#endif
