/* A flag that others raise and that wakes whoever waits for time to pass. */
#ifndef AGENT_BASE_CANCEL_H
#define AGENT_BASE_CANCEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct cancel {
	atomic_bool raised;
	pthread_mutex_t lock; /* of fd */
	pthread_cond_t changed;
	int fd; /* -1 until somebody asks for it */
};

void cancel_init(struct cancel *i);
void cancel_destroy(struct cancel *i);

/* Any thread; waiters return at once.  Raising twice is raising once. */
void cancel_request(struct cancel *i);
void cancel_reset(struct cancel *i);

/* Costs one atomic load: fit for a loop over step pulses.  NULL is never raised. */
bool cancel_requested(struct cancel *i);

/* Waits until CLOCK_MONOTONIC reaches deadline_ns or the flag is raised; true when
 * raised. NULL simply waits. */
bool cancel_wait_until(struct cancel *i, int64_t deadline_ns);

/* A descriptor that poll() finds readable while the flag is raised, for those who wait
 * for other descriptors too.  It is the flag's; -1 when there is none to be had. */
int cancel_fd(struct cancel *i);

#endif
