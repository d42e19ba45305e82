/* Somebody who waits until the loop has committed. */
#ifndef AGENT_WORKERS_COMPLETION_H
#define AGENT_WORKERS_COMPLETION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Lives on the stack of the one who waits. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool released;
};

void waiter_init(struct waiter *waiter);
void waiter_destroy(struct waiter *waiter);

/* Any thread, once; the waiter may be gone when this returns. */
void waiter_release(struct waiter *waiter);

/* True when it was released, false after timeout_ms (-1: waits for ever). */
bool waiter_wait(struct waiter *waiter, int64_t timeout_ms);

#endif
