/* The rig's own search for a Wi-Fi network: where the setting qr_wifi_scan_enabled asks
 * for it, an agent that starts without a network starts qr_scan_task by itself. */
#ifndef AGENT_COMMANDS_WIFI_SETUP_H
#define AGENT_COMMANDS_WIFI_SETUP_H

#include "agent/core/state.h"

/* At the start: has a worker look for a network, if there is anything to be done without.
 */
void joining_open(struct core *core);

/* EVENT_OFFLINE: there is none.  Takes away the traces of earlier tries, all but the
 * three newest that failed, and makes the task. */
void joining_event(struct core *core);

/* A person cancels the task: one that was started here is not wanted at the next start
 * either. */
void joining_cancelled(struct core *core, const struct task *task);

#endif
