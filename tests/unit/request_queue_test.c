/* Tests the queue of camera requests. */
#include "hal/linux/request_queue.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/clock.h"

#define LONG_NS (60 * INT64_C(1000000000))

static bool unwanted;

static bool abandoned(const struct camera_order *order)
{
	(void)order;
	return unwanted;
}

static struct camera_order order_for(int64_t ns)
{
	return (struct camera_order){.due_ns = clock_monotonic_ns() + ns,
				     .abandoned = abandoned};
}

static int open_queue(void **state)
{
	unwanted = false;
	*state = request_queue_new();
	return *state ? 0 : -1;
}

static int close_queue(void **state)
{
	request_queue_free(*state);
	return 0;
}

static void assert_takes(struct request_queue *queue, uint64_t expected)
{
	struct camera_order order = order_for(LONG_NS);
	uint64_t cookie;

	assert_int_equal(request_queue_take(queue, &order, &cookie, NULL), 0);
	assert_int_equal(cookie, expected);
}

static void assert_gives_up(struct request_queue *queue, int64_t ns, int expected,
			    const char *words)
{
	struct camera_order order = order_for(ns);
	struct err err;
	uint64_t cookie;

	assert_int_equal(request_queue_take(queue, &order, &cookie, &err), expected);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, err.text);
}

static void requests_are_taken_in_order(void **state)
{
	for (uint64_t i = 0; i < 2 * CAMERA_REQUESTS; i += 2) {
		request_queue_put(*state, i);
		request_queue_put(*state, i + 1);
		assert_takes(*state, i);
		assert_takes(*state, i + 1);
	}
}

static void a_camera_that_sends_nothing_is_not_waited_for(void **state)
{
	assert_gives_up(*state, 1, -ETIMEDOUT, "it sends no photo");
}

static void a_photo_that_nobody_wants_is_not_waited_for(void **state)
{
	unwanted = true;
	assert_gives_up(*state, LONG_NS, -ECANCELED, "nobody wants");
}

static void an_unplugged_camera_is_not_waited_for(void **state)
{
	assert_false(request_queue_is_unplugged(*state, 0));
	assert_false(request_queue_is_unplugged(*state, 5));

	request_queue_unplugged(*state);

	assert_true(request_queue_is_unplugged(*state, LONG_NS / 1000000));
	assert_gives_up(*state, LONG_NS, -ENODEV, "it was unplugged");
}

static void requests_before_a_clear_are_not_taken(void **state)
{
	request_queue_put(*state, 1);
	request_queue_clear(*state);
	request_queue_put(*state, 2);

	assert_takes(*state, 2);
}

static void *put_one(void *queue)
{
	request_queue_put(queue, 7);
	return NULL;
}

static void a_request_from_another_thread_ends_the_wait(void **state)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, put_one, *state), 0);
	assert_takes(*state, 7);
	pthread_join(thread, NULL);
}

#define WITH_QUEUE(test) cmocka_unit_test_setup_teardown(test, open_queue, close_queue)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_QUEUE(requests_are_taken_in_order),
		WITH_QUEUE(a_camera_that_sends_nothing_is_not_waited_for),
		WITH_QUEUE(a_photo_that_nobody_wants_is_not_waited_for),
		WITH_QUEUE(an_unplugged_camera_is_not_waited_for),
		WITH_QUEUE(requests_before_a_clear_are_not_taken),
		WITH_QUEUE(a_request_from_another_thread_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
