/* Sleeps until shortly before a deadline, then spins. */
#include "hal/linux/precise_sleep.h"

#include "agent/base/clock.h"

#define SLICE_NS 10000000 /* the longest sleep, so that a stop is noticed soon */
#define LEAST_NS 15000	  /* spin at least this long */
/* Spin at most this long: more would starve others on that processor. */
#define MOST_NS 100000
#define SPARE_NS 10000 /* more than the last sleeps were late */
#define FORGET 512     /* each sleep forgets 1/FORGET of the difference */

void precise_sleep_init(struct precise_sleep *sleep)
{
	atomic_init(&sleep->stretch_ns, MOST_NS / 2);
}

/* Adapts to how late the machine wakes: up immediately, down slowly. */
static void precise_sleep_learn(struct precise_sleep *sleep, int64_t late_ns)
{
	int stretch = atomic_load_explicit(&sleep->stretch_ns, memory_order_relaxed);
	int64_t wanted = late_ns + SPARE_NS;

	if (wanted < LEAST_NS)
		wanted = LEAST_NS;
	if (wanted > MOST_NS)
		wanted = MOST_NS;
	if (wanted > stretch)
		stretch = (int)wanted;
	else
		stretch -= (stretch - (int)wanted) / FORGET;
	atomic_store_explicit(&sleep->stretch_ns, stretch, memory_order_relaxed);
}

int64_t precise_sleep_until(struct precise_sleep *sleep, int64_t due_ns,
			    struct cancel *cancel)
{
	int64_t now = clock_monotonic_ns();
	int64_t wake;

	if (due_ns - now > SLICE_NS) {
		cancel_wait_until(cancel, now + SLICE_NS);
		return clock_monotonic_ns();
	}
	wake = due_ns - atomic_load_explicit(&sleep->stretch_ns, memory_order_relaxed);
	if (wake > now) {
		if (cancel_wait_until(cancel, wake))
			return clock_monotonic_ns();
		now = clock_monotonic_ns();
		precise_sleep_learn(sleep, now - wake);
	}
	while (now < due_ns)
		now = clock_monotonic_ns();
	return now;
}

void precise_sleep_spin(int64_t ns)
{
	int64_t until = clock_monotonic_ns() + ns;

	while (clock_monotonic_ns() < until)
		;
}
