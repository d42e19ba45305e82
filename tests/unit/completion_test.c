#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/base/clock.h"
#include "agent/workers/completion.h"

static void *release(void *waiter)
{
	waiter_release(waiter);
	return NULL;
}

static void a_release_before_the_wait_is_not_lost(void **state)
{
	struct waiter waiter;

	(void)state;
	waiter_init(&waiter);
	waiter_release(&waiter);

	assert_true(waiter_wait(&waiter, -1));
	waiter_destroy(&waiter);
}

static void a_release_by_another_thread_ends_the_wait(void **state)
{
	struct waiter waiter;
	pthread_t thread;

	(void)state;
	for (int i = 0; i < 200; i++) {
		waiter_init(&waiter);
		assert_int_equal(pthread_create(&thread, NULL, release, &waiter), 0);
		assert_true(waiter_wait(&waiter, i % 2 ? -1 : 20000));
		/* From here on it may be gone, whatever the other thread still does. */
		pthread_join(thread, NULL);
		waiter_destroy(&waiter);
	}
}

static void without_a_release_the_wait_times_out(void **state)
{
	struct waiter waiter;
	int64_t before = clock_monotonic_ms();

	(void)state;
	waiter_init(&waiter);

	assert_false(waiter_wait(&waiter, 30));
	assert_true(clock_monotonic_ms() - before >= 29);
	waiter_release(&waiter);
	assert_true(waiter_wait(&waiter, 0));
	waiter_destroy(&waiter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_release_before_the_wait_is_not_lost),
		cmocka_unit_test(a_release_by_another_thread_ends_the_wait),
		cmocka_unit_test(without_a_release_the_wait_times_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
