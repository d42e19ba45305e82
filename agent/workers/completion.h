/* A one-shot wait: a thread posts an event and sleeps until the loop has committed it. */
#ifndef AGENT_WORKERS_COMPLETION_H
#define AGENT_WORKERS_COMPLETION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* On the stack of the thread that waits. */
struct completion {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool complete; /* lock */
};

void completion_init(struct completion *completion);
void completion_destroy(struct completion *completion);

/* Any thread, once.  The completion may be gone when this returns. */
void completion_complete(struct completion *completion);

/* True when it is complete, false after timeout_ms (-1: no timeout). */
bool completion_wait(struct completion *completion, int64_t timeout_ms);

#endif
