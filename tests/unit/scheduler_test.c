/* Tests the rules of the queue alone: section 5 of the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "agent/core/scheduler.h"

#define NOON 1000
#define MOTOR 1
#define CAMERA 2

static int64_t arrivals;

static int open_scheduler(void **state)
{
	struct scheduler *s = calloc(1, sizeof(*s));

	s->max_concurrent = 3;
	s->blocking_threads = 2;
	*state = s;
	return 0;
}

static int close_scheduler(void **state)
{
	struct scheduler *s = *state;

	for (size_t i = 0; i < s->count; i++)
		task_free(s->live[i]);
	free(s);
	return 0;
}

static struct task *add(struct scheduler *s, const char *id)
{
	struct task *task = task_new();

	snprintf(task->id, sizeof(task->id), "%s", id);
	task->arrival = ++arrivals;
	assert_int_equal(scheduler_add(s, task), 0);
	return task;
}

static struct task *add_exclusive(struct scheduler *s, const char *id)
{
	struct task *task = add(s, id);

	task->is_exclusive = true;
	return task;
}

static struct task *add_using(struct scheduler *s, const char *id, uint64_t devices)
{
	struct task *task = add(s, id);

	task->claim = devices;
	return task;
}

static void end(struct scheduler *s, struct task *task)
{
	scheduler_remove(s, task);
	task_free(task);
}

/* Starts every task that may start; returns the ids, each followed by a space. */
static const char *started(struct scheduler *s)
{
	static char ids[512];
	static int64_t order;
	size_t used = 0;
	struct task *task;

	ids[0] = '\0';
	while ((task = scheduler_next(s, NOON))) {
		task->status = TASK_RUNNING;
		task->start_order = ++order;
		used += (size_t)snprintf(ids + used, sizeof(ids) - used, "%s ", task->id);
	}
	return ids;
}

static void priority_comes_before_arrival(void **state)
{
	struct scheduler *s = *state;

	s->max_concurrent = 9;
	add(s, "a");
	add(s, "b");
	add(s, "c")->priority = 1;
	add(s, "d")->priority = -1;
	scheduler_sort(s);

	assert_string_equal(started(s), "c a b d ");
}

static void adding_keeps_the_order(void **state)
{
	struct scheduler *s = *state;
	struct task *urgent = task_new();

	add(s, "a");
	add(s, "b");
	snprintf(urgent->id, sizeof(urgent->id), "urgent");
	urgent->priority = 5;
	urgent->arrival = ++arrivals;
	scheduler_add(s, urgent);

	assert_string_equal(started(s), "urgent a b ");
}

static void async_and_blocking_slots_are_counted_separately(void **state)
{
	struct scheduler *s = *state;

	for (int i = 0; i < 4; i++)
		add(s, "async");
	for (int i = 0; i < 3; i++)
		add(s, "block")->is_blocking = true;

	assert_string_equal(started(s), "async async async block block ");
}

static void a_paused_task_keeps_slot_and_devices(void **state)
{
	struct scheduler *s = *state;
	struct task *a;

	s->max_concurrent = 1;
	a = add_using(s, "a", MOTOR);
	assert_string_equal(started(s), "a ");
	a->status = TASK_PAUSED;
	add(s, "b");

	assert_string_equal(started(s), "");
	s->max_concurrent = 2;
	add_using(s, "c", MOTOR)->priority = 1;
	assert_string_equal(started(s), "b ");
}

static void two_tasks_never_share_a_device(void **state)
{
	struct scheduler *s = *state;
	struct task *first = add_using(s, "first", MOTOR | CAMERA);

	add_using(s, "second", CAMERA);
	add(s, "third");

	assert_string_equal(started(s), "first third ");
	end(s, first);
	assert_string_equal(started(s), "second ");
}

static void direct_commands_hold_devices_too(void **state)
{
	struct scheduler *s = *state;
	const struct task *holder;

	s->command_devices = MOTOR;
	add_using(s, "a", MOTOR);
	add_using(s, "b", CAMERA);

	assert_string_equal(started(s), "b ");
	assert_false(scheduler_devices_free(s, MOTOR, &holder));
	assert_null(holder);
	assert_false(scheduler_devices_free(s, CAMERA, &holder));
	assert_string_equal(holder->id, "b");
	assert_true(scheduler_devices_free(s, 4, &holder));
}

static void an_exclusive_task_runs_alone(void **state)
{
	struct scheduler *s = *state;
	struct task *x = add_exclusive(s, "x");

	add(s, "a");
	add(s, "b")->is_blocking = true;

	assert_string_equal(started(s), "x ");
	end(s, x);
	assert_string_equal(started(s), "a b ");
}

static void an_exclusive_task_that_may_run_holds_back_those_behind_it(void **state)
{
	struct scheduler *s = *state;
	struct task *a = add(s, "a");

	assert_string_equal(started(s), "a ");
	add_exclusive(s, "x");
	add(s, "b");
	add(s, "before")->priority = 1;
	scheduler_sort(s);

	assert_string_equal(started(s), "before ");
	end(s, a);
	assert_string_equal(started(s), "");
	end(s, scheduler_find(s, "before"));
	assert_string_equal(started(s), "x ");
}

static void a_task_that_cannot_run_yet_does_not_block_the_queue(void **state)
{
	struct scheduler *s = *state;

	add_exclusive(s, "waits")->after_open = 1;
	add_exclusive(s, "delayed")->not_before = NOON + 1;
	add(s, "a");

	assert_string_equal(started(s), "a ");
}

static void a_cancelled_exclusive_task_does_not_block_the_queue(void **state)
{
	struct scheduler *s = *state;
	struct task *x;

	add(s, "a");
	assert_string_equal(started(s), "a ");
	x = add_exclusive(s, "x");
	add(s, "b");
	assert_string_equal(started(s), "");
	end(s, x);

	assert_string_equal(started(s), "b ");
}

static void a_retry_starts_when_its_delay_has_passed(void **state)
{
	struct scheduler *s = *state;

	add(s, "late")->not_before = NOON + 50;
	add(s, "later")->not_before = NOON + 70;

	assert_null(scheduler_next(s, NOON));
	assert_int_equal(scheduler_wake(s, NOON), NOON + 50);
	assert_non_null(scheduler_next(s, NOON + 50));
	assert_int_equal(scheduler_wake(s, NOON + 60), NOON + 70);
	assert_int_equal(scheduler_wake(s, NOON + 70), -1);
}

static void a_paused_queue_starts_nothing(void **state)
{
	struct scheduler *s = *state;

	add(s, "a");
	s->paused = true;

	assert_string_equal(started(s), "");
}

static void draining_starts_only_what_has_run_before(void **state)
{
	struct scheduler *s = *state;

	add_exclusive(s, "new");
	add(s, "again")->requeued = true;
	s->draining = true;

	assert_false(scheduler_idle(s));
	assert_string_equal(started(s), "again ");
	scheduler_find(s, "again")->requeued = false;
	assert_false(scheduler_idle(s));
	end(s, scheduler_find(s, "again"));
	assert_true(scheduler_idle(s));
}

static void positions_are_counted_among_pending_tasks(void **state)
{
	struct scheduler *s = *state;
	struct task *a = add(s, "a"), *b, *c;

	assert_string_equal(started(s), "a ");
	s->paused = true;
	b = add(s, "b");
	c = add(s, "c");

	assert_int_equal(scheduler_position(s, a), -1);
	assert_int_equal(scheduler_position(s, b), 0);
	assert_int_equal(scheduler_position(s, c), 1);
}

static void the_current_task_is_exclusive_or_the_last_started(void **state)
{
	struct scheduler *s = *state;
	struct task *x;

	assert_null(scheduler_current(s));
	add(s, "a")->priority = -5;
	assert_string_equal(started(s), "a ");
	add(s, "b");
	assert_string_equal(started(s), "b ");
	assert_string_equal(scheduler_current(s)->id, "b");
	x = add_exclusive(s, "x");
	x->status = TASK_PAUSED;

	assert_string_equal(scheduler_current(s)->id, "x");
}

static void the_scheduler_holds_at_most_256_tasks(void **state)
{
	struct scheduler *s = *state;
	struct task *one_more = task_new();

	for (int i = 0; i < SCHEDULER_LIVE_MAX; i++)
		add(s, "t");

	assert_true(scheduler_add(s, one_more) < 0);
	end(s, s->live[17]);
	assert_int_equal(scheduler_add(s, one_more), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(priority_comes_before_arrival,
						open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(adding_keeps_the_order, open_scheduler,
						close_scheduler),
		cmocka_unit_test_setup_teardown(
			async_and_blocking_slots_are_counted_separately, open_scheduler,
			close_scheduler),
		cmocka_unit_test_setup_teardown(a_paused_task_keeps_slot_and_devices,
						open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(two_tasks_never_share_a_device,
						open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(direct_commands_hold_devices_too,
						open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(an_exclusive_task_runs_alone,
						open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(
			an_exclusive_task_that_may_run_holds_back_those_behind_it,
			open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(
			a_task_that_cannot_run_yet_does_not_block_the_queue,
			open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(
			a_cancelled_exclusive_task_does_not_block_the_queue,
			open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(a_retry_starts_when_its_delay_has_passed,
						open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(a_paused_queue_starts_nothing,
						open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(draining_starts_only_what_has_run_before,
						open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(positions_are_counted_among_pending_tasks,
						open_scheduler, close_scheduler),
		cmocka_unit_test_setup_teardown(
			the_current_task_is_exclusive_or_the_last_started, open_scheduler,
			close_scheduler),
		cmocka_unit_test_setup_teardown(the_scheduler_holds_at_most_256_tasks,
						open_scheduler, close_scheduler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
