/* The devices of the rig as they come and go. */
#ifndef AGENT_CORE_DEVICES_H
#define AGENT_CORE_DEVICES_H

#include "agent/core/state.h"

/* Copies those of the options, and clears the topics of those that were there at the last
 * start and are no more. */
void devices_open(struct core *core);
void devices_close(struct core *core);

/* The rig was exchanged for one like this: {"backend", "problems": [sentences],
 * "devices": [{"kind","name"}]}. */
void devices_exchanged(struct core *core, const cJSON *rig);

#endif
