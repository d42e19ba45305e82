/* A thread that makes calls into a library which may hang, one after the other, for
 * callers who cannot wait for ever: they leave, and the call ends whenever it does. */
#ifndef HAL_LINUX_CALL_THREAD_H
#define HAL_LINUX_CALL_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"

struct errands; /* the thread */

/* One call.  The first member of what it needs and brings back, allocated by whoever
 * asks. */
struct errand {
	int (*run)(struct errand *errand, struct err *err); /* on the thread */
	void (*drop)(struct errand *errand); /* frees it and what it brought */
	atomic_bool dropped; /* nobody waits any more: run() should end soon */
	int result;
	struct err err;
};

int errands_open(struct errands **out, struct err *err);

/* Waits for the running call, at most patience_ms; a thread that hangs longer is left
 * behind with its memory.  true when it ended.  NULL is fine. */
bool errands_close(struct errands *errands, int64_t patience_ms);

/* Runs errand and returns true when it was done: result and err are what run() said, and
 * the errand is the caller's again.  false when wanted(), asked every 10 ms or so, did
 * not return 0: *why is what it returned, and the errand drops itself.  One caller at a
 * time; while an earlier call still hangs this one waits for its end. */
bool errands_run(struct errands *errands, struct errand *errand,
		 int (*wanted)(const void *context), const void *context, int *why);

#endif
