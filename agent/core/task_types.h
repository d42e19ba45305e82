/* Task types that come and go while the agent runs. */
#ifndef AGENT_CORE_TASK_TYPES_H
#define AGENT_CORE_TASK_TYPES_H

#include "agent/core/state.h"

/* EVENT_TYPES: types come and go. */
void task_types_event(struct core *core, const struct event *event);

/* What the last look at the community folder found, for the reply to who asked for it. */
cJSON *task_types_found(const struct core *core);

/* Gives a task that waits the type and the devices that its type's name stands for now;
 * true when that is another one.  The type is NULL when there is none any more. */
bool task_types_bind(struct core *core, struct task *task);

/* Lets go of types that are gone and that no task uses any more. */
void task_types_sweep(struct core *core);

#endif
