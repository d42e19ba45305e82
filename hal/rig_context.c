/* Sets up the shared state of a rig, calls its change callback, and knows its latch. */
#include "hal/rig_context.h"

#include <errno.h>

void rig_context_init(struct rig_context *ctx, const struct rig_options *options)
{
	atomic_init(&ctx->estopped, false);
	atomic_init(&ctx->stops, 0);
	pthread_mutex_init(&ctx->lock, NULL);
	ctx->changed = options->changed;
	ctx->context = options->context;
}

void rig_context_destroy(struct rig_context *ctx)
{
	pthread_mutex_destroy(&ctx->lock);
}

void rig_context_notify(struct rig_context *ctx, enum device_kind kind, const char *name)
{
	if (ctx->changed)
		ctx->changed(ctx->context, kind, name);
}

int rig_context_permit(const struct rig_context *ctx, struct err *err)
{
	if (!atomic_load(&ctx->estopped))
		return 0;
	return err_code(err, -EPERM, "estopped",
			"the emergency stop is on: send queue/resume to lift it");
}
