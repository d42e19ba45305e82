#include "agent/workers/completion.h"

#include <errno.h>
#include <time.h>

#include "agent/base/clock.h"

void waiter_init(struct waiter *waiter)
{
	pthread_condattr_t attr;

	waiter->released = false;
	pthread_mutex_init(&waiter->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&waiter->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void waiter_destroy(struct waiter *waiter)
{
	pthread_cond_destroy(&waiter->changed);
	pthread_mutex_destroy(&waiter->lock);
}

void waiter_release(struct waiter *waiter)
{
	pthread_mutex_lock(&waiter->lock);
	waiter->released = true;
	/* Under the lock: the waiter's stack stays until it has the lock again. */
	pthread_cond_signal(&waiter->changed);
	pthread_mutex_unlock(&waiter->lock);
}

bool waiter_wait(struct waiter *waiter, int64_t timeout_ms)
{
	int64_t deadline = clock_monotonic_ms() + timeout_ms;
	struct timespec until = {
		.tv_sec = (time_t)(deadline / 1000),
		.tv_nsec = (long)(deadline % 1000) * 1000000,
	};
	bool released;
	int ret = 0;

	pthread_mutex_lock(&waiter->lock);
	while (!waiter->released && ret != ETIMEDOUT) {
		if (timeout_ms < 0)
			pthread_cond_wait(&waiter->changed, &waiter->lock);
		else
			ret = pthread_cond_timedwait(&waiter->changed, &waiter->lock,
						     &until);
	}
	released = waiter->released;
	pthread_mutex_unlock(&waiter->lock);
	return released;
}
