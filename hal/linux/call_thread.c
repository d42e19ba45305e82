#include "hal/linux/call_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "agent/base/clock.h"

#define LOOK_MS 10

struct errands {
	pthread_mutex_t lock;
	pthread_cond_t news;
	pthread_t thread;
	struct errand *waiting, *running, *done; /* lock; at most one caller's */
	bool closing, ended;			 /* lock */
	int users;				 /* lock: the owner, the thread */
};

/* Holds the lock. */
static bool errands_wait(struct errands *errands, int64_t ms)
{
	struct timespec due;

	clock_gettime(CLOCK_MONOTONIC, &due);
	due.tv_nsec += (long)(ms % 1000) * 1000000;
	due.tv_sec += ms / 1000 + due.tv_nsec / 1000000000;
	due.tv_nsec %= 1000000000;
	return pthread_cond_timedwait(&errands->news, &errands->lock, &due) == 0;
}

/* Holds the lock and gives it back. */
static void errands_leave(struct errands *errands)
{
	bool last = --errands->users == 0;

	pthread_mutex_unlock(&errands->lock);
	if (!last)
		return;
	pthread_cond_destroy(&errands->news);
	pthread_mutex_destroy(&errands->lock);
	free(errands);
}

static void *errands_turn(void *context)
{
	struct errands *errands = context;
	struct errand *errand;

	pthread_mutex_lock(&errands->lock);
	for (;;) {
		while (!errands->waiting && !errands->closing)
			pthread_cond_wait(&errands->news, &errands->lock);
		if (!errands->waiting)
			break;
		errand = errands->running = errands->waiting;
		errands->waiting = NULL;
		pthread_mutex_unlock(&errands->lock);
		errand->result = errand->run(errand, &errand->err);
		pthread_mutex_lock(&errands->lock);
		errands->running = NULL;
		if (atomic_load(&errand->dropped))
			errand->drop(errand);
		else
			errands->done = errand;
		pthread_cond_broadcast(&errands->news);
	}
	errands->ended = true;
	pthread_cond_broadcast(&errands->news);
	errands_leave(errands);
	return NULL;
}

int errands_open(struct errands **out, struct err *err)
{
	struct errands *errands = calloc(1, sizeof(*errands));
	pthread_condattr_t monotonic;
	int ret;

	if (!errands)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&errands->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&errands->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	errands->users = 2;
	ret = -pthread_create(&errands->thread, NULL, errands_turn, errands);
	if (ret < 0) {
		errands->users = 1;
		pthread_mutex_lock(&errands->lock);
		errands_leave(errands);
		return err_set(err, ret, "a thread for the camera could not be started");
	}
	pthread_detach(errands->thread);
	*out = errands;
	return 0;
}

bool errands_close(struct errands *errands, int64_t patience_ms)
{
	int64_t due = clock_monotonic_ms() + patience_ms, left;
	bool ended;

	if (!errands)
		return true;
	pthread_mutex_lock(&errands->lock);
	errands->closing = true;
	pthread_cond_broadcast(&errands->news);
	while (!errands->ended && (left = due - clock_monotonic_ms()) > 0)
		errands_wait(errands, left);
	ended = errands->ended;
	errands_leave(errands);
	return ended;
}

/* Holds the lock.  The thread has it, or nobody has seen it yet. */
static void errands_abandon(struct errands *errands, struct errand *errand)
{
	atomic_store(&errand->dropped, true);
	if (errands->running == errand)
		return;
	if (errands->waiting == errand)
		errands->waiting = NULL;
	errand->drop(errand);
}

bool errands_run(struct errands *errands, struct errand *errand,
		 int (*wanted)(const void *context), const void *context, int *why)
{
	bool done = false;

	*why = 0;
	pthread_mutex_lock(&errands->lock);
	errands->waiting = errand;
	pthread_cond_broadcast(&errands->news);
	for (;;) {
		done = errands->done == errand;
		if (done || *why != 0)
			break;
		errands_wait(errands, LOOK_MS);
		pthread_mutex_unlock(&errands->lock);
		*why = wanted(context);
		pthread_mutex_lock(&errands->lock);
	}
	if (done)
		errands->done = NULL;
	else
		errands_abandon(errands, errand);
	pthread_mutex_unlock(&errands->lock);
	return done;
}
