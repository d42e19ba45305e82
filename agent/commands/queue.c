/* The verbs of the noun queue. */
#include "agent/commands/response.h"
#include "agent/commands/tables.h"
#include "agent/core/lifecycle.h"

#include <stdio.h>

static void queue_update_paused(struct core *core)
{
	core->scheduler.paused = core->person_paused || core->estop || core->stopping;
	core->queue_changed = true;
}

static void queue_pause(struct core *core, struct response *response)
{
	if (!core->person_paused) {
		core->person_paused = true;
		store_set_number(core->store, "paused", 1);
		queue_update_paused(core);
		core_emit_event(core, "queue.paused", NULL, NULL);
	}
	response_ok(response, "ok", NULL);
}

/* Lifts an emergency stop as well, but only on the device's own topic: somebody must have
 * looked at this rig. */
static void queue_resume(struct core *core, struct response *response)
{
	bool own = response->command->topic.scope == SCOPE_DEVICE;

	if (core->estop && !own) {
		response_refuse(
			response, "estopped",
			"the emergency stop is lifted on the device's own topic only");
		return;
	}
	if (core->estop) {
		core->estop = false;
		store_set_number(core->store, "estop", 0);
		effects_add(core->effects, EFFECT_RELEASE_ESTOP);
	}
	if (core->scheduler.paused) {
		core->person_paused = false;
		store_set_number(core->store, "paused", 0);
		queue_update_paused(core);
		core_emit_event(core, "queue.resumed", NULL, NULL);
	}
	response_ok(response, "ok", NULL);
}

static void queue_clear(struct core *core, struct response *response)
{
	cJSON *data = cJSON_CreateObject();
	cJSON *cancelled = cJSON_AddArrayToObject(data, "cancelled");
	struct scheduler *s = &core->scheduler;
	size_t i = 0;

	/* All of them end as cancelled; none should fail because of another. */
	for (size_t k = 0; k < s->count; k++)
		if (s->live[k]->status == TASK_PENDING)
			s->live[k]->after_open = 0;
	while (i < s->count) {
		struct task *task = s->live[i];

		if (task->status != TASK_PENDING) {
			i++;
			continue;
		}
		cJSON_AddItemToArray(cancelled, cJSON_CreateString(task->id));
		lifecycle_cancel(core, task);
	}
	response_ok(response, "ok", data);
}

const struct verb queue_verbs[] = {
	{
		.name = "queue/pause",
		.flags = VERB_WRITES | VERB_BROADCAST,
		.decide = queue_pause,
	},
	{
		.name = "queue/resume",
		.flags = VERB_WRITES | VERB_BROADCAST | VERB_FRESH,
		.decide = queue_resume,
	},
	{
		.name = "queue/clear",
		.flags = VERB_WRITES,
		.decide = queue_clear,
	},
	{.name = NULL},
};
