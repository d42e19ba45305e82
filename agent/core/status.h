/* What the agent makes from memory for its retained topics: status, info, types,
 * settings, queue, current, health, the devices' states and pictures.  The newest value
 * of each is kept and sent at its rate by agent/outbox/telemetry.h. */
#ifndef AGENT_CORE_STATUS_H
#define AGENT_CORE_STATUS_H

#include "agent/core/state.h"

void status_publish_availability(
	struct core *core); /* nothing before the barrier: see agent/core/session.c */
void status_publish_info(struct core *core);
void status_publish_settings(struct core *core);
void status_publish_health(struct core *core);

/* The types that there are now; and one that is there no more. */
void status_publish_types(struct core *core);
void status_clear_type(struct core *core, const char *type);

/* queue and current change with every task: made when they have changed and can be sent.
 */
void status_publish_changes(struct core *core);

/* Everything again, the status last, and every task's document. */
void status_publish_all(struct core *core);

/* The state document of a device and the newest picture of a camera, as their events
 * bring them. */
void status_publish_device(struct core *core, const struct event *event);
void status_clear_device(struct core *core, const char *device); /* "motor/rotor" */
void status_publish_image(struct core *core, const struct event *event);

/* The document of R/<d>/settings; the caller deletes it. */
cJSON *status_settings_document(struct core *core);

#endif
