/* Fires one trigger: a delay, a pulse, another delay. */
#include "hal/trigger.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/operation.h"
#include "hal/device_config.h"

#define NS_PER_MS INT64_C(1000000)

static const char trigger_schema[] =
	"{\"type\":\"object\",\"properties\":{"
	"\"enabled\":{\"type\":\"boolean\",\"default\":true},"
	"\"pulse_width_ms\":"
	"{\"type\":\"number\",\"minimum\":1,\"maximum\":5000,\"default\":100}}}";

int trigger_open(struct trigger *trigger, struct rig_context *ctx, size_t index,
		 const cJSON *item, struct err *err)
{
	cJSON *copy = device_config_copy(item);
	char at[DEVICE_NAME + 16];
	int ret = device_config_check_name(DEVICE_TRIGGER, item->string, err);

	if (ret < 0)
		goto done;
	snprintf(at, sizeof(at), "triggers.%s", item->string);
	ret = device_config_check(trigger_schema, copy, at, err);
	if (ret < 0)
		goto done;

	*trigger = (struct trigger){
		.ctx = ctx,
		.index = index,
		.enabled = json_bool(copy, "enabled", true),
		.pulse_ms = (int64_t)json_number(copy, "pulse_width_ms", 100),
	};
	snprintf(trigger->name, sizeof(trigger->name), "%s", item->string);
done:
	cJSON_Delete(copy);
	return ret;
}

static int trigger_check(const struct trigger *trigger, int64_t pre_ms, int64_t post_ms,
			 struct err *err)
{
	if (pre_ms < 0 || pre_ms > TRIGGER_MAX_DELAY_MS)
		return err_code(err, -EINVAL, "invalid_args",
				"pre_ms must be 0 to %d, not %lld", TRIGGER_MAX_DELAY_MS,
				(long long)pre_ms);
	if (post_ms < 0 || post_ms > TRIGGER_MAX_DELAY_MS)
		return err_code(err, -EINVAL, "invalid_args",
				"post_ms must be 0 to %d, not %lld", TRIGGER_MAX_DELAY_MS,
				(long long)post_ms);
	if (!trigger->enabled)
		return err_code(err, -EPERM, "invalid_state",
				"the trigger %s is disabled in the device config",
				trigger->name);
	return 0;
}

static bool trigger_claim(struct trigger *trigger)
{
	bool free;

	pthread_mutex_lock(&trigger->ctx->lock);
	free = !trigger->busy;
	trigger->busy = true;
	pthread_mutex_unlock(&trigger->ctx->lock);
	if (free)
		rig_context_notify(trigger->ctx, DEVICE_TRIGGER, trigger->name);
	return free;
}

static void trigger_release(struct trigger *trigger)
{
	pthread_mutex_lock(&trigger->ctx->lock);
	trigger->busy = false;
	pthread_mutex_unlock(&trigger->ctx->lock);
	rig_context_notify(trigger->ctx, DEVICE_TRIGGER, trigger->name);
}

static int trigger_level(struct trigger *trigger, bool active, struct err *err)
{
	struct rig_context *ctx = trigger->ctx;
	int ret = ctx->backend->gpio->trigger(ctx->hardware, trigger->index, active);

	if (ret < 0)
		return err_code(err, ret, "hardware_fault", "%s cannot be switched: %s",
				trigger->name, strerror(-ret));
	return 0;
}

static int trigger_delay(struct trigger *trigger, int64_t ms, const struct operation *op)
{
	struct rig_context *ctx = trigger->ctx;

	return operation_wait(op, ctx->backend->now(ctx->hardware) + ms * NS_PER_MS);
}

static int trigger_fire_now(struct trigger *trigger, struct err *err)
{
	int ret = trigger_level(trigger, true, err);

	if (ret == 0)
		trigger->fired_at_ms = clock_wall_ms();
	else /* the line may have changed all the same */
		trigger_level(trigger, false, NULL);
	return ret;
}

/* Sets the line active unless a stop came first.  An emergency stop that comes later
 * finds the lock free and puts the line back. */
static int trigger_activate(struct trigger *trigger, const struct operation *op,
			    struct err *err)
{
	struct rig_context *ctx = trigger->ctx;
	int ret;

	pthread_mutex_lock(&ctx->lock);
	ret = operation_check(op);
	if (ret == 0)
		ret = trigger_fire_now(trigger, err);
	pthread_mutex_unlock(&ctx->lock);
	return ret;
}

static int trigger_pulse(struct trigger *trigger, const struct operation *op,
			 struct err *err)
{
	struct operation stop_only = *op;
	int ret = trigger_activate(trigger, op, err);
	int idle;

	if (ret < 0)
		return ret;
	stop_only.cancel = NULL;
	ret = trigger_delay(trigger, trigger->pulse_ms, &stop_only);
	idle = trigger_level(trigger, false, err);
	return idle < 0 ? idle : ret;
}

static int trigger_sequence(struct trigger *trigger, int64_t pre_ms, int64_t post_ms,
			    const struct operation *op, struct err *err)
{
	int ret = trigger_delay(trigger, pre_ms, op);

	if (ret < 0)
		return ret;
	ret = trigger_pulse(trigger, op, err);
	if (ret < 0)
		return ret;
	ret = trigger_delay(trigger, post_ms, op);
	return ret == -EINTR ? 0 : ret;
}

int trigger_fire(struct trigger *trigger, int64_t pre_ms, int64_t post_ms,
		 struct cancel *cancel, struct err *err)
{
	struct operation op;
	int ret = trigger_check(trigger, pre_ms, post_ms, err);

	if (ret < 0)
		return ret;
	ret = operation_begin(&op, trigger->ctx, cancel, err);
	if (ret < 0)
		return ret;
	if (!trigger_claim(trigger))
		return err_code(err, -EBUSY, "device_busy", "the trigger %s is firing",
				trigger->name);

	ret = trigger_sequence(trigger, pre_ms, post_ms, &op, err);
	trigger_release(trigger);
	if (ret == -EINTR || ret == -ECANCELED)
		return operation_explain(&op, ret, err, "the trigger", trigger->name);
	return ret;
}

bool trigger_busy(struct trigger *trigger)
{
	bool busy;

	pthread_mutex_lock(&trigger->ctx->lock);
	busy = trigger->busy;
	pthread_mutex_unlock(&trigger->ctx->lock);
	return busy;
}

cJSON *trigger_state(struct trigger *trigger)
{
	cJSON *state = cJSON_CreateObject();
	char text[CLOCK_TEXT];
	int64_t fired_at_ms;
	bool busy;

	pthread_mutex_lock(&trigger->ctx->lock);
	busy = trigger->busy;
	fired_at_ms = trigger->fired_at_ms;
	pthread_mutex_unlock(&trigger->ctx->lock);

	clock_text(fired_at_ms, text);
	cJSON_AddStringToObject(state, "name", trigger->name);
	cJSON_AddBoolToObject(state, "busy", busy);
	json_put_string(state, "fired_at", fired_at_ms ? text : NULL);
	return state;
}
