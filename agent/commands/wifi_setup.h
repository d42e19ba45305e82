/* Wi-Fi onboarding: with the setting qr_wifi_scan_enabled an agent that starts without a
 * network creates a qr_scan_task by itself. */
#ifndef AGENT_COMMANDS_WIFI_SETUP_H
#define AGENT_COMMANDS_WIFI_SETUP_H

#include "agent/core/state.h"

/* At the start: a worker checks for a network, unless there is no camera to scan with or
 * a qr_scan_task is live already. */
void wifi_setup_open(struct core *core);

/* EVENT_OFFLINE, there is no network: deletes earlier tries, except the three newest that
 * failed, and creates the task. */
void wifi_setup_start(struct core *core);

/* A person cancels a task: if wifi_setup_start() created it, the setting is switched
 * off. */
void wifi_setup_cancelled(struct core *core, const struct task *task);

#endif
