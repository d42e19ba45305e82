/* Device discovery for the MQTT integration of Home Assistant: one retained message on
 * <prefix>/device/<d>/config that describes the device and its entities.
 *
 * Every entity uses a topic of the contract and every button publishes a command of it,
 * so nothing works there that does not work for everybody else. */
#ifndef AGENT_CORE_HOMEASSISTANT_H
#define AGENT_CORE_HOMEASSISTANT_H

#include "agent/core/state.h"

/* Publishes the message; clears it when the setting homeassistant.discovery is off. */
void homeassistant_publish(struct core *core);

/* Removes the entity of a device ("light/ringlight") that no longer exists, from the next
 * message on. */
void homeassistant_remove_device(struct core *core, const char *device);

/* Home Assistant has started: publishes everything again after a random delay, once for
 * several birth messages in a row. */
void homeassistant_birth(struct core *core);
void homeassistant_tick(struct core *core);
int64_t homeassistant_wake(const struct core *core); /* -1: never */

#endif
