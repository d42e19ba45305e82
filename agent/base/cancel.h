/* A cancellation flag: any thread can request it, and waiting threads wake up. */
#ifndef AGENT_BASE_CANCEL_H
#define AGENT_BASE_CANCEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct cancel {
	atomic_bool requested;
	pthread_mutex_t lock; /* of fd */
	pthread_cond_t changed;
	int fd; /* -1 before the first cancel_fd() */
};

void cancel_init(struct cancel *cancel);
void cancel_destroy(struct cancel *cancel);

/* Any thread; waiters return immediately.  A second request changes nothing. */
void cancel_request(struct cancel *cancel);
void cancel_reset(struct cancel *cancel);

/* Costs one atomic load, so it may be called once per step pulse.  False for NULL. */
bool cancel_requested(struct cancel *cancel);

/* Waits until CLOCK_MONOTONIC reaches deadline_ns or cancellation is requested; true if
 * it is.  With NULL it only waits. */
bool cancel_wait_until(struct cancel *cancel, int64_t deadline_ns);

/* A descriptor that poll() finds readable while cancellation is requested, for callers
 * that wait for other descriptors too.  The flag owns it; -1 when none could be made. */
int cancel_fd(struct cancel *cancel);

#endif
