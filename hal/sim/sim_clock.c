#include "hal/sim/sim_clock.h"

#include <math.h>

#include "agent/base/clock.h"

#define AHEAD_NS 2000000  /* real time that may be skipped without a sleep */
#define SLICE_NS 10000000 /* the longest sleep, so that a stop is soon seen */

void pace_start(struct pace *pace, double speed)
{
	pace->origin_ns = clock_monotonic_ns();
	pace->speed = speed;
}

int64_t pace_now(const struct pace *pace)
{
	return llround((double)(clock_monotonic_ns() - pace->origin_ns) * pace->speed);
}

int64_t pace_wait_until(const struct pace *pace, int64_t due_ns, struct cancel *cancel)
{
	int64_t real_due = pace->origin_ns + llround((double)due_ns / pace->speed);
	int64_t real_now = clock_monotonic_ns();
	int64_t now;

	if (real_due - real_now <= AHEAD_NS)
		return due_ns;
	if (real_due - real_now <= SLICE_NS)
		return cancel_wait_until(cancel, real_due) ? due_ns - 1 : due_ns;

	cancel_wait_until(cancel, real_now + SLICE_NS);
	now = pace_now(pace);
	return now < due_ns ? now : due_ns;
}
