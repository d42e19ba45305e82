/* The rig's devices, at the start and when the rig is reloaded. */
#ifndef AGENT_CORE_DEVICES_H
#define AGENT_CORE_DEVICES_H

#include "agent/core/state.h"

/* Copies the devices from the options, and clears the topics of devices that existed at
 * the last start and no longer do. */
void devices_open(struct core *core);
void devices_close(struct core *core);

/* The rig has been reloaded.  rig: {"backend", "problems": [sentences],
 * "devices": [{"kind","name"}]}. */
void devices_reload(struct core *core, const cJSON *rig);

#endif
