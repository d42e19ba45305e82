/* What the files of the noun task share: create.c, list.c and task.c with its table. */
#ifndef AGENT_COMMANDS_TASK_H
#define AGENT_COMMANDS_TASK_H

#include "agent/commands/response.h"

/* ---- create.c ---- */

extern const char create_schema[];
void task_create(struct core *core, struct response *response);

/* The work of a dry run. */
int task_estimate(const struct work *work, const cJSON *body, cJSON **data,
		  struct err *err);

/* Checks labels and gives them to the task; refused when they are too many or too long.
 */
bool create_labels(struct response *response, struct task *task, const cJSON *labels);

/* May n more tasks live?  Refused with draining or queue_full. */
bool create_room(struct core *core, struct response *response, size_t n);

/* ---- list.c ---- */

void task_list(struct core *core, struct response *response);
void task_log(struct core *core, struct response *response);
void task_events(struct core *core, struct response *response);

#endif
