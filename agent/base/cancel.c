#include "agent/base/cancel.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

void cancel_init(struct cancel *i)
{
	pthread_condattr_t attr;

	atomic_init(&i->raised, false);
	i->fd = -1;
	pthread_mutex_init(&i->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&i->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void cancel_destroy(struct cancel *i)
{
	if (i->fd >= 0)
		close(i->fd);
	pthread_cond_destroy(&i->changed);
	pthread_mutex_destroy(&i->lock);
}

/* Under the lock.  Neither can fail: an eventfd of ours counts to one. */
static void cancel_show(struct cancel *i, bool raised)
{
	eventfd_t count;

	if (i->fd >= 0 && raised)
		eventfd_write(i->fd, 1);
	else if (i->fd >= 0)
		eventfd_read(i->fd, &count);
}

void cancel_request(struct cancel *i)
{
	pthread_mutex_lock(&i->lock);
	if (!atomic_exchange(&i->raised, true))
		cancel_show(i, true);
	pthread_cond_broadcast(&i->changed);
	pthread_mutex_unlock(&i->lock);
}

void cancel_reset(struct cancel *i)
{
	pthread_mutex_lock(&i->lock);
	if (atomic_exchange(&i->raised, false))
		cancel_show(i, false);
	pthread_mutex_unlock(&i->lock);
}

int cancel_fd(struct cancel *i)
{
	pthread_mutex_lock(&i->lock);
	if (i->fd < 0)
		i->fd = eventfd(atomic_load(&i->raised), EFD_CLOEXEC | EFD_NONBLOCK);
	int fd = i->fd;
	pthread_mutex_unlock(&i->lock);
	return fd;
}

bool cancel_requested(struct cancel *i)
{
	return i && atomic_load_explicit(&i->raised, memory_order_relaxed);
}

bool cancel_wait_until(struct cancel *i, int64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / 1000000000),
		.tv_nsec = (long)(deadline_ns % 1000000000),
	};

	if (!i) {
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) ==
		       EINTR)
			;
		return false;
	}

	pthread_mutex_lock(&i->lock);
	while (!atomic_load(&i->raised))
		if (pthread_cond_timedwait(&i->changed, &i->lock, &deadline) == ETIMEDOUT)
			break;
	bool raised = atomic_load(&i->raised);
	pthread_mutex_unlock(&i->lock);
	return raised;
}
