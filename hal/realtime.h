/* What a thread with deadlines asks of the machine; it works without if refused. */
#ifndef HAL_REALTIME_H
#define HAL_REALTIME_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#define REALTIME_WHY 192
#define REALTIME_PRIORITY 40 /* of SCHED_FIFO; the kernel's interrupt threads have 50 */

struct realtime {
	int latency; /* /dev/cpu_dma_latency while acquired, else -1 */
	char no_priority[REALTIME_WHY], no_memory[REALTIME_WHY],
		no_latency[REALTIME_WHY]; /* why each was refused, "" if it was not */
};

/* Gives the calling thread real-time priority and removes its timer slack. */
void realtime_begin(struct realtime *rt);

/* Locks memory, so that it is never swapped out; the second function locks the program
 * and the libraries that a pulse goes through. */
void realtime_lock(struct realtime *rt, const void *memory, size_t size);
void realtime_lock_program(struct realtime *rt);

/* Keep the processors from deep sleep states, and allow them again. */
void realtime_acquire_latency(struct realtime *rt);
void realtime_release_latency(struct realtime *rt);

/* Adds a sentence per refusal. */
void realtime_problems(const struct realtime *rt, cJSON *problems);

#endif
