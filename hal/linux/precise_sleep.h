/* Waits for a time on CLOCK_MONOTONIC: sleeps, then spins for the last stretch. */
#ifndef HAL_LINUX_PRECISE_SLEEP_H
#define HAL_LINUX_PRECISE_SLEEP_H

#include <stdatomic.h>
#include <stdint.h>

#include "agent/base/cancel.h"

struct precise_sleep {
	/* How long it spins: adapts to how late this machine wakes. */
	atomic_int stretch_ns;
};

void precise_sleep_init(struct precise_sleep *sleep);

/* Waits until due_ns and returns the time.  Returns early, within 10 ms, if it would wait
 * longer, or when cancel (may be NULL) is requested. */
int64_t precise_sleep_until(struct precise_sleep *sleep, int64_t due_ns,
			    struct cancel *cancel);

/* Spins for ns: for times shorter than any sleep. */
void precise_sleep_spin(int64_t ns);

#endif
