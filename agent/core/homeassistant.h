/* What Home Assistant is told: one device with its entities, as its MQTT integration
 * reads it ("device discovery"), retained on <prefix>/device/<d>/config.
 *
 * Every entity stands on a topic of the contract and every button publishes a command of
 * it, so whatever works there works for everybody else. */
#ifndef AGENT_CORE_HOMEASSISTANT_H
#define AGENT_CORE_HOMEASSISTANT_H

#include "agent/core/state.h"

/* Tells it as it is now; clears it where the setting homeassistant.discovery is off. */
void homeassistant_publish(struct core *core);

/* A device ("light/ringlight") has gone: its entity is taken back from now on. */
void homeassistant_remove_device(struct core *core, const char *device);

/* Home Assistant has started: everything goes out again after a random delay, once for
 * many births in a row. */
void homeassistant_birth(struct core *core);
void homeassistant_tick(struct core *core);
int64_t homeassistant_wake(const struct core *core); /* -1: never */

#endif
