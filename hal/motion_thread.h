/* The motion thread: one for a rig, it alone sends pulses.
 *
 * Moves of different axes that are asked for at different times run in one timeline
 * (motion.h).  Where the time is real the thread asks for real-time priority, locks what
 * it touches into memory and keeps the processor awake while something moves; it does
 * without where it may not, and says so.
 *
 * Threads: any, but motion_thread_open() and motion_thread_close(). */
#ifndef HAL_MOTION_THREAD_H
#define HAL_MOTION_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/motion.h"

struct motion_thread;

struct motion_thread_options {
	int64_t (*now)(void *clock);
	int64_t (*wait_until)(void *clock, int64_t due_ns); /* as in struct motion */
	void *clock;
	bool real_time;

	/* Called on the motion thread, once, when nothing has moved for rest_ms; not when
	 * rest_ms is 0. */
	int64_t rest_ms;
	void (*rested)(void *context);
	void *context;
};

/* Starts the thread, which owns the timeline.  0, or a negative errno with a sentence. */
int motion_thread_open(struct motion_thread **out,
		       const struct motion_thread_options *options, struct err *err);

/* After all moves have come back.  NULL is fine. */
void motion_thread_close(struct motion_thread *mt);

/* Carries move out, which stays the caller's and where it is, and returns its result when
 * its axes rest.  tell is called on the caller's thread every ENGINE_TELL_MS meanwhile;
 * NULL for nobody. */
#define MOTION_THREAD_NOTIFY_MS 250
int motion_thread_run(struct motion_thread *mt, struct motion_move *move,
		      void (*tell)(void *context), void *context);

/* Begins the wait for rest_ms anew. */
void motion_thread_postpone_rest(struct motion_thread *mt);

/* Keeps memory that pulses touch from being swapped out, and lets it go again, before it
 * is freed.  Without effect where the time is not real. */
void motion_thread_pin(struct motion_thread *mt, const void *memory, size_t size);
void motion_thread_unpin(struct motion_thread *mt, const void *memory, size_t size);

/* Adds a sentence for each thing that the machine does not allow. */
void motion_thread_problems(struct motion_thread *mt, cJSON *problems);

#endif
