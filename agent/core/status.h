/* What the agent makes from memory for its retained topics: status, info, types,
 * settings, queue, current, health, the devices' states and pictures.  The board
 * (agent/outbox/telemetry.h) keeps the newest value of each and sends it at its rate. */
#ifndef AGENT_CORE_STATUS_H
#define AGENT_CORE_STATUS_H

#include "agent/core/state.h"

void notices_status(
	struct core *core); /* nothing before the barrier: see agent/core/session.c */
void notices_info(struct core *core);
void notices_settings(struct core *core);
void notices_health(struct core *core);

/* The types that there are now; and one that is there no more. */
void notices_types(struct core *core);
void notices_type_gone(struct core *core, const char *type);

/* queue and current change with every task: made when they have changed and can be sent.
 */
void notices_changes(struct core *core);

/* Everything again, the status last, and every task's document. */
void notices_all(struct core *core);

/* The state document of a device and the newest picture of a camera, as their events
 * bring them. */
void notices_device(struct core *core, const struct event *event);
void notices_device_gone(struct core *core, const char *device); /* "motor/rotor" */
void notices_image(struct core *core, const struct event *event);

/* The document of R/<d>/settings; the caller deletes it. */
cJSON *notices_settings_document(struct core *core);

#endif
