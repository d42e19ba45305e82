/* A clock that runs faster than the machine's. */
#include "hal/sim/sim_clock.h"

#include <math.h>

#include "agent/base/clock.h"

#define AHEAD_NS 2000000  /* real time that is skipped without a sleep */
#define SLICE_NS 10000000 /* the longest sleep, so that a stop is noticed soon */

void sim_clock_start(struct sim_clock *clock, double speed)
{
	clock->origin_ns = clock_monotonic_ns();
	clock->speed = speed;
}

int64_t sim_clock_now(const struct sim_clock *clock)
{
	return llround((double)(clock_monotonic_ns() - clock->origin_ns) * clock->speed);
}

int64_t sim_clock_wait_until(const struct sim_clock *clock, int64_t due_ns,
			     struct cancel *cancel)
{
	int64_t real_due = clock->origin_ns + llround((double)due_ns / clock->speed);
	int64_t real_now = clock_monotonic_ns();
	int64_t now;

	if (real_due - real_now <= AHEAD_NS)
		return due_ns;
	if (real_due - real_now <= SLICE_NS)
		return cancel_wait_until(cancel, real_due) ? due_ns - 1 : due_ns;

	cancel_wait_until(cancel, real_now + SLICE_NS);
	now = sim_clock_now(clock);
	return now < due_ns ? now : due_ns;
}
