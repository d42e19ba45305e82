/* The thread that runs the timeline of motion.h, and the callers that wait for it. */
#include "hal/motion_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "agent/base/clock.h"
#include "hal/realtime.h"

#define NS_PER_MS INT64_C(1000000)
#define STACK_USED (64 * 1024) /* by this thread, at most */
#define NEVER INT64_MAX

struct motion_thread {
	struct motion_thread_options options;
	struct motion motion;	  /* the motion thread's */
	struct realtime realtime; /* the motion thread's; refused memory: lock */
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* with priority inheritance; held for a few instructions */
	pthread_cond_t asked, ended;
	struct motion_move *incoming; /* lock */
	atomic_bool waiting;	  /* there is an incoming one; written under the lock */
	struct motion_move *back; /* lock: ended, not yet collected by their callers */
	bool closing;		  /* lock */
	int64_t rest_ns;	  /* lock: when to call rested(), or NEVER */
};

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / (1000 * NS_PER_MS)),
				 .tv_nsec = (long)(ns % (1000 * NS_PER_MS))};
}

static void motion_thread_schedule_rest(struct motion_thread *mt)
{
	if (mt->options.rest_ms > 0)
		mt->rest_ns = clock_monotonic_ns() + mt->options.rest_ms * NS_PER_MS;
}

/* Adds new moves to the timeline; the caller holds the lock. */
static void motion_thread_accept(struct motion_thread *mt)
{
	struct motion_move *move;

	while ((move = mt->incoming)) {
		mt->incoming = move->next;
		motion_add(&mt->motion, move);
	}
	atomic_store(&mt->waiting, false);
}

static void motion_thread_finish(struct motion_thread *mt, struct motion_move *move)
{
	pthread_mutex_lock(&mt->lock);
	move->next = mt->back;
	mt->back = move;
	motion_thread_schedule_rest(mt);
	pthread_cond_broadcast(&mt->ended);
	pthread_mutex_unlock(&mt->lock);
}

/* Sends pulses until nothing moves. */
static void motion_thread_run_moves(struct motion_thread *mt)
{
	while (mt->motion.moves) {
		struct motion_move *move = motion_send_next(&mt->motion);

		if (move)
			motion_thread_finish(mt, move);
		if (!atomic_load_explicit(&mt->waiting, memory_order_acquire))
			continue;
		pthread_mutex_lock(&mt->lock);
		motion_thread_accept(mt);
		pthread_mutex_unlock(&mt->lock);
	}
}

/* Waits for a move, for rest_ns or for the end; the caller holds the lock.  True when
 * it is time to rest. */
static bool motion_thread_idle(struct motion_thread *mt)
{
	while (!mt->incoming && !mt->closing) {
		struct timespec until = timespec_of(mt->rest_ns);

		if (mt->rest_ns == NEVER) {
			pthread_cond_wait(&mt->asked, &mt->lock);
		} else if (clock_monotonic_ns() >= mt->rest_ns) {
			mt->rest_ns = NEVER;
			return true;
		} else {
			pthread_cond_timedwait(&mt->asked, &mt->lock, &until);
		}
	}
	return false;
}

static void motion_thread_run_awake(struct motion_thread *mt)
{
	if (mt->options.real_time)
		realtime_acquire_latency(&mt->realtime);
	motion_thread_run_moves(mt);
	if (mt->options.real_time)
		realtime_release_latency(&mt->realtime);
}

/* Before the first move, so that refusals can be reported. */
static void motion_thread_prepare(struct motion_thread *mt)
{
	const char *frame = __builtin_frame_address(0);

	realtime_begin(&mt->realtime);
	realtime_lock(&mt->realtime, frame - STACK_USED, STACK_USED);
	realtime_lock(&mt->realtime, mt, sizeof(*mt));
	realtime_lock_program(&mt->realtime);
	realtime_acquire_latency(&mt->realtime);
	realtime_release_latency(&mt->realtime);
}

static void *motion_thread_main(void *context)
{
	struct motion_thread *mt = context;

	if (mt->options.real_time)
		motion_thread_prepare(mt);
	pthread_mutex_lock(&mt->lock);
	mt->started = true;
	pthread_cond_broadcast(&mt->ended);
	for (;;) {
		bool resting = motion_thread_idle(mt);

		if (mt->closing)
			break;
		motion_thread_accept(mt);
		pthread_mutex_unlock(&mt->lock);
		if (resting)
			mt->options.rested(mt->options.context);
		else
			motion_thread_run_awake(mt);
		pthread_mutex_lock(&mt->lock);
	}
	pthread_mutex_unlock(&mt->lock);
	return NULL;
}

static void motion_thread_init(struct motion_thread *mt,
			       const struct motion_thread_options *options)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;

	mt->options = *options;
	mt->motion = (struct motion){
		.now = options->now,
		.wait_until = options->wait_until,
		.clock = options->clock,
	};
	mt->realtime.latency = -1;
	mt->rest_ns = NEVER;
	motion_thread_schedule_rest(mt);
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setprotocol(&mutex, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&mt->lock, &mutex);
	pthread_mutexattr_destroy(&mutex);
	pthread_condattr_init(&cond);
	pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
	pthread_cond_init(&mt->asked, &cond);
	pthread_cond_init(&mt->ended, &cond);
	pthread_condattr_destroy(&cond);
}

static void motion_thread_free(struct motion_thread *mt)
{
	pthread_cond_destroy(&mt->asked);
	pthread_cond_destroy(&mt->ended);
	pthread_mutex_destroy(&mt->lock);
	free(mt);
}

static int motion_thread_start(struct motion_thread *mt)
{
	int ret = -pthread_create(&mt->thread, NULL, motion_thread_main, mt);

	if (ret < 0)
		return ret;
	pthread_mutex_lock(&mt->lock);
	while (!mt->started)
		pthread_cond_wait(&mt->ended, &mt->lock);
	pthread_mutex_unlock(&mt->lock);
	return 0;
}

int motion_thread_open(struct motion_thread **out,
		       const struct motion_thread_options *options, struct err *err)
{
	struct motion_thread *mt = calloc(1, sizeof(*mt));
	int ret;

	if (!mt)
		return err_set(err, -ENOMEM, "out of memory");
	motion_thread_init(mt, options);
	ret = motion_thread_start(mt);
	if (ret < 0) {
		motion_thread_free(mt);
		return err_set(err, ret, "the motion thread cannot start: %s",
			       strerror(-ret));
	}
	*out = mt;
	return 0;
}

void motion_thread_close(struct motion_thread *mt)
{
	if (!mt)
		return;
	pthread_mutex_lock(&mt->lock);
	mt->closing = true;
	pthread_cond_broadcast(&mt->asked);
	pthread_mutex_unlock(&mt->lock);
	pthread_join(mt->thread, NULL);
	motion_thread_free(mt);
}

/* Removes move from the finished ones; the caller holds the lock. */
static bool motion_thread_collect(struct motion_thread *mt, struct motion_move *move)
{
	for (struct motion_move **link = &mt->back; *link; link = &(*link)->next) {
		if (*link != move)
			continue;
		*link = move->next;
		return true;
	}
	return false;
}

int motion_thread_run(struct motion_thread *mt, struct motion_move *move,
		      void (*notify)(void *context), void *context)
{
	int64_t notified = clock_monotonic_ns();

	pthread_mutex_lock(&mt->lock);
	move->next = mt->incoming;
	mt->incoming = move;
	mt->rest_ns = NEVER;
	atomic_store_explicit(&mt->waiting, true, memory_order_release);
	pthread_cond_signal(&mt->asked);
	while (!motion_thread_collect(mt, move)) {
		struct timespec until =
			timespec_of(notified + MOTION_THREAD_NOTIFY_MS * NS_PER_MS);

		if (pthread_cond_timedwait(&mt->ended, &mt->lock, &until) != ETIMEDOUT)
			continue;
		notified = clock_monotonic_ns();
		pthread_mutex_unlock(&mt->lock);
		if (notify)
			notify(context);
		pthread_mutex_lock(&mt->lock);
	}
	pthread_mutex_unlock(&mt->lock);
	return move->result;
}

void motion_thread_postpone_rest(struct motion_thread *mt)
{
	pthread_mutex_lock(&mt->lock);
	motion_thread_schedule_rest(mt);
	pthread_cond_signal(&mt->asked);
	pthread_mutex_unlock(&mt->lock);
}

void motion_thread_pin(struct motion_thread *mt, const void *memory, size_t size)
{
	if (!mt->options.real_time)
		return;
	pthread_mutex_lock(&mt->lock);
	realtime_lock(&mt->realtime, memory, size);
	pthread_mutex_unlock(&mt->lock);
}

void motion_thread_unpin(struct motion_thread *mt, const void *memory, size_t size)
{
	if (mt->options.real_time)
		munlock(memory, size);
}

void motion_thread_problems(struct motion_thread *mt, cJSON *problems)
{
	pthread_mutex_lock(&mt->lock);
	realtime_problems(&mt->realtime, problems);
	pthread_mutex_unlock(&mt->lock);
}
