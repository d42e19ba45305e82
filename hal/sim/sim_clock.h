/* The simulated rig's time: real time, sped up.
 *
 * A wait advances it to exactly the requested nanosecond, so nothing is ever late, and it
 * sleeps only when real time is clearly behind: thousands of steps per second cost some
 * hundreds of sleeps, and at a high speed almost none. */
#ifndef HAL_SIM_SIM_CLOCK_H
#define HAL_SIM_SIM_CLOCK_H

#include <stdint.h>

#include "agent/base/cancel.h"

struct sim_clock {
	int64_t origin_ns; /* real time when this clock was 0 */
	double speed;
};

void sim_clock_start(struct sim_clock *clock, double speed);

int64_t sim_clock_now(const struct sim_clock *clock);

/* Returns due_ns, or an earlier time after 10 ms of real time or when cancel was
 * requested. */
int64_t sim_clock_wait_until(const struct sim_clock *clock, int64_t due_ns,
			     struct cancel *cancel);

#endif
