/* The lines that the device config frees.  The rig knows which; a worker asks it. */
#include "agent/commands/pending.h"
#include "agent/commands/verbs.h"

#define LINE "\"line\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":63}"

/* A line is no device, so it has no bit that whoever exchanges the rig could hold. */
static void gpio_act(struct core *core, struct answer *answer)
{
	if (devices_away(core))
		answer_away(answer);
	else
		answer_act(core, answer, 0);
}

static void gpio_read(struct core *core, struct answer *answer)
{
	gpio_act(core, answer);
}

/* A line may hang on anything: what an emergency stop holds must not be worked around. */
static void gpio_set(struct core *core, struct answer *answer)
{
	if (core->estop)
		answer_refuse(answer, "estopped",
			      "the emergency stop is latched: send queue/resume first");
	else
		gpio_act(core, answer);
}

const struct verb gpio_verbs[] = {
	{
		.name = "gpio/read",
		.flags = VERB_WRITES | VERB_FRESH | VERB_MOTION,
		.short_form = SHORT_NONE,
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"line\"],"
			"\"properties\":{" LINE "}}",
		.decide = gpio_read,
	},
	{
		.name = "gpio/set",
		.flags = VERB_WRITES | VERB_FRESH | VERB_MOTION,
		.short_form = SHORT_NONE,
		.schema = "{\"type\":\"object\",\"additionalProperties\":false,"
			  "\"required\":[\"line\",\"value\"],\"properties\":{" LINE ","
			  "\"value\":{\"enum\":[0,1]}}}",
		.decide = gpio_set,
	},
	{.name = NULL},
};
