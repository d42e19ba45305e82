/* A list of effects, and its memory. */
#include "agent/model/effect.h"

#include <stdlib.h>
#include <string.h>

void effects_init(struct effects *effects)
{
	effects->first = NULL;
	effects->last = &effects->first;
}

struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
	struct effect *effect = calloc(1, sizeof(*effect));

	/* Without memory for a few hundred bytes nothing can be delivered any more: end,
	 * and let the supervisor start the agent again from its database. */
	if (!effect)
		abort();
	effect->kind = kind;
	*effects->last = effect;
	effects->last = &effect->next;
	return effect;
}

/* ---- after the commit ---- */

struct effect *effects_publish(struct effects *effects, uint32_t epoch, uint64_t token,
			       const char *topic, char *payload)
{
	struct effect *effect = effects_add(effects, EFFECT_PUBLISH);

	effect->epoch = epoch;
	effect->token = token;
	effect->name = strdup(topic);
	if (!effect->name)
		abort();
	effect->text = payload;
	effect->size = payload ? strlen(payload) : 0;
	effect->qos = 1;
	return effect;
}

static void effect_free(struct effect *effect)
{
	free(effect->name);
	free(effect->text);
	free(effect->more);
	free(effect->correlation);
	free(effect);
}

void effects_clear(struct effects *effects)
{
	while (effects->first) {
		struct effect *effect = effects->first;

		effects->first = effect->next;
		effect_free(effect);
	}
	effects->last = &effects->first;
}

bool effects_withdraw(struct effects *effects, enum effect_kind kind, uint64_t run)
{
	for (struct effect **place = &effects->first; *place; place = &(*place)->next) {
		struct effect *effect = *place;

		if (effect->kind != kind || effect->run != run)
			continue;
		*place = effect->next;
		if (!effect->next)
			effects->last = place;
		effect_free(effect);
		return true;
	}
	return false;
}

void effects_move(struct effects *effects, struct effects *from)
{
	if (!from->first)
		return;
	*effects->last = from->first;
	effects->last = from->last;
	effects_init(from);
}
