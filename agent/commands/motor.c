/* The verbs of the noun motor. */
#include "agent/commands/device.h"
#include "agent/commands/tables.h"

#include "agent/base/json.h"
#include "agent/core/lifecycle.h"
#include "tasks/services.h"

static void motor_decide(struct core *core, struct response *response)
{
	device_start_unless_estopped(core, response, DEVICE_MOTOR);
}

static int motor_move(const struct work *work, const cJSON *body, cJSON **data,
		      struct err *err)
{
	struct rig *rig = work->services->rig;
	struct rig_target target;
	int ret = rig_json_target(rig, body, &target, err);

	if (ret == 0)
		ret = rig_move(rig, &target, 1, work->cancel, err);
	if (ret == 0)
		*data = rig_json_state(rig, DEVICE_MOTOR, target.motor);
	return ret;
}

static int motor_home(const struct work *work, const cJSON *body, cJSON **data,
		      struct err *err)
{
	const char *name = json_string(body, "name");
	int ret = rig_home(work->services->rig, name, work->cancel, err);

	if (ret == 0)
		*data = rig_json_state(work->services->rig, DEVICE_MOTOR, name);
	return ret;
}

/* The pulses have stopped already, before this command reached the loop; once more does
 * no harm and serves commands that came by a group.  A task between two moves must not go
 * on with the next.  Reading the state needs no claim. */
static void motor_stop_decide(struct core *core, struct response *response)
{
	struct stop_ops *stop_ops = &core->options.stop_ops;
	uint64_t devices;

	stop_ops->stop_motion(stop_ops->context);
	lifecycle_stop_runs(core, core_device(core, DEVICE_MOTOR, NULL), STOP_MOTION);
	/* Without a rig nothing moves, and there is no state to read. */
	if (core_rig_is_away(core))
		response_ok(response, "ok", NULL);
	else if (device_named(core, response, DEVICE_MOTOR, &devices))
		pending_start(core, response, 0);
}

static int motor_stop(const struct work *work, const cJSON *body, cJSON **data,
		      struct err *err)
{
	(void)err;
	rig_stop_motion(work->services->rig);
	*data = rig_json_state(work->services->rig, DEVICE_MOTOR,
			       json_string(body, "name"));
	return 0;
}

/* Nothing moves, so it is allowed after an emergency stop as well. */
static void motor_override_decide(struct core *core, struct response *response)
{
	device_start(core, response, DEVICE_MOTOR);
}

static int motor_override(const struct work *work, const cJSON *body, cJSON **data,
			  struct err *err)
{
	const char *name = json_string(body, "name");
	int ret = rig_override(work->services->rig, name, json_number(body, "degrees", 0),
			       err);

	if (ret == 0)
		*data = rig_json_state(work->services->rig, DEVICE_MOTOR, name);
	return ret;
}

const struct verb motor_verbs[] = {
	{
		.name = "motor/move",
		.flags = VERB_WRITES | VERB_FRESH | VERB_MOTION,
		.short_form = SHORT_NONE,
		.schema = SCHEMA_OBJECT_WITH(
			"\"name\",\"degrees\"", SCHEMA_NAME
			",\"degrees\":{\"type\":\"number\",\"minimum\":-36000,\"maximum\":36000},"
			"\"relative\":{\"type\":\"boolean\"}"),
		.decide = motor_decide,
		.work = motor_move,
	},
	{
		.name = "motor/home",
		.flags = VERB_WRITES | VERB_FRESH | VERB_MOTION,
		.schema = SCHEMA_OBJECT(SCHEMA_NAME),
		.decide = motor_decide,
		.work = motor_home,
	},
	{
		.name = "motor/stop",
		.flags = VERB_WRITES | VERB_MOTION | VERB_STOPS_MOTION,
		.schema = SCHEMA_OBJECT(SCHEMA_NAME),
		.decide = motor_stop_decide,
		.work = motor_stop,
	},
	{
		.name = "motor/override",
		.flags = VERB_WRITES | VERB_FRESH | VERB_MOTION,
		.short_form = SHORT_NONE,
		.schema = SCHEMA_OBJECT_WITH(
			"\"name\",\"degrees\"", SCHEMA_NAME
			",\"degrees\":{\"type\":\"number\",\"minimum\":-360,\"maximum\":360}"),
		.decide = motor_override_decide,
		.work = motor_override,
	},
	{.name = NULL},
};
