/* Task types that come and go while the agent runs. */
#ifndef AGENT_CORE_TASK_TYPES_H
#define AGENT_CORE_TASK_TYPES_H

#include "agent/core/state.h"

/* EVENT_TYPES: a search of the community folder has found these types. */
void task_types_event(struct core *core, const struct event *event);

/* {"problems": […]} of the last search, as the reply to agent/sync; the caller deletes
 * it. */
cJSON *task_types_found(const struct core *core);

/* Looks the type of a pending task up again, with the devices that it uses; true when it
 * has changed.  The type is NULL when it no longer exists. */
bool task_types_bind(struct core *core, struct task *task);

/* Frees types that no longer exist and that no task uses. */
void task_types_sweep(struct core *core);

#endif
