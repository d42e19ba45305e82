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

static int open_inbox(void **state)
{
	unwanted = false;
	*state = camera_inbox_new();
	return *state ? 0 : -1;
}

static int close_inbox(void **state)
{
	camera_inbox_free(*state);
	return 0;
}

static void assert_takes(struct camera_inbox *inbox, uint64_t expected)
{
	struct camera_order order = order_for(LONG_NS);
	uint64_t cookie;

	assert_int_equal(camera_inbox_take(inbox, &order, &cookie, NULL), 0);
	assert_int_equal(cookie, expected);
}

static void assert_gives_up(struct camera_inbox *inbox, int64_t ns, int expected,
			    const char *words)
{
	struct camera_order order = order_for(ns);
	struct err err;
	uint64_t cookie;

	assert_int_equal(camera_inbox_take(inbox, &order, &cookie, &err), expected);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, err.text);
}

static void requests_come_in_their_order_however_many(void **state)
{
	for (uint64_t i = 0; i < 2 * CAMERA_REQUESTS; i += 2) {
		camera_inbox_put(*state, i);
		camera_inbox_put(*state, i + 1);
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
	assert_false(camera_inbox_is_unplugged(*state, 0));
	assert_false(camera_inbox_is_unplugged(*state, 5));

	camera_inbox_unplugged(*state);

	assert_true(camera_inbox_is_unplugged(*state, LONG_NS / 1000000));
	assert_gives_up(*state, LONG_NS, -ENODEV, "it was unplugged");
}

static void what_came_before_the_clearing_is_not_taken(void **state)
{
	camera_inbox_put(*state, 1);
	camera_inbox_clear(*state);
	camera_inbox_put(*state, 2);

	assert_takes(*state, 2);
}

static void *put_one(void *inbox)
{
	camera_inbox_put(inbox, 7);
	return NULL;
}

static void a_request_of_another_thread_ends_the_waiting(void **state)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, put_one, *state), 0);
	assert_takes(*state, 7);
	pthread_join(thread, NULL);
}

#define WITH_INBOX(test) cmocka_unit_test_setup_teardown(test, open_inbox, close_inbox)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_INBOX(requests_come_in_their_order_however_many),
		WITH_INBOX(a_camera_that_sends_nothing_is_not_waited_for),
		WITH_INBOX(a_photo_that_nobody_wants_is_not_waited_for),
		WITH_INBOX(an_unplugged_camera_is_not_waited_for),
		WITH_INBOX(what_came_before_the_clearing_is_not_taken),
		WITH_INBOX(a_request_of_another_thread_ends_the_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
