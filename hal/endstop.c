/* Reads an endstop, and reports its last level while its motor is moving. */
#include "hal/endstop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/json.h"
#include "hal/device_config.h"

static const char endstop_schema[] =
	"{\"type\":\"object\",\"required\":[\"angular_position\",\"motor_name\"],"
	"\"properties\":{"
	"\"angular_position\":{\"type\":\"number\",\"minimum\":0,\"maximum\":360},"
	"\"motor_name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64}}}";

int endstop_open(struct endstop *endstop, struct rig_context *ctx, size_t index,
		 const cJSON *item, struct err *err)
{
	const cJSON *settings = cJSON_GetObjectItemCaseSensitive(item, "settings");
	cJSON *copy = device_config_copy(settings);
	char at[DEVICE_NAME + 16];
	int ret = device_config_check_name(DEVICE_ENDSTOP, item->string, err);

	if (ret < 0)
		goto done;
	snprintf(at, sizeof(at), "endstops.%s", item->string);
	ret = device_config_check(endstop_schema, copy, at, err);
	if (ret < 0)
		goto done;

	endstop->ctx = ctx;
	endstop->index = index;
	snprintf(endstop->name, sizeof(endstop->name), "%s", item->string);
	snprintf(endstop->motor, sizeof(endstop->motor), "%s",
		 json_string(copy, "motor_name"));
	endstop->angle = json_number(copy, "angular_position", 0);
	atomic_init(&endstop->last_level, -ENODATA);
done:
	cJSON_Delete(copy);
	return ret;
}

int endstop_pressed(struct endstop *endstop, struct err *err)
{
	struct rig_context *ctx = endstop->ctx;
	int ret = ctx->backend->motors->endstop(ctx->hardware, endstop->index);

	atomic_store_explicit(&endstop->last_level, ret, memory_order_relaxed);
	if (ret < 0)
		return err_code(err, ret, "hardware_fault", "%s cannot be read: %s",
				endstop->name, strerror(-ret));
	return ret;
}

/* While the lock is held, the motor cannot be claimed. */
static int endstop_read(struct endstop *endstop)
{
	struct rig_context *ctx = endstop->ctx;
	int pressed;

	pthread_mutex_lock(&ctx->lock);
	if (endstop->in_use && *endstop->in_use)
		pressed =
			atomic_load_explicit(&endstop->last_level, memory_order_relaxed);
	else
		pressed = endstop_pressed(endstop, NULL);
	pthread_mutex_unlock(&ctx->lock);
	return pressed;
}

cJSON *endstop_state(struct endstop *endstop)
{
	cJSON *state = cJSON_CreateObject();
	int pressed = endstop_read(endstop);

	cJSON_AddStringToObject(state, "name", endstop->name);
	cJSON_AddStringToObject(state, "motor", endstop->motor);
	if (pressed < 0)
		cJSON_AddNullToObject(state, "pressed");
	else
		cJSON_AddBoolToObject(state, "pressed", pressed);
	return state;
}
