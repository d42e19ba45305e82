/* Tests the queue of events between threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>

#include "agent/workers/mailbox.h"

static int open_mailbox(void **state)
{
	struct err err;
	struct mailbox *mailbox;

	if (mailbox_open(&mailbox, &err) < 0)
		return -1;
	*state = mailbox;
	return 0;
}

static int close_mailbox(void **state)
{
	mailbox_close(*state);
	return 0;
}

static void post(struct mailbox *mailbox, int64_t number)
{
	struct event *event = event_new(EVENT_LOG);

	event->number = number;
	mailbox_post(mailbox, event);
}

static bool readable(const struct mailbox *mailbox)
{
	struct pollfd fd = {.fd = mailbox_fd(mailbox), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

/* Takes up to max and checks that their numbers go on from first; how many there were. */
static int take(struct mailbox *mailbox, int max, int64_t first)
{
	struct event *event = mailbox_take(mailbox, max);
	int n = 0;

	while (event) {
		struct event *next = event->next;

		assert_int_equal(event->number, first + n++);
		event_free(event);
		event = next;
	}
	return n;
}

static void events_are_taken_in_the_order_in_which_they_were_posted(void **state)
{
	struct mailbox *mailbox = *state;

	for (int i = 0; i < 5; i++)
		post(mailbox, i);

	assert_int_equal(take(mailbox, 64, 0), 5);
	assert_null(mailbox_take(mailbox, 64));
}

static void its_descriptor_is_readable_while_events_wait(void **state)
{
	struct mailbox *mailbox = *state;

	assert_false(readable(mailbox));
	post(mailbox, 0);
	post(mailbox, 1);
	assert_true(readable(mailbox));
	take(mailbox, 64, 0);
	assert_false(readable(mailbox));
}

static void events_beyond_a_turns_limit_wake_the_loop_again(void **state)
{
	struct mailbox *mailbox = *state;

	for (int i = 0; i < 5; i++)
		post(mailbox, i);

	assert_int_equal(take(mailbox, 2, 0), 2);
	assert_true(readable(mailbox));
	post(mailbox, 5);
	assert_int_equal(take(mailbox, 64, 2), 4);
	assert_false(readable(mailbox));
}

static void events_that_were_not_taken_are_freed(void **state)
{
	post(*state, 0);
	post(*state, 1);
}

#define EACH 2000

static void *post_many(void *mailbox)
{
	for (int i = 0; i < EACH; i++)
		post(mailbox, i);
	return NULL;
}

static void no_event_is_lost_between_threads(void **state)
{
	struct mailbox *mailbox = *state;
	pthread_t threads[3];
	int n = 0;

	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_many, mailbox),
				 0);
	while (n < 3 * EACH) {
		struct pollfd fd = {.fd = mailbox_fd(mailbox), .events = POLLIN};

		/* Never asleep while something waits: a lost ring would end the test
		 * here. */
		assert_int_equal(poll(&fd, 1, 20000), 1);
		for (struct event *event = mailbox_take(mailbox, 7); event; n++) {
			struct event *next = event->next;

			event_free(event);
			event = next;
		}
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);

	assert_null(mailbox_take(mailbox, 1));
}

static void data_is_nul_terminated_and_may_be_empty(void **state)
{
	struct event *event = event_new(EVENT_MESSAGE);

	(void)state;
	assert_int_equal(event_set_data(event, "abc", 2), 0);
	assert_string_equal(event->data, "ab");
	assert_int_equal(event_set_data(event, NULL, 0), 0);

	assert_int_equal(event->size, 0);
	assert_string_equal(event->data, "");
	event_free(event);
	event_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			events_are_taken_in_the_order_in_which_they_were_posted,
			open_mailbox, close_mailbox),
		cmocka_unit_test_setup_teardown(
			its_descriptor_is_readable_while_events_wait, open_mailbox,
			close_mailbox),
		cmocka_unit_test_setup_teardown(
			events_beyond_a_turns_limit_wake_the_loop_again, open_mailbox,
			close_mailbox),
		cmocka_unit_test_setup_teardown(events_that_were_not_taken_are_freed,
						open_mailbox, close_mailbox),
		cmocka_unit_test_setup_teardown(no_event_is_lost_between_threads,
						open_mailbox, close_mailbox),
		cmocka_unit_test_setup_teardown(data_is_nul_terminated_and_may_be_empty,
						open_mailbox, close_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
