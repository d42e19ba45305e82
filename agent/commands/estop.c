/* The emergency stop, the only verb without a noun. */
#include "agent/commands/tables.h"

#include "agent/commands/pending.h"
#include "agent/core/lifecycle.h"

/* The rig stopped when the message arrived; this latches the stop.  The schema lets any
 * object pass: an emergency stop is never refused for its form. */
static void estop(struct core *core, struct response *response)
{
	struct stop_ops *stop_ops = &core->options.stop_ops;

	stop_ops->estop(stop_ops->context);
	if (!core->estop) {
		core->estop = true;
		core->scheduler.paused = true;
		core->queue_changed = true;
		store_set_number(core->store, "estop", 1);
		core_emit_event(core, "estop", NULL, NULL);
	}
	lifecycle_stop_runs(core, UINT64_MAX, STOP_ESTOP);
	pending_refuse_queued(core);
	response_ok(response, "ok", NULL);
}

const struct verb estop_verbs[] = {
	{
		.name = "estop",
		.flags = VERB_WRITES | VERB_BROADCAST | VERB_STOPS_RIG |
			 VERB_NEVER_REFUSED,
		.schema = "{\"type\":\"object\"}",
		.decide = estop,
	},
	{.name = NULL},
};
