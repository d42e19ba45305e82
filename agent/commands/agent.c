#include "agent/commands/verb.h"

#include <string.h>

#include "agent/base/clock.h"
#include "agent/commands/pending.h"
#include "agent/core/lifecycle.h"
#include "agent/core/status.h"

#define DAY_MS (24LL * 3600 * 1000)
#define PRUNE_MOST 1000
#define LOOKS_MOST 4

static void agent_ping(struct core *core, struct answer *answer)
{
	char stamp[CLOCK_TEXT];
	cJSON *data = cJSON_CreateObject();

	clock_text(core->now.wall, stamp);
	cJSON_AddStringToObject(data, "agent", OPENSCAN_VERSION);
	cJSON_AddStringToObject(data, "time", stamp);
	answer_ok(answer, "ok", data);
}

/* Each takes a thread until the folder has been looked through. */
static int looks_under_way(const struct core *core)
{
	int count = 0;

	for (const struct act *act = core->acts; act; act = act->next)
		count += !strcmp(act->verb, "agent/sync");
	return count;
}

static void agent_sync(struct core *core, struct answer *answer)
{
	notices_all(core);
	if (!core->options.looks_for_types) {
		answer_ok(answer, "ok", NULL);
	} else if (looks_under_way(core) < LOOKS_MOST) {
		answer_act(core, answer, 0); /* answered when the types are there */
	} else {
		answer_refuse(answer, "device_busy",
			      "the folder of community tasks is being looked through");
		answer->retry_after_s = 1;
	}
}

static void agent_set_draining(struct core *core, struct answer *answer, bool draining)
{
	if (core->draining != draining) {
		core->draining = draining;
		core->scheduler.draining = draining;
		store_set_number(core->store, "draining", draining);
		core->queue_changed = true;
		notices_status(core);
	}
	answer_ok(answer, "ok", NULL);
}

static void agent_drain(struct core *core, struct answer *answer)
{
	agent_set_draining(core, answer, true);
}

static void agent_undrain(struct core *core, struct answer *answer)
{
	agent_set_draining(core, answer, false);
}

static void agent_prune(struct core *core, struct answer *answer)
{
	const cJSON *body = answer->command->body;
	double keep =
		json_number(body, "keep", (double)core->options.tunables.keep_tasks);
	double days = json_number(body, "older_than_days",
				  (double)core->options.tunables.keep_ms / DAY_MS);
	cJSON *data = cJSON_CreateObject();

	cJSON_AddNumberToObject(data, "pruned",
				(double)life_prune(core, (int64_t)keep,
						   (int64_t)(days * DAY_MS), PRUNE_MOST));
	answer_ok(answer, "ok", data);
}

const struct verb agent_verbs[] = {
	{"agent/ping", VERB_BROADCAST, NULL, agent_ping},
	{"agent/sync", VERB_BROADCAST, NULL, agent_sync},
	{"agent/drain", VERB_WRITES | VERB_BROADCAST, NULL, agent_drain},
	{"agent/undrain", VERB_WRITES | VERB_BROADCAST, NULL, agent_undrain},
	{"agent/prune", VERB_WRITES | VERB_FREES,
	 "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	 "\"keep\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000000},"
	 "\"older_than_days\":{\"type\":\"number\",\"minimum\":0,\"maximum\":36500}}}",
	 agent_prune},
	{.name = NULL},
};
