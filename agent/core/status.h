/* The retained topics that are made from memory: status, info, types, settings, queue,
 * current, health, the states of devices and the pictures of cameras.
 * agent/outbox/telemetry.h keeps the newest value of each and sends it at its rate. */
#ifndef AGENT_CORE_STATUS_H
#define AGENT_CORE_STATUS_H

#include "agent/core/state.h"

/* R/<d>/status: "online" or "draining".  Does nothing before the session is ready. */
void status_publish_availability(struct core *core);

void status_publish_info(struct core *core);
void status_publish_settings(struct core *core);
void status_publish_health(struct core *core);

/* The documents of all task types. */
void status_publish_types(struct core *core);

/* Removes the topic of a type that no longer exists. */
void status_clear_type(struct core *core, const char *type);

/* queue and current, if they have changed and may be sent at their rate. */
void status_publish_changes(struct core *core);

/* Everything, and the document of every task; the status comes last. */
void status_publish_all(struct core *core);

/* EVENT_DEVICE: the state of a device. */
void status_publish_device(struct core *core, const struct event *event);

/* Removes the topics of a device ("motor/rotor") that no longer exists. */
void status_clear_device(struct core *core, const char *device);

/* EVENT_IMAGE: the newest picture of a camera. */
void status_publish_image(struct core *core, const struct event *event);

/* The document of R/<d>/settings; the caller deletes it. */
cJSON *status_settings_document(struct core *core);

#endif
