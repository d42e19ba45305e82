/* Changing settings, for callers other than settings/set. */
#ifndef AGENT_COMMANDS_SETTINGS_H
#define AGENT_COMMANDS_SETTINGS_H

#include "agent/core/state.h"

/* Changes settings durably, all or none, and publishes them. */
int settings_apply(struct core *core, const cJSON *values, struct err *err);

#endif
