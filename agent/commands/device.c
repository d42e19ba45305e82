/* The devices' nouns: motor, light, camera, trigger, and device for all of them.  What
 * they do takes time and happens on a worker (agent/workers/deed.c); here is decided
 * whether it may. */
#include "agent/commands/verbs.h"

#include <errno.h>
#include <string.h>

#include "agent/base/suggest.h"
#include "agent/commands/pending.h"
#include "agent/core/devices.h"
#include "agent/core/lifecycle.h"

#define NAME "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64}"
#define OBJECT(properties)                                                                \
	"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" properties \
	"}}"
#define NEEDS(required, properties)                                                      \
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[" required    \
	"],\"properties\":{" properties "}}"

static void unknown_device(const struct core *core, struct answer *answer,
			   enum device_kind kind, const char *name)
{
	struct suggest suggest;

	suggest_init(&suggest, name);
	for (size_t i = 0; i < core->device_count; i++)
		if (core->devices[i].kind == kind)
			suggest_offer(&suggest, core->devices[i].name);
	answer_unknown(answer, "not_found", "/name", device_kind_name(kind), &suggest);
}

/* The devices of that kind that the command names: all without a name. */
static bool named_devices(struct core *core, struct answer *answer, enum device_kind kind,
			  uint64_t *devices)
{
	const char *name = json_string(answer->command->body, "name");

	*devices = core_device(core, kind, name);
	if (*devices)
		return true;
	if (name)
		unknown_device(core, answer, kind, name);
	else
		answer_refuse(answer, "not_found", "this rig has no %s",
			      device_kind_name(kind));
	return false;
}

static bool not_estopped(const struct core *core, struct answer *answer)
{
	if (!core->estop)
		return true;
	answer_refuse(answer, "estopped",
		      "the emergency stop is latched: send queue/resume first");
	return false;
}

static void device_act(struct core *core, struct answer *answer, enum device_kind kind)
{
	uint64_t devices;

	if (named_devices(core, answer, kind, &devices))
		answer_act(core, answer, devices);
}

static void motor_move(struct core *core, struct answer *answer)
{
	if (not_estopped(core, answer))
		device_act(core, answer, DEVICE_MOTOR);
}

static void motor_override(struct core *core, struct answer *answer)
{
	device_act(core, answer, DEVICE_MOTOR);
}

/* The pulses have stopped already, before this command reached the loop; once more does
 * no harm and serves those that came by a group.  A task that stood between two moves
 * must not go on with the next.  Reading the state needs no claim. */
static void motor_stop(struct core *core, struct answer *answer)
{
	struct stop_ops *stop_ops = &core->options.stop_ops;
	uint64_t devices;

	stop_ops->stop_motion(stop_ops->context);
	lifecycle_stop_runs(core, core_device(core, DEVICE_MOTOR, NULL), STOP_MOTION);
	if (devices_away(core)) {
		answer_ok(answer, "ok",
			  NULL); /* nothing moves, and nobody could tell a state */
		return;
	}
	if (named_devices(core, answer, DEVICE_MOTOR, &devices))
		answer_act(core, answer, 0);
}

static void light_toggle(struct core *core, struct answer *answer)
{
	device_act(core, answer, DEVICE_LIGHT);
}

static void light_set(struct core *core, struct answer *answer)
{
	const cJSON *body = answer->command->body;

	if (!cJSON_HasObjectItem(body, "state") &&
	    !cJSON_HasObjectItem(body, "brightness")) {
		answer_refuse(answer, "bad_request",
			      "light/set needs state or brightness");
		return;
	}
	device_act(core, answer, DEVICE_LIGHT);
}

static void camera_capture(struct core *core, struct answer *answer)
{
	if (not_estopped(core, answer))
		device_act(core, answer, DEVICE_CAMERA);
}

static void camera_settings(struct core *core, struct answer *answer)
{
	device_act(core, answer, DEVICE_CAMERA);
}

static void trigger_fire(struct core *core, struct answer *answer)
{
	if (not_estopped(core, answer))
		device_act(core, answer, DEVICE_TRIGGER);
}

/* The rig is opened anew by a worker, which has all of it to itself. */
static void device_reload(struct core *core, struct answer *answer)
{
	const struct settings_access *access = &core->options.settings;
	cJSON *config;
	struct err err;

	if (!access->read_config) {
		answer_refuse(answer, "not_supported", "this rig cannot be exchanged");
		return;
	}
	if (core->acts) {
		answer_refuse(answer, "device_busy", "%s is under way",
			      core->acts->verb->name);
		answer->retry_after_s = 1;
		return;
	}
	if (access->read_config(access->context, &config, &err) < 0) {
		/* Its own codes tell what is wrong with a payload, and this is none. */
		answer_refuse(answer,
			      err.number == -ENOENT ? "not_found" : "invalid_args", "%s",
			      err.text);
		return;
	}
	cJSON_AddItemToObject(answer->command->body, "config", config);
	answer_act(core, answer, CORE_ALL_DEVICES);
}

static void device_reloaded(struct core *core, struct answer *answer)
{
	devices_exchanged(core, answer->data);
}

const struct verb motor_verbs[] = {
	{
		.name = "motor/move",
		.flags = VERB_WRITES | VERB_FRESH | VERB_MOTION,
		.short_form = SHORT_NONE,
		.schema = NEEDS(
			"\"name\",\"degrees\"", NAME
			",\"degrees\":{\"type\":\"number\",\"minimum\":-36000,\"maximum\":36000},"
			"\"relative\":{\"type\":\"boolean\"}"),
		.decide = motor_move,
	},
	{
		.name = "motor/home",
		.flags = VERB_WRITES | VERB_FRESH | VERB_MOTION,
		.schema = OBJECT(NAME),
		.decide = motor_move,
	},
	{
		.name = "motor/stop",
		.flags = VERB_WRITES | VERB_MOTION | VERB_STOPS,
		.schema = OBJECT(NAME),
		.decide = motor_stop,
	},
	{
		.name = "motor/override",
		.flags = VERB_WRITES | VERB_FRESH | VERB_MOTION,
		.short_form = SHORT_NONE,
		.schema = NEEDS(
			"\"name\",\"degrees\"", NAME
			",\"degrees\":{\"type\":\"number\",\"minimum\":-360,\"maximum\":360}"),
		.decide = motor_override,
	},
	{.name = NULL},
};

const struct verb light_verbs[] = {
	{
		.name = "light/set",
		.flags = VERB_WRITES | VERB_FRESH | VERB_BRIEF,
		.short_form = SHORT_LIGHT,
		.schema = OBJECT(
			NAME
			",\"state\":{\"enum\":[\"ON\",\"OFF\"]},"
			"\"brightness\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":100}"),
		.decide = light_set,
	},
	{
		.name = "light/toggle",
		.flags = VERB_WRITES | VERB_FRESH | VERB_BRIEF,
		.schema = OBJECT(NAME),
		.decide = light_toggle,
	},
	{.name = NULL},
};

const struct verb camera_verbs[] = {
	{
		.name = "camera/capture",
		.flags = VERB_WRITES | VERB_FRESH,
		.schema = OBJECT(NAME),
		.decide = camera_capture,
	},
	{
		.name = "camera/preview",
		.flags = VERB_WRITES | VERB_FRESH,
		.schema = OBJECT(
			NAME
			",\"seconds\":{\"type\":\"number\",\"minimum\":0,\"maximum\":120},"
			"\"fps\":{\"type\":\"number\",\"minimum\":0.1,\"maximum\":2}"),
		.decide = camera_capture,
	},
	{
		.name = "camera/calibrate",
		.flags = VERB_WRITES | VERB_FRESH,
		.schema = OBJECT(NAME),
		.decide = camera_capture,
	},
	{
		.name = "camera/settings",
		.flags = VERB_WRITES | VERB_FRESH | VERB_BRIEF,
		.schema = OBJECT(NAME ",\"settings\":{\"type\":\"object\"}"),
		.decide = camera_settings,
	},
	{.name = NULL},
};

const struct verb device_verbs[] = {
	{
		.name = "device/reload",
		.flags = VERB_WRITES | VERB_FRESH,
		.decide = device_reload,
		.done = device_reloaded,
	},
	{.name = NULL},
};

const struct verb trigger_verbs[] = {
	{
		.name = "trigger/fire",
		.flags = VERB_WRITES | VERB_FRESH,
		.schema = OBJECT(
			NAME
			",\"pre_ms\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":600000},"
			"\"post_ms\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":600000}"),
		.decide = trigger_fire,
	},
	{.name = NULL},
};
