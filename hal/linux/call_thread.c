/* One detached thread with room for one call at a time; the last user frees it. */
#include "hal/linux/call_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "agent/base/clock.h"

#define CHECK_MS 10

struct call_thread {
	pthread_mutex_t lock;
	pthread_cond_t news;
	pthread_t thread;
	struct call *waiting, *running, *done; /* lock; at most one caller's */
	bool closing, ended;		       /* lock */
	int users;			       /* lock: the owner, the thread */
};

/* The caller holds the lock. */
static bool call_thread_wait(struct call_thread *call_thread, int64_t ms)
{
	struct timespec due;

	clock_gettime(CLOCK_MONOTONIC, &due);
	due.tv_nsec += (long)(ms % 1000) * 1000000;
	due.tv_sec += ms / 1000 + due.tv_nsec / 1000000000;
	due.tv_nsec %= 1000000000;
	return pthread_cond_timedwait(&call_thread->news, &call_thread->lock, &due) == 0;
}

/* The caller holds the lock, which is released. */
static void call_thread_leave(struct call_thread *call_thread)
{
	bool last = --call_thread->users == 0;

	pthread_mutex_unlock(&call_thread->lock);
	if (!last)
		return;
	pthread_cond_destroy(&call_thread->news);
	pthread_mutex_destroy(&call_thread->lock);
	free(call_thread);
}

static void *call_thread_turn(void *context)
{
	struct call_thread *call_thread = context;
	struct call *call;

	pthread_mutex_lock(&call_thread->lock);
	for (;;) {
		while (!call_thread->waiting && !call_thread->closing)
			pthread_cond_wait(&call_thread->news, &call_thread->lock);
		if (!call_thread->waiting)
			break;
		call = call_thread->running = call_thread->waiting;
		call_thread->waiting = NULL;
		pthread_mutex_unlock(&call_thread->lock);
		call->result = call->run(call, &call->err);
		pthread_mutex_lock(&call_thread->lock);
		call_thread->running = NULL;
		if (atomic_load(&call->abandoned))
			call->destroy(call);
		else
			call_thread->done = call;
		pthread_cond_broadcast(&call_thread->news);
	}
	call_thread->ended = true;
	pthread_cond_broadcast(&call_thread->news);
	call_thread_leave(call_thread);
	return NULL;
}

int call_thread_open(struct call_thread **out, struct err *err)
{
	struct call_thread *call_thread = calloc(1, sizeof(*call_thread));
	pthread_condattr_t monotonic;
	int ret;

	if (!call_thread)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&call_thread->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&call_thread->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	call_thread->users = 2;
	ret = -pthread_create(&call_thread->thread, NULL, call_thread_turn, call_thread);
	if (ret < 0) {
		call_thread->users = 1;
		pthread_mutex_lock(&call_thread->lock);
		call_thread_leave(call_thread);
		return err_set(err, ret, "a thread for the camera could not be started");
	}
	pthread_detach(call_thread->thread);
	*out = call_thread;
	return 0;
}

bool call_thread_close(struct call_thread *call_thread, int64_t patience_ms)
{
	int64_t due = clock_monotonic_ms() + patience_ms, left;
	bool ended;

	if (!call_thread)
		return true;
	pthread_mutex_lock(&call_thread->lock);
	call_thread->closing = true;
	pthread_cond_broadcast(&call_thread->news);
	while (!call_thread->ended && (left = due - clock_monotonic_ms()) > 0)
		call_thread_wait(call_thread, left);
	ended = call_thread->ended;
	call_thread_leave(call_thread);
	return ended;
}

/* The caller holds the lock.  A call that is running destroys itself later. */
static void call_thread_abandon(struct call_thread *call_thread, struct call *call)
{
	atomic_store(&call->abandoned, true);
	if (call_thread->running == call)
		return;
	if (call_thread->waiting == call)
		call_thread->waiting = NULL;
	call->destroy(call);
}

bool call_thread_run(struct call_thread *call_thread, struct call *call,
		     const struct wait_condition *condition, int *why)
{
	bool done = false;

	*why = 0;
	pthread_mutex_lock(&call_thread->lock);
	call_thread->waiting = call;
	pthread_cond_broadcast(&call_thread->news);
	for (;;) {
		done = call_thread->done == call;
		if (done || *why != 0)
			break;
		call_thread_wait(call_thread, CHECK_MS);
		pthread_mutex_unlock(&call_thread->lock);
		*why = condition->check(condition->context);
		pthread_mutex_lock(&call_thread->lock);
	}
	if (done)
		call_thread->done = NULL;
	else
		call_thread_abandon(call_thread, call);
	pthread_mutex_unlock(&call_thread->lock);
	return done;
}
