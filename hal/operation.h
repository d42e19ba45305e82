/* One operation of a rig, such as a move or a photo: it ends when it is done, cancelled
 * by its caller, or stopped. */
#ifndef HAL_OPERATION_H
#define HAL_OPERATION_H

#include <stdint.h>

#include "agent/base/cancel.h"
#include "agent/base/err.h"
#include "hal/rig_context.h"

struct operation {
	struct rig_context *ctx;
	struct cancel *cancel; /* NULL: cannot be cancelled */
	unsigned stops;	       /* the rig's count when it began; another one ends it */
};

/* Begins an operation, or fails with "estopped" while the emergency stop is on. */
int operation_begin(struct operation *op, struct rig_context *ctx, struct cancel *cancel,
		    struct err *err);

/* Whether it may go on: 0, -EINTR (cancelled) or -ECANCELED (stop or emergency stop). */
int operation_check(const struct operation *op);

/* Waits until the backend's time is due_ns: 0, or what operation_check() returns. */
int operation_wait(const struct operation *op, int64_t due_ns);

/* Writes the sentence for ret, an error of operation_check(), and returns ret.  The
 * sentence begins with what and name: "the move of", "rotor". */
int operation_explain(const struct operation *op, int ret, struct err *err,
		      const char *what, const char *name);

#endif
