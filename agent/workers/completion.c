/* The wait for a commit, on a condition variable. */
#include "agent/workers/completion.h"

#include <errno.h>
#include <time.h>

#include "agent/base/clock.h"

void completion_init(struct completion *completion)
{
	pthread_condattr_t attr;

	completion->complete = false;
	pthread_mutex_init(&completion->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&completion->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void completion_destroy(struct completion *completion)
{
	pthread_cond_destroy(&completion->changed);
	pthread_mutex_destroy(&completion->lock);
}

void completion_complete(struct completion *completion)
{
	pthread_mutex_lock(&completion->lock);
	completion->complete = true;
	/* Under the lock: the stack of the waiting thread stays until it has the lock. */
	pthread_cond_signal(&completion->changed);
	pthread_mutex_unlock(&completion->lock);
}

bool completion_wait(struct completion *completion, int64_t timeout_ms)
{
	int64_t deadline = clock_monotonic_ms() + timeout_ms;
	struct timespec until = {
		.tv_sec = (time_t)(deadline / 1000),
		.tv_nsec = (long)(deadline % 1000) * 1000000,
	};
	bool complete;
	int ret = 0;

	pthread_mutex_lock(&completion->lock);
	while (!completion->complete && ret != ETIMEDOUT) {
		if (timeout_ms < 0)
			pthread_cond_wait(&completion->changed, &completion->lock);
		else
			ret = pthread_cond_timedwait(&completion->changed,
						     &completion->lock, &until);
	}
	complete = completion->complete;
	pthread_mutex_unlock(&completion->lock);
	return complete;
}
