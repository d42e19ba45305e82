/* Tests the workers with real threads, test types, and a mailbox that the test
 * empties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/workers/completion.h"
#include "agent/workers/workers.h"

#define PATIENCE_MS 20000

struct fixture {
	struct mailbox *mailbox;
	struct workers *workers;
	struct event *kept; /* taken, not asked for yet */
	uint64_t runs;
};

/* ---- types ---- */

static int gates_until_stopped(const struct task_type *type, const struct task_host *host,
			       struct task_run *run, const char *args)
{
	int ret;

	(void)type;
	(void)args;
	host->progress(run, 1, 2, "at work");
	while ((ret = host->gate(run)) == 0)
		host->sleep(run, 5);
	return ret;
}

static int sleeps_long(const struct task_type *type, const struct task_host *host,
		       struct task_run *run, const char *args)
{
	(void)type;
	(void)args;
	host->log(run, TASK_LOG_INFO, "good night");
	return host->sleep(run, 3600 * 1000);
}

static int tells_all(const struct task_type *type, const struct task_host *host,
		     struct task_run *run, const char *args)
{
	(void)type;
	if (strcmp(host->id(run), "cup") != 0 || host->attempt(run) != 3 ||
	    strcmp(host->saved(run), "41") != 0 || host->begin(run) != 0)
		return host->fail_with(run, "internal", "the run does not know itself");
	host->progress(run, 1, 3, "one");
	host->progress(run, 2, 3, NULL);
	host->checkpoint(run, "42");
	host->event(run, "scan.photo", "{\"done\":1}");
	host->result(run, "\"first\"");
	host->result(run, args);
	return 0;
}

static int explains(const struct task_type *type, const struct task_host *host,
		    struct task_run *run, const char *args)
{
	(void)type;
	(void)args;
	return host->fail_with(run, "hardware_fault", "the endstop did not open");
}

static int breaks(const struct task_type *type, const struct task_host *host,
		  struct task_run *run, const char *args)
{
	(void)type;
	(void)host;
	(void)run;
	(void)args;
	return -EIO;
}

static int talks_nonsense(const struct task_type *type, const struct task_host *host,
			  struct task_run *run, const char *args)
{
	(void)type;
	(void)args;
	host->result(run, "{nonsense");
	return 0;
}

static int floods(const struct task_type *type, const struct task_host *host,
		  struct task_run *run, const char *args)
{
	(void)type;
	(void)args;
	for (int i = 0; i < 1000; i++) {
		host->log(run, TASK_LOG_INFO, "a line");
		host->progress(run, i, 1000, "a step");
	}
	return 0;
}

static int ends_at_once(const struct task_type *type, const struct task_host *host,
			struct task_run *run, const char *args)
{
	(void)type;
	(void)host;
	(void)run;
	(void)args;
	return 0;
}

/* NOLINTBEGIN(bugprone-macro-parentheses): names, not values */
#define TYPE(function)                                                                   \
	static const struct task_type type_##function = {.name = #function,              \
							 .run = function};               \
	static const struct registered_type function##_task = {.type = &type_##function}
/* NOLINTEND(bugprone-macro-parentheses) */
TYPE(gates_until_stopped);
TYPE(sleeps_long);
TYPE(tells_all);
TYPE(explains);
TYPE(breaks);
TYPE(talks_nonsense);
TYPE(floods);
TYPE(ends_at_once);

/* ---- the loop's part ---- */

static int open_workers(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err;

	log_set_level(LOG_LEVEL_ERROR);
	if (mailbox_open(&f->mailbox, &err) < 0 ||
	    workers_open(&f->workers, f->mailbox, NULL, NULL, &err) < 0)
		return -1;
	*state = f;
	return 0;
}

static int close_workers(void **state)
{
	struct fixture *f = *state;

	if (!workers_close(f->workers, PATIENCE_MS))
		return -1;
	while (f->kept) {
		struct event *event = f->kept;

		f->kept = event->next;
		event_free(event);
	}
	mailbox_close(f->mailbox);
	free(f);
	return 0;
}

static uint64_t start(struct fixture *f, const struct registered_type *type,
		      const char *args)
{
	struct run_params params = {.run = ++f->runs,
				    .type = type,
				    .task = "cup",
				    .args = args,
				    .saved = "41",
				    .attempt = 3};

	workers_start(f->workers, &params);
	return params.run;
}

static void take(struct fixture *f)
{
	struct pollfd fd = {.fd = mailbox_fd(f->mailbox), .events = POLLIN};
	struct event **end = &f->kept;

	if (poll(&fd, 1, PATIENCE_MS) != 1)
		fail_msg("nothing came from the workers");
	while (*end)
		end = &(*end)->next;
	*end = mailbox_take(f->mailbox, 64);
	for (struct event *event = *end; event; event = event->next) {
		workers_take_event(f->workers, event);
		/* As after a commit. */
		if (event->completion)
			completion_complete(event->completion);
	}
}

/* The next event of that kind and run, waited for; the caller frees it. */
static struct event *next(struct fixture *f, uint64_t run, enum event_kind kind)
{
	for (;;) {
		for (struct event **place = &f->kept; *place; place = &(*place)->next) {
			struct event *event = *place;

			if (event->run != run || event->kind != kind)
				continue;
			*place = event->next;
			return event;
		}
		take(f);
	}
}

static void expect(struct fixture *f, uint64_t run, enum event_kind kind)
{
	event_free(next(f, run, kind));
}

static void expect_outcome(struct fixture *f, uint64_t run, enum outcome outcome,
			   const char *code)
{
	struct event *event = next(f, run, EVENT_FINISHED);

	assert_int_equal(event->outcome, outcome);
	assert_string_equal(event->code, code);
	event_free(event);
}

/* ---- tests ---- */

static void a_run_posts_its_events_in_order(void **state)
{
	struct fixture *f = *state;
	uint64_t run = start(f, &tells_all_task, "{\"n\":1}");
	struct event *event;

	expect(f, run, EVENT_BEGIN);
	event = next(f, run, EVENT_CHECKPOINT);
	assert_string_equal(event->text, "42");
	event_free(event);
	event = next(f, run, EVENT_EMIT);
	assert_string_equal(event->topic, "scan.photo");
	event_free(event);
	event = next(f, run, EVENT_FINISHED);
	assert_int_equal(event->outcome, OUTCOME_DONE);
	assert_string_equal(event->data, "{\"n\":1}");
	event_free(event);
}

static void only_the_newest_progress_is_posted(void **state)
{
	struct fixture *f = *state;
	uint64_t run = start(f, &floods_task, "{}");
	struct pollfd fd = {.fd = mailbox_fd(f->mailbox), .events = POLLIN};
	struct event *event;
	int steps = 0;

	assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
	event = next(f, run, EVENT_FINISHED);
	event_free(event);
	for (event = f->kept; event; event = event->next)
		steps += event->kind == EVENT_PROGRESS;

	assert_in_range(steps, 1, 999);
}

static void a_flood_of_lines_is_cut_and_counted(void **state)
{
	struct fixture *f = *state;
	struct event *event, *list;
	int lines = 0;

	start(f, &floods_task, "{}");
	/* Nothing is taken: this much waits, and no more. */
	for (int64_t deadline = clock_monotonic_ms() + PATIENCE_MS;;) {
		list = mailbox_take(f->mailbox, 100000);
		while ((event = list)) {
			bool over = event->kind == EVENT_FINISHED;

			list = event->next;
			event->next = NULL;
			lines += event->kind == EVENT_LOG;
			if (over)
				workers_take_event(f->workers, event);
			event_free(event);
			if (over)
				goto out;
		}
		if (clock_monotonic_ms() > deadline)
			fail_msg("the run did not end");
	}
out:
	assert_int_equal(lines, 64);
}

static void a_pause_parks_the_run_at_its_gate_until_it_is_resumed(void **state)
{
	struct fixture *f = *state;
	uint64_t run = start(f, &gates_until_stopped_task, "{}");

	expect(f, run, EVENT_PROGRESS);
	workers_pause(f->workers, run);
	expect(f, run, EVENT_PARKED);

	/* Whether or not it has left the gate in between, a new pause is reported
	 * again. */
	for (int i = 0; i < 50; i++) {
		workers_resume(f->workers, run);
		workers_pause(f->workers, run);
		expect(f, run, EVENT_PARKED);
	}

	workers_stop(f->workers, run, false);
	expect_outcome(f, run, OUTCOME_STOPPED, "");
}

static void a_sleep_ends_early_for_a_stop_and_continues_after_a_pause(void **state)
{
	struct fixture *f = *state;
	uint64_t run = start(f, &sleeps_long_task, "{}");
	struct event *event = next(f, run, EVENT_LOG);

	assert_string_equal(event->text, "good night");
	event_free(event);
	workers_pause(f->workers, run);
	expect(f, run, EVENT_PARKED);
	workers_resume(f->workers, run);

	workers_stop(f->workers, run, false);

	expect_outcome(f, run, OUTCOME_STOPPED, "");
}

static void a_stop_before_the_run_has_a_thread_is_not_lost(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		uint64_t run = start(f, &gates_until_stopped_task, "{}");

		workers_stop(f->workers, run, false);
		expect_outcome(f, run, OUTCOME_STOPPED, "");
	}
}

static void a_failure_keeps_its_code_and_sentence(void **state)
{
	struct fixture *f = *state;
	struct event *event = next(f, start(f, &explains_task, "{}"), EVENT_FINISHED);

	assert_int_equal(event->outcome, OUTCOME_FAILED);
	assert_string_equal(event->code, "hardware_fault");
	assert_string_equal(event->text, "the endstop did not open");
	event_free(event);
	expect_outcome(f, start(f, &breaks_task, "{}"), OUTCOME_FAILED, "task_failed");
	expect_outcome(f, start(f, &talks_nonsense_task, "{}"), OUTCOME_FAILED,
		       "internal");
}

/* All that are started run, however many idle threads there are. */
static void every_run_has_its_own_thread(void **state)
{
	struct fixture *f = *state;
	uint64_t runs[6];

	/* Leaves about one thread without work. */
	expect_outcome(f, start(f, &ends_at_once_task, "{}"), OUTCOME_DONE, "");
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 6; i++)
			runs[i] = start(f, &gates_until_stopped_task, "{}");
		for (int i = 0; i < 6; i++)
			expect(f, runs[i], EVENT_PROGRESS);
		for (int i = 0; i < 6; i++)
			workers_stop(f->workers, runs[i], false);
		for (int i = 0; i < 6; i++)
			expect_outcome(f, runs[i], OUTCOME_STOPPED, "");
	}
}

static void requests_to_an_ended_run_are_ignored(void **state)
{
	struct fixture *f = *state;
	uint64_t run = start(f, &ends_at_once_task, "{}");

	expect_outcome(f, run, OUTCOME_DONE, "");

	workers_pause(f->workers, run);
	workers_stop(f->workers, run, true);
	workers_resume(f->workers, run);
}

static void closing_stops_every_run_even_one_without_a_thread(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 8; i++)
		start(f, &sleeps_long_task, "{}");

	assert_true(workers_close(f->workers, PATIENCE_MS));

	struct err err;
	assert_int_equal(workers_open(&f->workers, f->mailbox, NULL, NULL, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_run_posts_its_events_in_order,
						open_workers, close_workers),
		cmocka_unit_test_setup_teardown(only_the_newest_progress_is_posted,
						open_workers, close_workers),
		cmocka_unit_test_setup_teardown(a_flood_of_lines_is_cut_and_counted,
						open_workers, close_workers),
		cmocka_unit_test_setup_teardown(
			a_pause_parks_the_run_at_its_gate_until_it_is_resumed,
			open_workers, close_workers),
		cmocka_unit_test_setup_teardown(
			a_sleep_ends_early_for_a_stop_and_continues_after_a_pause,
			open_workers, close_workers),
		cmocka_unit_test_setup_teardown(
			a_stop_before_the_run_has_a_thread_is_not_lost, open_workers,
			close_workers),
		cmocka_unit_test_setup_teardown(a_failure_keeps_its_code_and_sentence,
						open_workers, close_workers),
		cmocka_unit_test_setup_teardown(every_run_has_its_own_thread,
						open_workers, close_workers),
		cmocka_unit_test_setup_teardown(requests_to_an_ended_run_are_ignored,
						open_workers, close_workers),
		cmocka_unit_test_setup_teardown(
			closing_stops_every_run_even_one_without_a_thread, open_workers,
			close_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
