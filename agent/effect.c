#include "agent/effect.h"

#include <stdlib.h>

void effects_init(struct effects *effects)
{
	effects->first = NULL;
	effects->last = &effects->first;
}

struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
	struct effect *effect = calloc(1, sizeof(*effect));

	/* Without memory for a few hundred bytes no promise can be kept: end, and let the
	 * supervisor start the agent again from its database. */
	if (!effect)
		abort();
	effect->kind = kind;
	*effects->last = effect;
	effects->last = &effect->next;
	return effect;
}

void effects_clear(struct effects *effects)
{
	while (effects->first) {
		struct effect *effect = effects->first;

		effects->first = effect->next;
		free(effect->name);
		free(effect->text);
		free(effect->more);
		free(effect->correlation);
		free(effect);
	}
	effects->last = &effects->first;
}

void effects_move(struct effects *effects, struct effects *from)
{
	if (!from->first)
		return;
	*effects->last = from->first;
	effects->last = from->last;
	effects_init(from);
}
