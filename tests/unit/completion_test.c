/* Tests waiting for a commit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/base/clock.h"
#include "agent/workers/completion.h"

static void *release(void *completion)
{
	completion_complete(completion);
	return NULL;
}

static void a_release_before_the_wait_is_not_lost(void **state)
{
	struct completion completion;

	(void)state;
	completion_init(&completion);
	completion_complete(&completion);

	assert_true(completion_wait(&completion, -1));
	completion_destroy(&completion);
}

static void a_release_by_another_thread_ends_the_wait(void **state)
{
	struct completion completion;
	pthread_t thread;

	(void)state;
	for (int i = 0; i < 200; i++) {
		completion_init(&completion);
		assert_int_equal(pthread_create(&thread, NULL, release, &completion), 0);
		assert_true(completion_wait(&completion, i % 2 ? -1 : 20000));
		/* From here on it may be gone, whatever the other thread still does. */
		pthread_join(thread, NULL);
		completion_destroy(&completion);
	}
}

static void without_a_release_the_wait_times_out(void **state)
{
	struct completion completion;
	int64_t before = clock_monotonic_ms();

	(void)state;
	completion_init(&completion);

	assert_false(completion_wait(&completion, 30));
	assert_true(clock_monotonic_ms() - before >= 29);
	completion_complete(&completion);
	assert_true(completion_wait(&completion, 0));
	completion_destroy(&completion);
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
