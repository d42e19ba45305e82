/* Switches one light and keeps its brightness. */
#include "hal/light.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/device_config.h"

int light_open(struct light *light, struct rig_context *ctx, size_t index,
	       const cJSON *item, struct err *err)
{
	int ret = device_config_check_name(DEVICE_LIGHT, item->string, err);

	if (ret < 0)
		return ret;
	light->ctx = ctx;
	light->index = index;
	snprintf(light->name, sizeof(light->name), "%s", item->string);
	light->level = (struct rig_light){.on = false, .brightness = 100};
	return 0;
}

static int light_explain(const struct light *light, int number, struct err *err)
{
	if (number == -ENOTSUP)
		return err_code(err, number, "not_supported",
				"%s can only be on or off: a brightness needs hardware "
				"PWM (pwm in "
				"the device config)",
				light->name);
	return err_code(err, number, "hardware_fault", "%s cannot be switched: %s",
			light->name, strerror(-number));
}

/* The caller holds the lock. */
static int light_apply(struct light *light, const struct rig_light *level, bool awake)
{
	const struct rig_context *ctx = light->ctx;

	return ctx->backend->lights->set(ctx->hardware, light->index,
					 level->on && awake ? level->brightness : 0);
}

int light_show(struct light *light, bool awake, struct err *err)
{
	int ret = light_apply(light, &light->level, awake);

	return ret < 0 ? light_explain(light, ret, err) : 0;
}

/* The caller holds the lock: an emergency stop that comes later finds it free and turns
 * the light off.  A light that could only be switched on in part goes back to what it
 * was. */
static int light_change(struct light *light, const struct rig_light *level,
			struct err *err)
{
	const struct rig_context *ctx = light->ctx;
	int ret = level->on ? rig_context_permit(ctx, err) : 0;

	if (ret < 0)
		return ret;
	ret = light_apply(light, level, ctx->awake);
	if (ret < 0) {
		if (level->on)
			light_apply(light, &light->level, ctx->awake);
		return light_explain(light, ret, err);
	}
	light->level = *level;
	return 0;
}

int light_set(struct light *light, bool on, int brightness, struct err *err)
{
	struct rig_context *ctx = light->ctx;
	struct rig_light level, before;
	int ret;

	if (brightness < -1 || brightness > 100)
		return err_code(err, -EINVAL, "invalid_args",
				"brightness must be 0 to 100, not %d", brightness);

	pthread_mutex_lock(&ctx->lock);
	level = before = light->level;
	level.on = on && brightness != 0;
	if (brightness > 0)
		level.brightness = brightness;
	ret = light_change(light, &level, err);
	pthread_mutex_unlock(&ctx->lock);

	if (ret == 0 && (level.on != before.on || level.brightness != before.brightness))
		rig_context_notify(ctx, DEVICE_LIGHT, light->name);
	return ret;
}

struct rig_light light_get(struct light *light)
{
	struct rig_light level;

	pthread_mutex_lock(&light->ctx->lock);
	level = light->level;
	pthread_mutex_unlock(&light->ctx->lock);
	return level;
}

cJSON *light_state(struct light *light)
{
	cJSON *state = cJSON_CreateObject();
	struct rig_light level;
	bool lit;

	pthread_mutex_lock(&light->ctx->lock);
	level = light->level;
	lit = level.on && light->ctx->awake;
	pthread_mutex_unlock(&light->ctx->lock);

	cJSON_AddStringToObject(state, "name", light->name);
	cJSON_AddStringToObject(state, "state", lit ? "ON" : "OFF");
	cJSON_AddNumberToObject(state, "brightness", level.brightness);
	return state;
}
