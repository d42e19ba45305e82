/* Tests the timing of step pulses with a simulated clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "hal/motion.h"

#define AXES 3
#define PULSES 20000
#define LATE_SHARE 10 /* motion.h: up to a tenth of an interval is jitter */

/* ---- a world whose clock the test turns ---- */

struct trace {
	int64_t at[PULSES];  /* when each pulse came */
	int64_t due[PULSES]; /* when it was due */
	size_t count;
};

struct world {
	int64_t now, due;
	struct trace traces[AXES];

	unsigned random;
	unsigned late_one_in; /* 0: never late */
	int64_t late_most_ns;
	unsigned sending_most_ns; /* how long sending a pulse takes */
	size_t late_pulse;	  /* this pulse of axis 0 comes late_ns late; 0: none */
	int64_t late_ns;

	int64_t rest_at, stop_at; /* 0: never */
	int64_t rest_seen;	  /* when a rest was first requested */

	size_t action_axis, action_at; /* after so many pulses of that axis */
	int action;
};

static unsigned world_random(struct world *world, unsigned below)
{
	world->random = world->random * 1664525u + 1013904223u;
	return (world->random >> 8) % below;
}

static int64_t world_now(void *context)
{
	struct world *world = context;

	return world->now;
}

static int64_t world_wait_until(void *context, int64_t due_ns)
{
	struct world *world = context;

	world->due = due_ns;
	if (world->rest_at && !world->rest_seen && world->rest_at < due_ns) {
		if (world->now < world->rest_at)
			world->now = world->rest_at;
		return world->now < due_ns ? world->now : due_ns;
	}
	if (world->now < due_ns)
		world->now = due_ns;
	if (world->late_one_in && world_random(world, world->late_one_in) == 0)
		world->now += world_random(world, (unsigned)world->late_most_ns);
	if (world->late_pulse && world->traces[0].count == world->late_pulse)
		world->now += world->late_ns;
	return world->now;
}

static enum motion_request world_request(void *context)
{
	struct world *world = context;

	if (world->stop_at && world->now >= world->stop_at)
		return MOTION_STOP;
	if (!world->rest_at || world->now < world->rest_at)
		return MOTION_RUN;
	if (!world->rest_seen)
		world->rest_seen = world->now;
	return MOTION_REST;
}

static int world_pulse(void *context, size_t axis, int64_t *sent_ns)
{
	struct world *world = context;
	struct trace *trace = &world->traces[axis];

	assert_true(trace->count < PULSES);
	if (world->sending_most_ns)
		world->now += world_random(world, world->sending_most_ns);
	*sent_ns = world->now;
	trace->due[trace->count] = world->due;
	trace->at[trace->count++] = world->now;
	if (world->action && world->action_axis == axis &&
	    trace->count == world->action_at)
		return world->action;
	return MOTION_GO;
}

static struct motion_axis axis_of(int64_t steps, double acceleration, double max_speed)
{
	return (struct motion_axis){
		.limits = {.max_speed = max_speed, .acceleration = acceleration},
		.steps = steps,
	};
}

static int run(struct world *world, struct motion_axis *axes, size_t n)
{
	struct motion motion = {
		.now = world_now,
		.wait_until = world_wait_until,
		.clock = world,
	};
	struct motion_move move = {
		.axes = axes,
		.n = n,
		.request = world_request,
		.pulse = world_pulse,
		.context = world,
	};

	motion_add(&motion, &move);
	while (!motion_send_next(&motion))
		;
	return move.result;
}

/* Times of the pulses of one axis alone, in seconds from its start. */
static struct world *run_one(int64_t steps, double acceleration, double max_speed)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axis = axis_of(steps, acceleration, max_speed);

	assert_int_equal(run(world, &axis, 1), 0);
	assert_int_equal(axis.done, steps);
	return world;
}

static void assert_near(double value, double wanted)
{
	if (fabs(value - wanted) > 1e-6)
		fail_msg("%.9f is not %.9f", value, wanted);
}

static double pulse_s(const struct world *world, size_t i)
{
	return (double)world->traces[0].at[i] / 1e9;
}

/* ---- conditions for every trace ---- */

static void assert_never_too_fast(const struct trace *trace,
				  const struct motion_axis *axis)
{
	double shortest = 1e9 / axis->limits.max_speed;

	for (size_t i = 1; i < trace->count; i++)
		assert_true((double)(trace->at[i] - trace->at[i - 1]) >= shortest - 1e-6);
}

static bool was_late(const struct trace *trace, size_t i)
{
	int64_t before = i ? trace->at[i - 1] : 0;

	return trace->at[i] - trace->due[i] > (trace->due[i] - before) / LATE_SHARE;
}

/* The interval before pulse i as the rotor experienced it: jitter does not change its
 * speed. */
static double interval_s(const struct trace *trace, size_t i)
{
	int64_t end = was_late(trace, i) ? trace->at[i] : trace->due[i];

	return (double)(end - trace->at[i - 1]) / 1e9;
}

static void assert_within_acceleration(const struct trace *trace,
				       const struct motion_axis *axis)
{
	double a = axis->limits.acceleration;

	for (size_t i = 2; i < trace->count; i++) {
		double before = interval_s(trace, i - 1);
		double after = interval_s(trace, i);
		double change = 1 / after - 1 / before;
		double allowed = a * (before + after) / 2;
		/* Pulses come in whole nanoseconds. */
		double rounding =
			4e-9 / (after * after) + 4e-9 / (before * before) + 1e-6;

		/* The outside world may delay a rotor, motion.c may not. */
		if (was_late(trace, i) && change < 0)
			continue;
		if (fabs(change) > allowed + rounding)
			fail_msg("pulse %zu: speed changes by %f, allowed are %f", i,
				 change, allowed);
	}
}

static void assert_good(const struct world *world, const struct motion_axis *axes,
			size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(world->traces[i].count, axes[i].done);
		assert_never_too_fast(&world->traces[i], &axes[i]);
		assert_within_acceleration(&world->traces[i], &axes[i]);
	}
}

/* ---- tests ---- */

static void moves_take_the_computed_times(void **state)
{
	static const struct {
		int64_t steps;
		double acceleration, max_speed, seconds;
	} moves[] = {
		{10666, 20000, 5000, 2.3832}, {1600, 5000, 5000, 1.131371},
		{88, 5000, 5000, 0.265330},   {2, 10000, 5000, 0.028284},
		{2560, 10000, 5000, 1.012},   {6000, 5000, 5000, 2.2},
		{0, 10000, 5000, 0},
	};

	(void)state;

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		struct motion_limits limits = {moves[i].max_speed, moves[i].acceleration};
		struct world *world =
			run_one(moves[i].steps, limits.acceleration, limits.max_speed);

		assert_near(motion_seconds(moves[i].steps, &limits), moves[i].seconds);
		assert_near((double)world->now / 1e9, moves[i].seconds);
		free(world);
	}
}

static void pulses_come_at_the_computed_times(void **state)
{
	static const double ten[] = {.01,      .01414214, .01732051, .02,      .02236068,
				     .0247213, .02740084, .03057922, .0347213, .04472136};
	struct world *world;

	(void)state;

	world = run_one(10, 20000, 5000);
	for (size_t i = 0; i < 10; i++)
		assert_near(pulse_s(world, i), ten[i]);
	free(world);

	world = run_one(2, 20000, 5000);
	assert_near(pulse_s(world, 0), .01);
	assert_near(pulse_s(world, 1), .02);
	free(world);

	world = run_one(1600, 5000, 5000);
	assert_near(pulse_s(world, 0), .02);
	assert_near(pulse_s(world, 1), .028284271);
	assert_near(pulse_s(world, 1597), 1.103087);
	assert_near(pulse_s(world, 1598), 1.111371);
	assert_near(pulse_s(world, 1599), 1.131371);
	free(world);

	world = run_one(6000, 5000, 5000);
	assert_near(pulse_s(world, 5997), 2.171716);
	assert_near(pulse_s(world, 5998), 2.18);
	assert_near(pulse_s(world, 5999), 2.2);
	free(world);
}

static void one_step_is_one_pulse(void **state)
{
	struct world *world;

	(void)state;

	world = run_one(1, 20000, 5000);

	assert_int_equal(world->traces[0].count, 1);
	assert_near(pulse_s(world, 0), 2 * sqrt(1.0 / 20000));
	free(world);
}

static void an_odd_short_move_has_no_spike(void **state)
{
	struct world *world;

	(void)state;

	world = run_one(3, 20000, 5000);

	assert_near(pulse_s(world, 0), .01);
	assert_near(pulse_s(world, 1), .01449490);
	assert_near(pulse_s(world, 2), .02449490);
	free(world);
}

static void two_axes_share_one_timeline(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axes[] = {axis_of(1000, 20000, 5000), axis_of(300, 5000, 800)};

	(void)state;

	assert_int_equal(run(world, axes, 2), 0);

	assert_int_equal(axes[0].done, 1000);
	assert_int_equal(axes[1].done, 300);
	assert_near((double)world->traces[0].at[999] / 1e9,
		    motion_seconds(1000, &axes[0].limits));
	assert_near((double)world->traces[1].at[299] / 1e9,
		    motion_seconds(300, &axes[1].limits));
	free(world);
}

static void a_cancelled_move_brakes_along_its_profile(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axis = axis_of(10000, 20000, 5000);
	double stopped_s;

	(void)state;
	world->rest_at = 1000000000; /* at full speed */

	assert_int_equal(run(world, &axis, 1), -EINTR);

	stopped_s = (double)(world->now - world->rest_seen) / 1e9;
	assert_true(axis.done < 10000);
	/* 5000 steps/s at 20000 steps/s^2: 625 steps in a quarter of a second. */
	assert_true(axis.done >= 625 + 4375 && axis.done <= 625 + 4376);
	assert_true(stopped_s > .23 && stopped_s <= .25);
	assert_good(world, &axis, 1);
	free(world);
}

static void braking_near_the_end_still_arrives(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axis = axis_of(1000, 20000, 5000);

	(void)state;
	world->rest_at = 300000000; /* the move takes 0.447 s and slows down already */

	assert_int_equal(run(world, &axis, 1), 0);

	assert_int_equal(axis.done, 1000);
	free(world);
}

static void a_stop_ends_the_pulses_at_once(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axis = axis_of(10000, 20000, 5000);

	(void)state;
	world->stop_at = 1000000000;

	assert_int_equal(run(world, &axis, 1), -ECANCELED);

	assert_int_equal(world->traces[0].count, axis.done);
	assert_true(world->now - world->stop_at <= 200000);
	free(world);
}

static void one_axis_can_end_while_another_moves(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axes[] = {axis_of(4000, 20000, 5000),
				     axis_of(400, 20000, 150)};

	(void)state;
	world->action = MOTION_HALT;
	world->action_axis = 1;
	world->action_at = 17;

	assert_int_equal(run(world, axes, 2), 0);

	assert_int_equal(axes[0].done, 4000);
	assert_int_equal(axes[1].done, 17);
	free(world);
}

static void braking_one_axis_leaves_the_others_alone(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axes[] = {axis_of(4000, 20000, 5000),
				     axis_of(4000, 20000, 1000)};

	(void)state;
	world->action = MOTION_BRAKE;
	world->action_axis = 1;
	world->action_at = 500;

	assert_int_equal(run(world, axes, 2), 0);

	assert_int_equal(axes[0].done, 4000);
	assert_int_equal(axes[1].done, 500 + 25); /* 1000^2 / (2 * 20000) */
	assert_good(world, axes, 2);
	free(world);
}

static void a_fault_ends_all_pulses(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axis = axis_of(100, 20000, 5000);

	(void)state;
	world->action = -EIO;
	world->action_at = 10;

	assert_int_equal(run(world, &axis, 1), -EIO);

	assert_int_equal(world->traces[0].count, 10);
	free(world);
}

static void a_late_pulse_is_never_caught_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axis = axis_of(10000, 20000, 5000);

	(void)state;
	world->random = 7;
	world->late_one_in = 500;
	world->late_most_ns = 50000000;

	assert_int_equal(run(world, &axis, 1), 0);

	assert_int_equal(axis.done, 10000);
	assert_true((double)world->now / 1e9 > motion_seconds(10000, &axis.limits) + .1);
	assert_good(world, &axis, 1);
	free(world);
}

static void an_axis_that_was_held_up_accelerates_from_rest(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axis = axis_of(10000, 20000, 5000);
	const struct trace *trace = &world->traces[0];

	(void)state;
	world->late_pulse = 5000;
	world->late_ns = 500000000;

	assert_int_equal(run(world, &axis, 1), 0);

	assert_true(trace->at[5000] - trace->at[4999] > 500000000);
	/* From one step after rest: sqrt(2 a) = 200 steps/s. */
	assert_true(trace->at[5001] - trace->at[5000] > 4000000);
	assert_good(world, &axis, 1);
	free(world);
}

static void a_late_pulse_while_braking_only_stops_sooner(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct motion_axis axis = axis_of(10000, 20000, 5000);

	(void)state;
	world->rest_at = 1000000000; /* 4375 steps gone, 625 until rest */
	world->late_pulse = 4500;
	world->late_ns = 500000000;

	assert_int_equal(run(world, &axis, 1), -EINTR);

	assert_int_equal(axis.done, 4502);
	assert_good(world, &axis, 1);
	free(world);
}

/* Any limits that a config may have, any length, any lateness, braking at any time. */
static void random_moves_stay_within_every_limit(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	unsigned random = 20260101;

	(void)state;

	for (int round = 0; round < 4000; round++) {
		struct motion_axis axes[AXES];
		size_t n;
		int ret;

		for (size_t i = 0; i < AXES; i++)
			world->traces[i].count = 0;
		world->now = 0;
		world->rest_seen = 0;
		world->random = random;
		n = 1 + world_random(world, AXES);
		for (size_t i = 0; i < n; i++) {
			int64_t steps = world_random(world, round % 4 ? 60 : 3000);
			double acceleration = 1000 + world_random(world, 79001);
			double max_speed = 1 + world_random(world, 750000) / 100.0;

			axes[i] = axis_of(steps, acceleration, max_speed);
		}
		world->late_one_in = round % 3 ? 0 : 1 + world_random(world, 50);
		world->late_most_ns =
			1 + world_random(world, round % 2 ? 30000000 : 60000);
		world->sending_most_ns =
			round % 7 ? 0 : 1 + world_random(world, 20000000);
		world->rest_at = round % 5 < 2 ? 1 + world_random(world, 400000000) : 0;
		random = world->random;

		ret = run(world, axes, n);

		assert_true(ret == 0 || (ret == -EINTR && world->rest_at));
		assert_good(world, axes, n);
		for (size_t i = 0; i < n; i++)
			if (ret == 0)
				assert_int_equal(axes[i].done, axes[i].steps);
	}
	free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_take_the_computed_times),
		cmocka_unit_test(pulses_come_at_the_computed_times),
		cmocka_unit_test(one_step_is_one_pulse),
		cmocka_unit_test(an_odd_short_move_has_no_spike),
		cmocka_unit_test(two_axes_share_one_timeline),
		cmocka_unit_test(a_cancelled_move_brakes_along_its_profile),
		cmocka_unit_test(braking_near_the_end_still_arrives),
		cmocka_unit_test(a_stop_ends_the_pulses_at_once),
		cmocka_unit_test(one_axis_can_end_while_another_moves),
		cmocka_unit_test(braking_one_axis_leaves_the_others_alone),
		cmocka_unit_test(a_fault_ends_all_pulses),
		cmocka_unit_test(a_late_pulse_is_never_caught_up),
		cmocka_unit_test(an_axis_that_was_held_up_accelerates_from_rest),
		cmocka_unit_test(a_late_pulse_while_braking_only_stops_sooner),
		cmocka_unit_test(random_moves_stay_within_every_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
