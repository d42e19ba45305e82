/* Tests the outbox: documents, replies and events on their way to the broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/outbox/outbox.h"

#define EPOCH 7
#define WINDOW 64

struct fixture {
	struct store *store;
	struct outbox *outbox;
	struct effects effects;
	uint64_t token;
	int64_t now, age;
	int version; /* of every document; 0: the task is gone */
	char folder[64];
	char text[4096];
};

static char *make_document(void *context, const char *task)
{
	struct fixture *f = context;
	char *text;

	if (!f->version || asprintf(&text, "%s.%d", task, f->version) < 0)
		return NULL;
	return text;
}

static char *make_topic(void *context, const char *task)
{
	char *text;

	(void)context;
	return asprintf(&text, "task/%s", task) < 0 ? NULL : text;
}

static void open_outbox(struct fixture *f)
{
	struct outbox_options options = {.event_topic = "event",
					 .document = make_document,
					 .topic = make_topic,
					 .context = f};
	char damaged[STORE_PATH];
	struct err err;

	assert_int_equal(store_open(&f->store, f->folder, NULL, damaged, &err), 0);
	options.store = f->store;
	assert_int_equal(outbox_open(&f->outbox, &options, &err), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	f->now = 1000;
	f->version = 1;
	effects_init(&f->effects);
	snprintf(f->folder, sizeof(f->folder), "%s/outbox_test.XXXXXX",
		 tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	open_outbox(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	DIR *dir;

	outbox_close(f->outbox);
	store_close(f->store);
	effects_clear(&f->effects);
	dir = opendir(f->folder);
	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		char path[400];

		snprintf(path, sizeof(path), "%s/%s", f->folder, entry->d_name);
		unlink(path);
	}
	closedir(dir);
	rmdir(f->folder);
	free(f);
	return 0;
}

/* Ends the turn: settles and commits. */
static void commit(struct fixture *f)
{
	struct err err;

	outbox_settle(f->outbox);
	assert_int_equal(store_commit(f->store, &err), 0);
}

static void crash(struct fixture *f)
{
	outbox_close(f->outbox);
	store_close(f->store);
	open_outbox(f);
}

/* Sends what it may now and returns it: "topic=payload " for each message. */
static const char *sent_through(struct fixture *f, unsigned window)
{
	f->text[0] = '\0';
	effects_clear(&f->effects);
	effects_init(&f->effects);
	outbox_send(f->outbox, &f->effects, EPOCH, f->now, f->age, window, &f->token);
	for (const struct effect *e = f->effects.first; e; e = e->next) {
		size_t used = strlen(f->text);

		assert_int_equal(e->qos, 1);
		snprintf(f->text + used, sizeof(f->text) - used, "%s=%.*s ", e->name,
			 (int)e->size, e->text ? e->text : "");
	}
	return f->text;
}

static const char *sent(struct fixture *f)
{
	return sent_through(f, WINDOW);
}

static void ack(struct fixture *f, uint64_t token)
{
	assert_true(outbox_completed(f->outbox, token, true, f->now));
}

static void reply(struct fixture *f, const char *topic, bool stored)
{
	struct outbox_reply r = {.topic = topic,
				 .payload = "{}",
				 .age = f->age,
				 .stored = stored,
				 .message_hash = ""};

	outbox_add_reply(f->outbox, &r);
}

static void a_document_leaves_the_store_when_it_is_acknowledged(void **state)
{
	struct fixture *f = *state;

	outbox_add_document(f->outbox, "a", 0);
	commit(f);
	assert_string_equal(sent(f), "task/a=a.1 ");
	assert_true(f->effects.first->retain);
	assert_false(outbox_document_acknowledged(f->outbox, "a"));
	crash(f);
	assert_string_equal(sent(f), "task/a=a.1 ");

	ack(f, f->token);
	assert_true(outbox_document_acknowledged(f->outbox, "a"));
	assert_int_equal(outbox_depth(f->outbox), 0);
	commit(f);
	crash(f);

	assert_string_equal(sent(f), "");
}

static void an_acknowledged_row_is_settled_after_a_second_at_the_latest(void **state)
{
	struct fixture *f = *state;

	outbox_add_document(f->outbox, "a", 0);
	commit(f);
	sent(f);
	ack(f, f->token);

	assert_false(outbox_wants_settling(f->outbox, f->now - 1000));
	assert_int_equal(outbox_wake(f->outbox, f->now), f->now + 1000);
	f->now += 1000;
	assert_true(outbox_wants_settling(f->outbox, f->now - 1000));
	commit(f);
	assert_int_equal(outbox_wake(f->outbox, f->now), -1);
}

static void
one_message_of_a_retained_topic_is_in_flight_and_the_last_value_wins(void **state)
{
	struct fixture *f = *state;
	uint64_t first;

	outbox_add_document(f->outbox, "a", 0);
	assert_string_equal(sent(f), "task/a=a.1 ");
	first = f->token;
	f->version = 2;
	outbox_add_document(f->outbox, "a", 0);
	f->version = 3;
	outbox_add_document(f->outbox, "a", 0);
	assert_string_equal(sent(f), "");

	ack(f, first);
	assert_false(outbox_document_acknowledged(f->outbox, "a"));

	assert_string_equal(sent(f), "task/a=a.3 ");
}

static void a_newer_version_keeps_its_row_when_the_older_is_acknowledged(void **state)
{
	struct fixture *f = *state;

	outbox_add_document(f->outbox, "a", 0);
	commit(f);
	sent(f);
	f->version = 2;
	outbox_add_document(f->outbox, "a", 0);
	commit(f);
	ack(f, f->token);
	commit(f);
	crash(f);

	assert_string_equal(sent(f), "task/a=a.2 ");
}

static void a_clearing_replaces_the_document(void **state)
{
	struct fixture *f = *state;

	outbox_add_document(f->outbox, "a", 0);
	commit(f);
	sent(f);
	f->version = 0;
	outbox_add_clearing(f->outbox, "task/a", 0);
	commit(f);
	crash(f);

	assert_string_equal(sent(f), "task/a= ");
	assert_true(f->effects.first->retain);
	assert_int_equal(f->effects.first->size, 0);
}

static void messages_in_flight_at_a_disconnect_are_sent_first_again(void **state)
{
	struct fixture *f = *state;

	reply(f, "r1", true);
	reply(f, "r2", true);
	assert_string_equal(sent(f), "r1={} r2={} ");
	outbox_disconnected(f->outbox);
	assert_int_equal(outbox_in_flight(f->outbox), 0);
	reply(f, "r3", true);
	outbox_connected(f->outbox);

	assert_string_equal(sent(f), "r1={} r2={} r3={} ");
}

static void the_window_of_messages_in_flight_is_respected(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		reply(f, "r", true);
	sent_through(f, 4);
	assert_int_equal(outbox_in_flight(f->outbox), 4);
	assert_string_equal(sent_through(f, 4), "");
	ack(f, 2);

	assert_string_equal(sent_through(f, 4), "r={} ");
}

static void a_refused_message_waits_for_the_next_connection(void **state)
{
	struct fixture *f = *state;

	reply(f, "r", true);
	sent(f);
	assert_true(outbox_completed(f->outbox, f->token, false, f->now));
	assert_string_equal(sent(f), "");
	reply(f, "s", true);
	assert_string_equal(sent(f), "s={} ");

	outbox_disconnected(f->outbox);
	outbox_connected(f->outbox);

	assert_non_null(strstr(sent(f), "r={} "));
}

static void a_delayed_reply_is_sent_when_it_is_due(void **state)
{
	struct fixture *f = *state;
	struct outbox_reply r = {.topic = "r",
				 .payload = "{}",
				 .not_before = f->now + 300,
				 .message_hash = ""};

	outbox_add_reply(f->outbox, &r);
	reply(f, "s", false);

	assert_string_equal(sent(f), "s={} ");
	assert_int_equal(outbox_wake(f->outbox, f->now), f->now + 300);
	f->now += 300;
	assert_string_equal(sent(f), "r={} ");
}

static void replies_to_reads_are_not_stored(void **state)
{
	struct fixture *f = *state;

	reply(f, "r", false);
	assert_false(store_dirty(f->store));
	commit(f);
	crash(f);

	assert_string_equal(sent(f), "");
}

static void replies_keep_their_correlation_over_a_crash(void **state)
{
	struct fixture *f = *state;
	struct outbox_reply r = {.topic = "r",
				 .payload = "{}",
				 .correlation = "c\0d",
				 .correlation_size = 3,
				 .stored = true,
				 .message_hash = ""};

	outbox_add_reply(f->outbox, &r);
	commit(f);
	crash(f);
	sent(f);

	assert_int_equal(f->effects.first->correlation_size, 3);
	assert_memory_equal(f->effects.first->correlation, "c\0d", 3);
}

static void a_thousand_replies_may_wait_beyond_that_the_oldest_is_dropped(void **state)
{
	struct fixture *f = *state;
	char topic[32];

	for (int i = 0; i < 1003; i++) {
		snprintf(topic, sizeof(topic), "r%d", i);
		reply(f, topic, true);
	}
	commit(f);
	assert_int_equal(outbox_dropped(f->outbox), 3);
	assert_int_equal(outbox_depth(f->outbox), 1000);
	crash(f);

	assert_int_equal(outbox_depth(f->outbox), 1000);
	assert_string_equal(sent_through(f, 1), "r3={} ");
}

/* Acknowledged replies stay in the store until the broker has acknowledged a later
 * message, and count again after a restart. */
static void
the_bound_holds_after_a_restart_with_more_than_a_thousand_replies(void **state)
{
	struct fixture *f = *state;
	struct outbox_reply r = {.topic = "r",
				 .payload = "{}",
				 .stored = true,
				 .packet = 17,
				 .message_hash = "hash"};

	for (int i = 0; i < 10; i++)
		outbox_add_reply(f->outbox, &r);
	sent(f);
	for (uint64_t token = 1; token <= 10; token++)
		ack(f, token);
	for (int i = 0; i < OUTBOX_REPLIES_MAX; i++)
		reply(f, "s", true);
	commit(f);
	crash(f);
	reply(f, "t", true);

	assert_int_equal(outbox_depth(f->outbox), OUTBOX_REPLIES_MAX);
}

/* With a window wider than the bound, all waiting replies may be in flight. */
static void a_reply_may_be_added_while_the_most_replies_are_in_flight(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < OUTBOX_REPLIES_MAX; i++)
		reply(f, "r", true);
	sent_through(f, 60000);
	assert_int_equal(outbox_in_flight(f->outbox), OUTBOX_REPLIES_MAX);
	reply(f, "one-more", true);
	commit(f);

	assert_true(outbox_depth(f->outbox) >= OUTBOX_REPLIES_MAX);
}

static void a_reply_older_than_an_hour_is_not_sent(void **state)
{
	struct fixture *f = *state;

	reply(f, "old", true);
	f->age += OUTBOX_REPLY_AGE_MS;
	reply(f, "new", true);
	assert_string_equal(sent_through(f, 1), "old={} ");
	outbox_disconnected(f->outbox);
	f->age += 1;

	assert_string_equal(sent(f), "new={} ");
	assert_int_equal(outbox_dropped(f->outbox), 1);
}

static void event(struct fixture *f, const char *name)
{
	outbox_add_event(f->outbox, name, NULL, "{\"x\":1}", "5707e", 1760000000000);
}

static void events_are_numbered_and_written_as_the_contract_says(void **state)
{
	struct fixture *f = *state;

	event(f, "estop");

	assert_string_equal(
		sent(f), "event={\"seq\":1,\"store\":\"5707e\",\"ts\":"
			 "\"2025-10-09T08:53:20.000Z\",\"event\":\"estop\",\"id\":null,"
			 "\"data\":{\"x\":1}} ");
	assert_false(f->effects.first->retain);
}

static void at_most_sixteen_events_are_in_flight_in_order(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 40; i++)
		event(f, "e");
	sent(f);
	assert_int_equal(outbox_in_flight(f->outbox), 16);
	assert_string_equal(sent(f), "");
	ack(f, 1);

	assert_non_null(strstr(sent(f), "\"seq\":17,"));
}

static void events_in_flight_at_a_disconnect_are_sent_again_in_order(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		event(f, "e");
	sent(f);
	ack(f, 1);
	outbox_disconnected(f->outbox);
	outbox_connected(f->outbox);

	assert_null(strstr(sent(f), "\"seq\":1,"));
	assert_true(strstr(f->text, "\"seq\":2,") < strstr(f->text, "\"seq\":3,"));
	assert_non_null(strstr(f->text, "\"seq\":2,"));
}

/* The crash is between two acknowledgements that came out of order. */
static void an_event_is_done_only_when_all_before_it_are(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		event(f, "e");
	commit(f);
	sent(f);
	ack(f, 1);
	ack(f, 3);
	commit(f);
	crash(f);

	assert_non_null(strstr(sent(f), "\"seq\":2,"));
	assert_null(strstr(f->text, "\"seq\":1,"));
}

static void beyond_five_thousand_the_oldest_events_are_skipped(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5003; i++)
		event(f, "e");
	commit(f);

	assert_int_equal(outbox_depth(f->outbox), 5000);
	assert_int_equal(outbox_dropped(f->outbox), 3);
	assert_non_null(strstr(sent_through(f, 1), "\"seq\":4,"));
	assert_int_equal(outbox_last_seq(f->outbox), 5003);
}

static void a_redelivery_is_recognized_while_its_reply_is_unacknowledged(void **state)
{
	struct fixture *f = *state;
	struct outbox_reply r = {.topic = "r",
				 .payload = "{}",
				 .stored = true,
				 .packet = 17,
				 .message_hash = "hash"};

	outbox_add_reply(f->outbox, &r);
	commit(f);
	crash(f);
	assert_true(outbox_is_redelivery(f->outbox, 17, "hash"));
	assert_false(outbox_is_redelivery(f->outbox, 18, "hash"));
	assert_false(outbox_is_redelivery(f->outbox, 17, "other"));
	outbox_backlog_received(f->outbox, f->token + 1);
	outbox_broker_acknowledged(f->outbox, f->token + 2, f->now);
	sent(f);
	assert_true(outbox_is_redelivery(f->outbox, 17, "hash"));
	ack(f, f->token);

	assert_false(outbox_is_redelivery(f->outbox, 17, "hash"));
}

/* The reply may be acknowledged before the message it answers is redelivered. */
static void
a_redelivery_is_recognized_until_the_broker_has_every_acknowledgement(void **state)
{
	struct fixture *f = *state;
	struct outbox_reply r = {.topic = "r",
				 .payload = "{}",
				 .stored = true,
				 .packet = 17,
				 .message_hash = "hash"};

	outbox_add_reply(f->outbox, &r);
	commit(f);
	crash(f);
	outbox_connected(f->outbox);
	sent(f);
	ack(f, f->token);
	commit(f);
	assert_true(outbox_is_redelivery(f->outbox, 17, "hash"));
	outbox_disconnected(f->outbox);
	crash(f);
	assert_true(outbox_is_redelivery(f->outbox, 17, "hash"));
	outbox_connected(f->outbox);
	sent(f);
	ack(f, f->token);
	outbox_backlog_received(f->outbox, f->token);
	outbox_broker_acknowledged(f->outbox, f->token, f->now);
	assert_true(outbox_is_redelivery(f->outbox, 17, "hash"));
	outbox_broker_acknowledged(f->outbox, f->token + 1, f->now);
	commit(f);

	assert_false(outbox_is_redelivery(f->outbox, 17, "hash"));
	crash(f);
	assert_false(outbox_is_redelivery(f->outbox, 17, "hash"));
}

static void a_new_session_forgets_packet_ids(void **state)
{
	struct fixture *f = *state;
	struct outbox_reply r = {.topic = "r",
				 .payload = "{}",
				 .stored = true,
				 .packet = 17,
				 .message_hash = "hash"};

	outbox_add_reply(f->outbox, &r);
	commit(f);
	outbox_new_session(f->outbox);
	assert_false(outbox_is_redelivery(f->outbox, 17, "hash"));
	commit(f);
	crash(f);

	assert_false(outbox_is_redelivery(f->outbox, 17, "hash"));
	assert_string_equal(sent(f), "r={} ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_document_leaves_the_store_when_it_is_acknowledged, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			an_acknowledged_row_is_settled_after_a_second_at_the_latest,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_message_of_a_retained_topic_is_in_flight_and_the_last_value_wins,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_newer_version_keeps_its_row_when_the_older_is_acknowledged,
			setup, teardown),
		cmocka_unit_test_setup_teardown(a_clearing_replaces_the_document, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			messages_in_flight_at_a_disconnect_are_sent_first_again, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_window_of_messages_in_flight_is_respected, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_refused_message_waits_for_the_next_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(a_delayed_reply_is_sent_when_it_is_due,
						setup, teardown),
		cmocka_unit_test_setup_teardown(replies_to_reads_are_not_stored, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			replies_keep_their_correlation_over_a_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_thousand_replies_may_wait_beyond_that_the_oldest_is_dropped,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_bound_holds_after_a_restart_with_more_than_a_thousand_replies,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_reply_may_be_added_while_the_most_replies_are_in_flight, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_reply_older_than_an_hour_is_not_sent,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			events_are_numbered_and_written_as_the_contract_says, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			at_most_sixteen_events_are_in_flight_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			events_in_flight_at_a_disconnect_are_sent_again_in_order, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			an_event_is_done_only_when_all_before_it_are, setup, teardown),
		cmocka_unit_test_setup_teardown(
			beyond_five_thousand_the_oldest_events_are_skipped, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_redelivery_is_recognized_while_its_reply_is_unacknowledged,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_redelivery_is_recognized_until_the_broker_has_every_acknowledgement,
			setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_session_forgets_packet_ids, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
