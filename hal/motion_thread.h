/* The motion thread: one per rig, the only thread that sends pulses.
 *
 * Moves of different axes that begin at different times run in one timeline (motion.h).
 * Where the time is real, the thread asks for real-time priority, locks the memory that
 * it touches and keeps the processor awake while something moves.  It works without
 * what the machine refuses, and reports that.
 *
 * Threads: any, except for motion_thread_open() and motion_thread_close(). */
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

	/* Called once on the motion thread when nothing has moved for rest_ms; never if
	 * rest_ms is 0. */
	int64_t rest_ms;
	void (*rested)(void *context);
	void *context;
};

/* Starts the thread, which owns the timeline.  0, or a negative errno with a sentence. */
int motion_thread_open(struct motion_thread **out,
		       const struct motion_thread_options *options, struct err *err);

/* After all moves have returned.  NULL is fine. */
void motion_thread_close(struct motion_thread *mt);

/* Carries out a move and returns its result when its axes are at rest.  The move stays
 * the caller's and must not be moved in memory.  Until then notify (may be NULL) is
 * called on the caller's thread every MOTION_THREAD_NOTIFY_MS. */
#define MOTION_THREAD_NOTIFY_MS 250
int motion_thread_run(struct motion_thread *mt, struct motion_move *move,
		      void (*notify)(void *context), void *context);

/* Restarts the wait for rest_ms. */
void motion_thread_postpone_rest(struct motion_thread *mt);

/* Locks memory that pulses touch, so that it is not swapped out, and unlocks it before
 * it is freed.  No effect where the time is not real. */
void motion_thread_pin(struct motion_thread *mt, const void *memory, size_t size);
void motion_thread_unpin(struct motion_thread *mt, const void *memory, size_t size);

/* Adds a sentence per privilege that the machine refuses. */
void motion_thread_problems(struct motion_thread *mt, cJSON *problems);

#endif
