/* A flag with a condition variable and, when asked for, an eventfd. */
#include "agent/base/cancel.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

void cancel_init(struct cancel *cancel)
{
	pthread_condattr_t attr;

	atomic_init(&cancel->requested, false);
	cancel->fd = -1;
	pthread_mutex_init(&cancel->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&cancel->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void cancel_destroy(struct cancel *cancel)
{
	if (cancel->fd >= 0)
		close(cancel->fd);
	pthread_cond_destroy(&cancel->changed);
	pthread_mutex_destroy(&cancel->lock);
}

/* The lock is held.  Neither call can fail: this eventfd only counts to one. */
static void update_fd(struct cancel *cancel, bool requested)
{
	eventfd_t count;

	if (cancel->fd >= 0 && requested)
		eventfd_write(cancel->fd, 1);
	else if (cancel->fd >= 0)
		eventfd_read(cancel->fd, &count);
}

void cancel_request(struct cancel *cancel)
{
	pthread_mutex_lock(&cancel->lock);
	if (!atomic_exchange(&cancel->requested, true))
		update_fd(cancel, true);
	pthread_cond_broadcast(&cancel->changed);
	pthread_mutex_unlock(&cancel->lock);
}

void cancel_reset(struct cancel *cancel)
{
	pthread_mutex_lock(&cancel->lock);
	if (atomic_exchange(&cancel->requested, false))
		update_fd(cancel, false);
	pthread_mutex_unlock(&cancel->lock);
}

int cancel_fd(struct cancel *cancel)
{
	pthread_mutex_lock(&cancel->lock);
	if (cancel->fd < 0)
		cancel->fd = eventfd(atomic_load(&cancel->requested),
				     EFD_CLOEXEC | EFD_NONBLOCK);
	int fd = cancel->fd;
	pthread_mutex_unlock(&cancel->lock);
	return fd;
}

bool cancel_requested(struct cancel *cancel)
{
	return cancel && atomic_load_explicit(&cancel->requested, memory_order_relaxed);
}

bool cancel_wait_until(struct cancel *cancel, int64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / 1000000000),
		.tv_nsec = (long)(deadline_ns % 1000000000),
	};

	if (!cancel) {
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) ==
		       EINTR)
			;
		return false;
	}

	pthread_mutex_lock(&cancel->lock);
	while (!atomic_load(&cancel->requested))
		if (pthread_cond_timedwait(&cancel->changed, &cancel->lock, &deadline) ==
		    ETIMEDOUT)
			break;
	bool requested = atomic_load(&cancel->requested);
	pthread_mutex_unlock(&cancel->lock);
	return requested;
}
