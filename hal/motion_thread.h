/* The motion thread: one for a rig, it alone sends pulses.
 *
 * Moves of different axes that are asked for at different times run in one timeline
 * (motion.h).  Where the time is real the thread asks for real-time priority, locks what
 * it touches into memory and keeps the processor awake while something moves; it does
 * without where it may not, and says so.
 *
 * Threads: any, but engine_open() and engine_close(). */
#ifndef HAL_MOTION_THREAD_H
#define HAL_MOTION_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/motion.h"

struct engine;

struct engine_options {
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
int engine_open(struct engine **out, const struct engine_options *options,
		struct err *err);

/* After all moves have come back.  NULL is fine. */
void engine_close(struct engine *engine);

/* Carries move out, which stays the caller's and where it is, and returns its result when
 * its axes rest.  tell is called on the caller's thread every ENGINE_TELL_MS meanwhile;
 * NULL for nobody. */
#define ENGINE_TELL_MS 250
int engine_run(struct engine *engine, struct motion_move *move,
	       void (*tell)(void *context), void *context);

/* Begins the wait for rest_ms anew. */
void engine_postpone_rest(struct engine *engine);

/* Keeps memory that pulses touch from being swapped out, and lets it go again, before it
 * is freed.  Without effect where the time is not real. */
void engine_pin(struct engine *engine, const void *memory, size_t size);
void engine_unpin(struct engine *engine, const void *memory, size_t size);

/* Adds a sentence for each thing that the machine does not allow. */
void engine_problems(struct engine *engine, cJSON *problems);

#endif
