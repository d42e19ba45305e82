/* How an operation begins, and how it ends early. */
#include "hal/operation.h"

#include <errno.h>

int operation_begin(struct operation *op, struct rig_context *ctx, struct cancel *cancel,
		    struct err *err)
{
	/* The count first, then the latch: operation_check() sees a stop in between. */
	*op = (struct operation){
		.ctx = ctx,
		.cancel = cancel,
		.stops = atomic_load(&ctx->stops),
	};
	return rig_context_permit(ctx, err);
}

int operation_check(const struct operation *op)
{
	unsigned stops = atomic_load_explicit(&op->ctx->stops, memory_order_relaxed);

	if (stops != op->stops)
		return -ECANCELED;
	return cancel_requested(op->cancel) ? -EINTR : 0;
}

int operation_wait(const struct operation *op, int64_t due_ns)
{
	const struct rig_context *ctx = op->ctx;
	int64_t now;
	int ret;

	do {
		now = ctx->backend->wait_until(ctx->hardware, due_ns, op->cancel);
		ret = operation_check(op);
		if (ret < 0)
			return ret;
	} while (now < due_ns);
	return 0;
}

int operation_explain(const struct operation *op, int ret, struct err *err,
		      const char *what, const char *name)
{
	if (ret == -EINTR)
		return err_code(err, ret, "interrupted", "%s %s was interrupted", what,
				name);
	if (atomic_load(&op->ctx->estopped))
		return err_code(err, ret, "estopped",
				"%s %s was ended by the emergency stop", what, name);
	return err_code(err, ret, "cancelled", "%s %s was stopped", what, name);
}
