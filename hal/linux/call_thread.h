/* A thread for calls into a library that may hang.  It makes one call after the other; a
 * caller that cannot wait for ever leaves, and the call ends whenever it does. */
#ifndef HAL_LINUX_CALL_THREAD_H
#define HAL_LINUX_CALL_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"

struct call_thread;

/* One call: the first member of a malloc'ed struct with its arguments and results. */
struct call {
	int (*run)(struct call *call, struct err *err); /* on the thread */
	void (*destroy)(struct call *call); /* frees the call and its results */
	atomic_bool abandoned; /* nobody waits any more: run() should end soon */
	int result;
	struct err err;
};

/* How long a caller waits: as long as check() returns 0.  It is called about every 10 ms
 * on the caller's thread. */
struct wait_condition {
	int (*check)(const void *context);
	const void *context;
};

int call_thread_open(struct call_thread **out, struct err *err);

/* Waits for the running call, at most patience_ms, and returns true when the thread has
 * ended.  A thread that hangs longer is left behind with its memory.  NULL is fine. */
bool call_thread_close(struct call_thread *call_thread, int64_t patience_ms);

/* Makes a call.  Returns true when it was made: call->result and call->err are what run()
 * left, and the call is the caller's again.  Returns false when check() returned another
 * value than 0, which goes to *why; the call then destroys itself when it ends.
 *
 * One caller at a time.  While an earlier call hangs, this one waits for its end. */
bool call_thread_run(struct call_thread *call_thread, struct call *call,
		     const struct wait_condition *condition, int *why);

#endif
