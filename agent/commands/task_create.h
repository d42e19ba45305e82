/* Creating a task, and the checks that other verbs share with it. */
#ifndef AGENT_COMMANDS_TASK_CREATE_H
#define AGENT_COMMANDS_TASK_CREATE_H

#include "agent/commands/response.h"

/* Decides task/create. */
void task_create(struct core *core, struct response *response);

/* Checks labels and gives them to the task; refused when they are too many or too long.
 */
bool create_labels(struct response *response, struct task *task, const cJSON *labels);

/* Is there room for n more live tasks?  Refused with draining or queue_full. */
bool create_room(struct core *core, struct response *response, size_t n);

#endif
