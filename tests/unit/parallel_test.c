/* Tests the parallel for loop. */
#include "agent/base/parallel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/base/clock.h"

#define TURNS 1000
#define DEADLINE_NS (10 * INT64_C(1000000000))

struct tally {
	atomic_int times[TURNS];
	atomic_int all;
	struct cancel cancel;
};

static void count(void *context, int i)
{
	struct tally *tally = context;

	atomic_fetch_add(&tally->times[i], 1);
}

/* The tenth call requests the cancel; later ones last until it is requested. */
static void count_and_stop_at_ten(void *context, int i)
{
	struct tally *tally = context;
	const int before = atomic_fetch_add(&tally->all, 1);

	(void)i;
	if (before == 9)
		cancel_request(&tally->cancel);
	if (before > 9)
		cancel_wait_until(&tally->cancel, clock_monotonic_ns() + DEADLINE_NS);
}

static void every_index_is_called_once(void **state)
{
	static struct tally tally;
	int ret;
	(void)state;

	ret = parallel_for(TURNS, count, &tally, NULL);

	assert_int_equal(ret, 0);
	for (int i = 0; i < TURNS; i++)
		assert_int_equal(atomic_load(&tally.times[i]), 1);
}

static void zero_indexes_call_nothing(void **state)
{
	static struct tally tally;
	(void)state;

	assert_int_equal(parallel_for(0, count, &tally, NULL), 0);
	assert_int_equal(atomic_load(&tally.times[0]), 0);
}

static void a_cancel_skips_the_rest(void **state)
{
	static struct tally tally;
	int ret;
	(void)state;

	cancel_init(&tally.cancel);
	ret = parallel_for(TURNS, count_and_stop_at_ten, &tally, &tally.cancel);

	/* Each thread may finish its present call; there are at most 16. */
	assert_int_equal(ret, -EINTR);
	assert_true(atomic_load(&tally.all) <= 10 + 16);
	cancel_destroy(&tally.cancel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_index_is_called_once),
		cmocka_unit_test(zero_indexes_call_nothing),
		cmocka_unit_test(a_cancel_skips_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
