#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "agent/outbox/telemetry.h"

#define EPOCH 7
#define WINDOW 8

struct fixture {
	struct board *board;
	struct effects effects;
	uint64_t token;
	int64_t now;
};

static int open_board(void **state)
{
	static struct fixture f;

	f = (struct fixture){.now = 1000};
	effects_init(&f.effects);
	*state = &f;
	return board_open(&f.board);
}

static int close_board(void **state)
{
	struct fixture *f = *state;

	board_close(f->board);
	effects_clear(&f->effects);
	return 0;
}

static const struct board_topic queue = {.topic = "queue", .qos = 1, .retain = true};
static const struct board_topic motor = {
	.topic = "motor", .qos = 1, .retain = true, .interval_ms = 500};
static const struct board_topic progress = {
	.topic = "progress", .interval_ms = 200, .once = true};

static void set(struct fixture *f, const struct board_topic *topic, const char *value)
{
	board_set(f->board, topic, value, strlen(value));
}

/* What is sent now, topic=value, a space behind each. */
static const char *sent(struct fixture *f)
{
	static char text[1024];

	text[0] = '\0';
	effects_clear(&f->effects);
	effects_init(&f->effects);
	board_pump(f->board, &f->effects, EPOCH, f->now, 0, WINDOW, &f->token);
	for (const struct effect *e = f->effects.first; e; e = e->next) {
		size_t used = strlen(text);

		assert_int_equal(e->kind, EFFECT_PUBLISH);
		assert_int_equal(e->epoch, EPOCH);
		snprintf(text + used, sizeof(text) - used, "%s=%.*s ", e->name,
			 (int)e->size, e->text);
	}
	return text;
}

static void the_newest_value_is_sent(void **state)
{
	struct fixture *f = *state;

	set(f, &queue, "1");
	set(f, &queue, "22");

	assert_string_equal(sent(f), "queue=22 ");
	assert_true(f->effects.first->retain);
	assert_int_equal(f->effects.first->qos, 1);
	assert_string_equal(sent(f), "");
}

static void one_message_of_a_topic_is_in_flight(void **state)
{
	struct fixture *f = *state;
	uint64_t first;

	set(f, &queue, "1");
	assert_string_equal(sent(f), "queue=1 ");
	first = f->token;
	set(f, &queue, "2");
	assert_string_equal(sent(f), "");
	assert_false(board_settled(f->board));

	assert_true(board_sent(f->board, first));

	assert_string_equal(sent(f), "queue=2 ");
	assert_true(board_sent(f->board, f->token));
	assert_true(board_settled(f->board));
	assert_false(board_sent(f->board, first));
}

static void an_unchanged_retained_value_is_not_sent_again(void **state)
{
	struct fixture *f = *state;

	set(f, &queue, "1");
	sent(f);
	board_sent(f->board, f->token);
	set(f, &queue, "1");
	assert_string_equal(sent(f), "");

	board_again_topic(f->board, "queue");
	assert_string_equal(sent(f), "queue=1 ");
	board_sent(f->board, f->token);
	board_again(f->board);
	assert_string_equal(sent(f), "queue=1 ");
}

static void a_value_that_comes_back_to_the_old_one_is_sent(void **state)
{
	struct fixture *f = *state;

	set(f, &queue, "1");
	sent(f);
	set(f, &queue, "2");
	set(f, &queue, "1");
	board_sent(f->board, f->token);

	assert_string_equal(sent(f), "queue=1 ");
}

static void a_topic_keeps_its_rate(void **state)
{
	struct fixture *f = *state;

	set(f, &motor, "1");
	assert_string_equal(sent(f), "motor=1 ");
	board_sent(f->board, f->token);
	set(f, &motor, "2");
	assert_string_equal(sent(f), "");
	assert_int_equal(board_wake(f->board, f->now), f->now + 500);
	assert_false(board_due(f->board, "motor", f->now));

	f->now += 500;
	assert_true(board_due(f->board, "motor", f->now));
	assert_string_equal(sent(f), "motor=2 ");
	assert_int_equal(board_wake(f->board, f->now), -1);
}

static void the_window_of_unacknowledged_messages_is_kept(void **state)
{
	struct fixture *f = *state;
	char name[16];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		set(f, &(struct board_topic){.topic = name, .qos = 1, .retain = true},
		    "x");
	}
	set(f, &progress, "1"); /* QoS 0 needs no room */
	assert_non_null(strstr(sent(f), "progress=1"));
	assert_int_equal(board_flying(f->board), WINDOW);
	assert_string_equal(sent(f), "");

	assert_true(board_sent(f->board, 1));

	assert_int_equal(board_flying(f->board), WINDOW - 1);
	assert_string_equal(sent(f), "t8=x ");
}

static void progress_that_nobody_saw_is_counted_and_dropped(void **state)
{
	struct fixture *f = *state;

	set(f, &progress, "1");
	set(f, &progress, "2");
	assert_int_equal(board_dropped(f->board), 1);
	assert_string_equal(sent(f), "progress=2 ");
	set(f, &progress, "3");

	board_link_down(f->board);
	f->now += 1000;

	assert_string_equal(sent(f), "");
	assert_true(board_settled(f->board));
}

static void what_flew_at_a_disconnect_is_sent_again(void **state)
{
	struct fixture *f = *state;

	set(f, &queue, "1");
	sent(f);
	board_link_down(f->board);
	assert_int_equal(board_flying(f->board), 0);

	assert_string_equal(sent(f), "queue=1 ");
}

static void spent_topics_do_not_pile_up(void **state)
{
	struct fixture *f = *state;
	char name[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		set(f,
		    &(struct board_topic){
			    .topic = name, .interval_ms = 200, .once = true},
		    "x");
		sent(f);
		board_sent(f->board, f->token);
		f->now += 300;
	}

	/* One that is known was not due then; one that was forgotten always is. */
	assert_true(board_due(f->board, "p1", 1301));
	assert_false(board_due(f->board, "p999", f->now - 299));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_value_is_sent, open_board,
						close_board),
		cmocka_unit_test_setup_teardown(one_message_of_a_topic_is_in_flight,
						open_board, close_board),
		cmocka_unit_test_setup_teardown(
			an_unchanged_retained_value_is_not_sent_again, open_board,
			close_board),
		cmocka_unit_test_setup_teardown(
			a_value_that_comes_back_to_the_old_one_is_sent, open_board,
			close_board),
		cmocka_unit_test_setup_teardown(a_topic_keeps_its_rate, open_board,
						close_board),
		cmocka_unit_test_setup_teardown(
			the_window_of_unacknowledged_messages_is_kept, open_board,
			close_board),
		cmocka_unit_test_setup_teardown(
			progress_that_nobody_saw_is_counted_and_dropped, open_board,
			close_board),
		cmocka_unit_test_setup_teardown(what_flew_at_a_disconnect_is_sent_again,
						open_board, close_board),
		cmocka_unit_test_setup_teardown(spent_topics_do_not_pile_up, open_board,
						close_board),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
