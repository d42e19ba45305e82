/* Tests the publishing of frequent values. */
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
	struct telemetry *telemetry;
	struct effects effects;
	uint64_t token;
	int64_t now;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){.now = 1000};
	effects_init(&f.effects);
	*state = &f;
	return telemetry_open(&f.telemetry);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	telemetry_close(f->telemetry);
	effects_clear(&f->effects);
	return 0;
}

static const struct telemetry_topic queue = {.topic = "queue", .qos = 1, .retain = true};
static const struct telemetry_topic motor = {
	.topic = "motor", .qos = 1, .retain = true, .interval_ms = 500};
static const struct telemetry_topic progress = {
	.topic = "progress", .interval_ms = 200, .once = true};

static void set(struct fixture *f, const struct telemetry_topic *topic, const char *value)
{
	telemetry_set(f->telemetry, topic, value, strlen(value));
}

/* Sends what is due now and returns it: "topic=value " for each message. */
static const char *sent(struct fixture *f)
{
	static char text[1024];

	text[0] = '\0';
	effects_clear(&f->effects);
	effects_init(&f->effects);
	telemetry_send(f->telemetry, &f->effects, EPOCH, f->now, 0, WINDOW, &f->token);
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
	assert_false(telemetry_all_acknowledged(f->telemetry));

	assert_true(telemetry_completed(f->telemetry, first));

	assert_string_equal(sent(f), "queue=2 ");
	assert_true(telemetry_completed(f->telemetry, f->token));
	assert_true(telemetry_all_acknowledged(f->telemetry));
	assert_false(telemetry_completed(f->telemetry, first));
}

static void an_unchanged_retained_value_is_not_sent_again(void **state)
{
	struct fixture *f = *state;

	set(f, &queue, "1");
	sent(f);
	telemetry_completed(f->telemetry, f->token);
	set(f, &queue, "1");
	assert_string_equal(sent(f), "");

	telemetry_resend_topic(f->telemetry, "queue");
	assert_string_equal(sent(f), "queue=1 ");
	telemetry_completed(f->telemetry, f->token);
	telemetry_resend(f->telemetry);
	assert_string_equal(sent(f), "queue=1 ");
}

static void a_value_that_returns_to_the_old_one_is_sent(void **state)
{
	struct fixture *f = *state;

	set(f, &queue, "1");
	sent(f);
	set(f, &queue, "2");
	set(f, &queue, "1");
	telemetry_completed(f->telemetry, f->token);

	assert_string_equal(sent(f), "queue=1 ");
}

static void a_topic_is_limited_to_its_rate(void **state)
{
	struct fixture *f = *state;

	set(f, &motor, "1");
	assert_string_equal(sent(f), "motor=1 ");
	telemetry_completed(f->telemetry, f->token);
	set(f, &motor, "2");
	assert_string_equal(sent(f), "");
	assert_int_equal(telemetry_wake(f->telemetry, f->now), f->now + 500);
	assert_false(telemetry_due(f->telemetry, "motor", f->now));

	f->now += 500;
	assert_true(telemetry_due(f->telemetry, "motor", f->now));
	assert_string_equal(sent(f), "motor=2 ");
	assert_int_equal(telemetry_wake(f->telemetry, f->now), -1);
}

static void the_window_of_unacknowledged_messages_is_respected(void **state)
{
	struct fixture *f = *state;
	char name[16];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		set(f, &(struct telemetry_topic){.topic = name, .qos = 1, .retain = true},
		    "x");
	}
	set(f, &progress, "1"); /* QoS 0 needs no room */
	assert_non_null(strstr(sent(f), "progress=1"));
	assert_int_equal(telemetry_in_flight(f->telemetry), WINDOW);
	assert_string_equal(sent(f), "");

	assert_true(telemetry_completed(f->telemetry, 1));

	assert_int_equal(telemetry_in_flight(f->telemetry), WINDOW - 1);
	assert_string_equal(sent(f), "t8=x ");
}

static void unsent_progress_is_counted_and_dropped(void **state)
{
	struct fixture *f = *state;

	set(f, &progress, "1");
	set(f, &progress, "2");
	assert_int_equal(telemetry_dropped(f->telemetry), 1);
	assert_string_equal(sent(f), "progress=2 ");
	set(f, &progress, "3");

	telemetry_disconnected(f->telemetry);
	f->now += 1000;

	assert_string_equal(sent(f), "");
	assert_true(telemetry_all_acknowledged(f->telemetry));
}

static void a_message_in_flight_at_a_disconnect_is_sent_again(void **state)
{
	struct fixture *f = *state;

	set(f, &queue, "1");
	sent(f);
	telemetry_disconnected(f->telemetry);
	assert_int_equal(telemetry_in_flight(f->telemetry), 0);

	assert_string_equal(sent(f), "queue=1 ");
}

static void unused_topics_are_removed(void **state)
{
	struct fixture *f = *state;
	char name[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		set(f,
		    &(struct telemetry_topic){
			    .topic = name, .interval_ms = 200, .once = true},
		    "x");
		sent(f);
		telemetry_completed(f->telemetry, f->token);
		f->now += 300;
	}

	/* It would not be due yet if it were still known; an unknown topic always is. */
	assert_true(telemetry_due(f->telemetry, "p1", 1301));
	assert_false(telemetry_due(f->telemetry, "p999", f->now - 299));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_value_is_sent, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_message_of_a_topic_is_in_flight,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_unchanged_retained_value_is_not_sent_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_value_that_returns_to_the_old_one_is_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_topic_is_limited_to_its_rate, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			the_window_of_unacknowledged_messages_is_respected, setup,
			teardown),
		cmocka_unit_test_setup_teardown(unsent_progress_is_counted_and_dropped,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_message_in_flight_at_a_disconnect_is_sent_again, setup,
			teardown),
		cmocka_unit_test_setup_teardown(unused_topics_are_removed, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
