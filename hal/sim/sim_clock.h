/* The simulated rig's time: real time, so many times faster.
 *
 * A wait takes it to the very nanosecond that was asked for, so nothing here is ever
 * late, and really sleeps only when real time is clearly behind: thousands of steps a
 * second cost some hundreds of sleeps, and at a high speed almost none. */
#ifndef HAL_SIM_SIM_CLOCK_H
#define HAL_SIM_SIM_CLOCK_H

#include <stdint.h>

#include "agent/base/cancel.h"

struct sim_clock {
	int64_t origin_ns; /* real time when this one was 0 */
	double speed;
};

void sim_clock_start(struct sim_clock *clock, double speed);

int64_t sim_clock_now(const struct sim_clock *clock);

/* due_ns, or an earlier time after 10 ms of real time or when cancel was requested. */
int64_t sim_clock_wait_until(const struct sim_clock *clock, int64_t due_ns,
			     struct cancel *cancel);

#endif
