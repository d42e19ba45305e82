/* The verbs of the noun agent. */
#include "agent/commands/pending.h"
#include "agent/commands/tables.h"

#include "agent/base/clock.h"
#include "agent/core/lifecycle.h"
#include "agent/core/status.h"
#include "agent/core/task_types.h"
#include "agent/workers/mailbox.h"
#include "tasks/community/community.h"
#include "tasks/services.h"

#define DAY_MS (24LL * 3600 * 1000)
#define PRUNE_MAX 1000
#define SYNCS_MAX 4

static void agent_ping(struct core *core, struct response *response)
{
	char stamp[CLOCK_TEXT];
	cJSON *data = cJSON_CreateObject();

	clock_text(core->now.wall, stamp);
	cJSON_AddStringToObject(data, "agent", OPENSCAN_VERSION);
	cJSON_AddStringToObject(data, "time", stamp);
	response_ok(response, "ok", data);
}

/* Each one has a thread until the folder has been read. */
static int count_syncs(const struct core *core, const struct verb *sync)
{
	int count = 0;

	for (const struct pending *pending = core->pending; pending;
	     pending = pending->next)
		count += pending->verb == sync;
	return count;
}

static void agent_sync_decide(struct core *core, struct response *response)
{
	status_publish_all(core);
	if (!core->options.looks_for_types) {
		response_ok(response, "ok", NULL);
	} else if (count_syncs(core, response->command->verb) < SYNCS_MAX) {
		pending_start(core, response, 0);
	} else {
		response_refuse(response, "device_busy",
				"the folder of community tasks is being looked through");
		response->retry_after_s = 1;
	}
}

static int agent_sync(const struct work *work, const cJSON *body, cJSON **data,
		      struct err *err)
{
	struct event *event = event_new(EVENT_TYPES);

	(void)body;
	(void)data;
	(void)err;
	event->catalog = community_refresh(work->services->community);
	mailbox_post(work->mailbox, event);
	return 0;
}

static void agent_synced(struct core *core, struct response *response)
{
	response_ok(response, "ok", task_types_found(core));
}

static void agent_set_draining(struct core *core, struct response *response,
			       bool draining)
{
	if (core->draining != draining) {
		core->draining = draining;
		core->scheduler.draining = draining;
		store_set_number(core->store, "draining", draining);
		core->queue_changed = true;
		status_publish_availability(core);
	}
	response_ok(response, "ok", NULL);
}

static void agent_drain(struct core *core, struct response *response)
{
	agent_set_draining(core, response, true);
}

static void agent_undrain(struct core *core, struct response *response)
{
	agent_set_draining(core, response, false);
}

static void agent_prune(struct core *core, struct response *response)
{
	const cJSON *body = response->command->body;
	double keep =
		json_number(body, "keep", (double)core->options.tunables.keep_tasks);
	double days = json_number(body, "older_than_days",
				  (double)core->options.tunables.keep_ms / DAY_MS);
	cJSON *data = cJSON_CreateObject();

	cJSON_AddNumberToObject(data, "pruned",
				(double)lifecycle_prune(core, (int64_t)keep,
							(int64_t)(days * DAY_MS),
							PRUNE_MAX));
	response_ok(response, "ok", data);
}

const struct verb agent_verbs[] = {
	{
		.name = "agent/ping",
		.flags = VERB_BROADCAST,
		.decide = agent_ping,
	},
	{
		.name = "agent/sync",
		.flags = VERB_BROADCAST,
		.decide = agent_sync_decide,
		.work = agent_sync,
		.done = agent_synced,
	},
	{
		.name = "agent/drain",
		.flags = VERB_WRITES | VERB_BROADCAST,
		.decide = agent_drain,
	},
	{
		.name = "agent/undrain",
		.flags = VERB_WRITES | VERB_BROADCAST,
		.decide = agent_undrain,
	},
	{
		.name = "agent/prune",
		.flags = VERB_WRITES | VERB_FREES,
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			"\"keep\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000000},"
			"\"older_than_days\":{\"type\":\"number\",\"minimum\":0,\"maximum\":36500}}}",
		.decide = agent_prune,
	},
	{.name = NULL},
};
