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

struct engine {
	struct engine_options options;
	struct motion motion;	  /* the motion thread's */
	struct realtime realtime; /* the motion thread's; refused memory: lock */
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* with priority inheritance: held for some instructions */
	pthread_cond_t asked, ended;
	struct motion_move *incoming; /* lock */
	atomic_bool waiting;	  /* is there an incoming one? written under the lock */
	struct motion_move *back; /* lock: ended, not yet taken by its caller */
	bool closing;		  /* lock */
	int64_t rest_ns;	  /* lock: when to call rested(), or NEVER */
};

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / (1000 * NS_PER_MS)),
				 .tv_nsec = (long)(ns % (1000 * NS_PER_MS))};
}

static void engine_aim_at_rest(struct engine *engine)
{
	if (engine->options.rest_ms > 0)
		engine->rest_ns =
			clock_monotonic_ns() + engine->options.rest_ms * NS_PER_MS;
}

/* Takes what has come in; the caller holds the lock. */
static void engine_take(struct engine *engine)
{
	struct motion_move *move;

	while ((move = engine->incoming)) {
		engine->incoming = move->next;
		motion_add(&engine->motion, move);
	}
	atomic_store(&engine->waiting, false);
}

static void engine_give_back(struct engine *engine, struct motion_move *move)
{
	pthread_mutex_lock(&engine->lock);
	move->next = engine->back;
	engine->back = move;
	engine_aim_at_rest(engine);
	pthread_cond_broadcast(&engine->ended);
	pthread_mutex_unlock(&engine->lock);
}

/* Turns until nothing moves. */
static void engine_move(struct engine *engine)
{
	while (engine->motion.moves) {
		struct motion_move *move = motion_turn(&engine->motion);

		if (move)
			engine_give_back(engine, move);
		if (!atomic_load_explicit(&engine->waiting, memory_order_acquire))
			continue;
		pthread_mutex_lock(&engine->lock);
		engine_take(engine);
		pthread_mutex_unlock(&engine->lock);
	}
}

/* Waits for a move, for the time to rest or for the end; the caller holds the lock.  True
 * when it is time to rest. */
static bool engine_idle(struct engine *engine)
{
	while (!engine->incoming && !engine->closing) {
		struct timespec until = timespec_of(engine->rest_ns);

		if (engine->rest_ns == NEVER) {
			pthread_cond_wait(&engine->asked, &engine->lock);
		} else if (clock_monotonic_ns() >= engine->rest_ns) {
			engine->rest_ns = NEVER;
			return true;
		} else {
			pthread_cond_timedwait(&engine->asked, &engine->lock, &until);
		}
	}
	return false;
}

static void engine_work(struct engine *engine)
{
	if (engine->options.real_time)
		realtime_hold(&engine->realtime);
	engine_move(engine);
	if (engine->options.real_time)
		realtime_let(&engine->realtime);
}

/* What the machine refuses is known before the first move, so that it can be told. */
static void engine_prepare(struct engine *engine)
{
	const char *frame = __builtin_frame_address(0);

	realtime_begin(&engine->realtime);
	realtime_lock(&engine->realtime, frame - STACK_USED, STACK_USED);
	realtime_lock(&engine->realtime, engine, sizeof(*engine));
	realtime_lock_program(&engine->realtime);
	realtime_hold(&engine->realtime);
	realtime_let(&engine->realtime);
}

static void *engine_main(void *context)
{
	struct engine *engine = context;

	if (engine->options.real_time)
		engine_prepare(engine);
	pthread_mutex_lock(&engine->lock);
	engine->started = true;
	pthread_cond_broadcast(&engine->ended);
	for (;;) {
		bool resting = engine_idle(engine);

		if (engine->closing)
			break;
		engine_take(engine);
		pthread_mutex_unlock(&engine->lock);
		if (resting)
			engine->options.rested(engine->options.context);
		else
			engine_work(engine);
		pthread_mutex_lock(&engine->lock);
	}
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}

static void engine_init(struct engine *engine, const struct engine_options *options)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;

	engine->options = *options;
	engine->motion = (struct motion){
		.now = options->now,
		.wait_until = options->wait_until,
		.clock = options->clock,
	};
	engine->realtime.latency = -1;
	engine->rest_ns = NEVER;
	engine_aim_at_rest(engine);
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setprotocol(&mutex, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&engine->lock, &mutex);
	pthread_mutexattr_destroy(&mutex);
	pthread_condattr_init(&cond);
	pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
	pthread_cond_init(&engine->asked, &cond);
	pthread_cond_init(&engine->ended, &cond);
	pthread_condattr_destroy(&cond);
}

static void engine_free(struct engine *engine)
{
	pthread_cond_destroy(&engine->asked);
	pthread_cond_destroy(&engine->ended);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}

static int engine_start(struct engine *engine)
{
	int ret = -pthread_create(&engine->thread, NULL, engine_main, engine);

	if (ret < 0)
		return ret;
	pthread_mutex_lock(&engine->lock);
	while (!engine->started)
		pthread_cond_wait(&engine->ended, &engine->lock);
	pthread_mutex_unlock(&engine->lock);
	return 0;
}

int engine_open(struct engine **out, const struct engine_options *options,
		struct err *err)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	int ret;

	if (!engine)
		return err_set(err, -ENOMEM, "out of memory");
	engine_init(engine, options);
	ret = engine_start(engine);
	if (ret < 0) {
		engine_free(engine);
		return err_set(err, ret, "the motion thread cannot start: %s",
			       strerror(-ret));
	}
	*out = engine;
	return 0;
}

void engine_close(struct engine *engine)
{
	if (!engine)
		return;
	pthread_mutex_lock(&engine->lock);
	engine->closing = true;
	pthread_cond_broadcast(&engine->asked);
	pthread_mutex_unlock(&engine->lock);
	pthread_join(engine->thread, NULL);
	engine_free(engine);
}

/* Takes move from those that are back; the caller holds the lock. */
static bool engine_collect(struct engine *engine, struct motion_move *move)
{
	for (struct motion_move **link = &engine->back; *link; link = &(*link)->next) {
		if (*link != move)
			continue;
		*link = move->next;
		return true;
	}
	return false;
}

int engine_run(struct engine *engine, struct motion_move *move,
	       void (*tell)(void *context), void *context)
{
	int64_t told = clock_monotonic_ns();

	pthread_mutex_lock(&engine->lock);
	move->next = engine->incoming;
	engine->incoming = move;
	engine->rest_ns = NEVER;
	atomic_store_explicit(&engine->waiting, true, memory_order_release);
	pthread_cond_signal(&engine->asked);
	while (!engine_collect(engine, move)) {
		struct timespec until = timespec_of(told + ENGINE_TELL_MS * NS_PER_MS);

		if (pthread_cond_timedwait(&engine->ended, &engine->lock, &until) !=
		    ETIMEDOUT)
			continue;
		told = clock_monotonic_ns();
		pthread_mutex_unlock(&engine->lock);
		if (tell)
			tell(context);
		pthread_mutex_lock(&engine->lock);
	}
	pthread_mutex_unlock(&engine->lock);
	return move->result;
}

void engine_postpone_rest(struct engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	engine_aim_at_rest(engine);
	pthread_cond_signal(&engine->asked);
	pthread_mutex_unlock(&engine->lock);
}

void engine_pin(struct engine *engine, const void *memory, size_t size)
{
	if (!engine->options.real_time)
		return;
	pthread_mutex_lock(&engine->lock);
	realtime_lock(&engine->realtime, memory, size);
	pthread_mutex_unlock(&engine->lock);
}

void engine_unpin(struct engine *engine, const void *memory, size_t size)
{
	if (engine->options.real_time)
		munlock(memory, size);
}

void engine_problems(struct engine *engine, cJSON *problems)
{
	pthread_mutex_lock(&engine->lock);
	realtime_problems(&engine->realtime, problems);
	pthread_mutex_unlock(&engine->lock);
}
