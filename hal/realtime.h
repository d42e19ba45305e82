/* What a thread with deadlines asks of the machine, each with grace where it is refused.
 */
#ifndef HAL_REALTIME_H
#define HAL_REALTIME_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#define REALTIME_WHY 192
#define REALTIME_PRIORITY 40 /* of SCHED_FIFO; the kernel's interrupt threads have 50 */

struct realtime {
	int latency; /* /dev/cpu_dma_latency while it is held, else -1 */
	char no_priority[REALTIME_WHY], no_memory[REALTIME_WHY],
		no_latency[REALTIME_WHY]; /* why it was refused, "" when it was not */
};

/* Gives the calling thread its priority, and its sleeps no slack. */
void realtime_begin(struct realtime *rt);

/* Keeps memory from being swapped out; the second form the program and the libraries that
 * a pulse goes through. */
void realtime_lock(struct realtime *rt, const void *memory, size_t size);
void realtime_lock_program(struct realtime *rt);

/* Keeps the processors from sleeping deeply, and lets them again. */
void realtime_acquire_latency(struct realtime *rt);
void realtime_release_latency(struct realtime *rt);

/* Adds a sentence for each refusal. */
void realtime_problems(const struct realtime *rt, cJSON *problems);

#endif
