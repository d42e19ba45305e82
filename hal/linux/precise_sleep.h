/* Waiting for a moment on CLOCK_MONOTONIC: asleep, and awake for the last stretch. */
#ifndef HAL_LINUX_PRECISE_SLEEP_H
#define HAL_LINUX_PRECISE_SLEEP_H

#include <stdatomic.h>
#include <stdint.h>

#include "agent/base/cancel.h"

struct precise_sleep {
	atomic_int stretch_ns; /* how long it stays awake: as the machine's sleeps need */
};

void precise_sleep_init(struct precise_sleep *sleep);

/* Waits until due_ns and returns what time it is.  Returns earlier within 10 ms when it
 * would wait longer, or when cancel is requested; NULL is fine. */
int64_t precise_sleep_until(struct precise_sleep *sleep, int64_t due_ns,
			    struct cancel *cancel);

/* Stays awake for so long: for what is shorter than any sleep. */
void precise_sleep_spin(int64_t ns);

#endif
