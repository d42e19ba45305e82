/* The verbs of the noun gpio: lines that the device config frees.  A worker asks the rig,
 * which knows them. */
#include "agent/commands/pending.h"
#include "agent/commands/tables.h"

#include "agent/base/json.h"
#include "hal/rig.h"
#include "tasks/services.h"

#define LINE "\"line\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":63}"

/* A line is not a device, so it has no bit in a claim that a swap of the rig could hold.
 */
static void gpio_decide(struct core *core, struct response *response)
{
	if (core_rig_is_away(core))
		response_rig_away(response);
	else
		pending_start(core, response, 0);
}

static cJSON *line_state(int line, bool value)
{
	cJSON *state = cJSON_CreateObject();

	cJSON_AddNumberToObject(state, "line", line);
	cJSON_AddNumberToObject(state, "value", value);
	return state;
}

static int gpio_read(const struct work *work, const cJSON *body, cJSON **data,
		     struct err *err)
{
	int line = (int)json_number(body, "line", -1);
	int ret = rig_line_get(work->services->rig, line, err);

	if (ret < 0)
		return ret;
	*data = line_state(line, ret);
	return 0;
}

/* Anything may be connected to a line: gpio/set must not circumvent an emergency stop. */
static void gpio_set_decide(struct core *core, struct response *response)
{
	if (core->estop)
		response_refuse(response, "estopped",
				"the emergency stop is latched: send queue/resume first");
	else
		gpio_decide(core, response);
}

static int gpio_set(const struct work *work, const cJSON *body, cJSON **data,
		    struct err *err)
{
	int line = (int)json_number(body, "line", -1);
	bool value = json_number(body, "value", 0) > 0;
	int ret = rig_line_set(work->services->rig, line, value, err);

	if (ret == 0)
		*data = line_state(line, value);
	return ret;
}

const struct verb gpio_verbs[] = {
	{
		.name = "gpio/read",
		.flags = VERB_WRITES | VERB_FRESH | VERB_MOTION,
		.short_form = SHORT_NONE,
		.schema =
			"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"line\"],"
			"\"properties\":{" LINE "}}",
		.decide = gpio_decide,
		.work = gpio_read,
	},
	{
		.name = "gpio/set",
		.flags = VERB_WRITES | VERB_FRESH | VERB_MOTION,
		.short_form = SHORT_NONE,
		.schema = "{\"type\":\"object\",\"additionalProperties\":false,"
			  "\"required\":[\"line\",\"value\"],\"properties\":{" LINE ","
			  "\"value\":{\"enum\":[0,1]}}}",
		.decide = gpio_set_decide,
		.work = gpio_set,
	},
	{.name = NULL},
};
