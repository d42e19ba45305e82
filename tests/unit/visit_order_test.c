/* Tests the order in which points are visited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tasks/capture/visit_order.h"

static void assert_near(double value, double expected, double tolerance)
{
	if (fabs(value - expected) > tolerance)
		fail_msg("%.9g is not %.9g", value, expected);
}

static const struct visit_order_axes mini_green = {
	{42667 / 360., 5000, 20000, false}, {3200 / 360., 5000, 5000, true}, 90, 90};
static const struct visit_order_axes mini_black = {
	{10240 / 360., 5000, 10000, false}, {800 / 360., 5000, 10000, true}, 90, 90};
static const struct visit_order_axes midi_black = {
	{61440 / 360., 5000, 10000, false}, {3200 / 360., 5000, 10000, true}, 90, 90};
static const struct visit_order_axes classic = {
	{17067 / 360., 5000, 20000, false}, {3200 / 360., 5000, 5000, true}, 90, 90};

static struct path_point points[PATH_MAX_POINTS];

static void make_path(int n)
{
	struct path_range range = {12, 125, 0, 360};

	assert_int_equal(path_fibonacci(&range, n, points, NULL), n);
}

static double sorted_seconds(const struct visit_order_axes *axes, enum visit_order order,
			     int n)
{
	make_path(n);
	assert_int_equal(visit_order_sort(axes, order, points, (size_t)n, NULL), 0);
	return visit_order_seconds(axes, points, (size_t)n);
}

static void assert_first(const int *expected, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(points[i].index, expected[i]);
}

static void assert_complete(int n)
{
	bool seen[PATH_MAX_POINTS] = {false};

	for (int i = 0; i < n; i++) {
		assert_false(seen[points[i].index]);
		seen[points[i].index] = true;
	}
}

static double turn(double degrees, double steps, double acceleration)
{
	struct visit_order_axis axis = {steps / 360, 5000, acceleration, false};

	return visit_order_axis_seconds(&axis, 0, degrees);
}

static void an_axis_takes_the_time_of_its_ramp(void **state)
{
	(void)state;

	assert_near(turn(90, 42667, 20000), 2.3832, 1e-6);
	assert_near(turn(180, 3200, 5000), 1.131371, 1e-6);
	assert_near(turn(10, 3200, 5000), 0.265330, 1e-6);
	assert_near(turn(1, 800, 10000), 0.028284, 1e-6);
	assert_near(turn(0.1, 800, 10000), 0, 1e-6);
	assert_near(turn(90, 10240, 10000), 1.012, 1e-6);
}

static void an_endless_axis_goes_the_shorter_way(void **state)
{
	struct visit_order_axis table = {3200 / 360., 5000, 5000, true};

	(void)state;

	assert_near(visit_order_axis_seconds(&table, 350, 0),
		    visit_order_axis_seconds(&table, 0, 10), 1e-9);
}

static void nearest_neighbor_visits_in_the_order_of_the_original(void **state)
{
	static const int green[] = {2, 0, 1, 3, 5, 7, 6, 4, 8, 9};
	static const int black[] = {4, 3, 2, 1, 0, 5, 6, 7, 8, 9};
	static const int wide[] = {2, 5, 8, 6, 3, 0, 7, 4, 1, 9};

	(void)state;

	assert_near(sorted_seconds(&mini_green, VISIT_ORDER_NEAREST, 10), 8.784448, 1e-5);
	assert_first(green, 10);
	assert_near(sorted_seconds(&mini_black, VISIT_ORDER_NEAREST, 10), 4.091237, 1e-5);
	assert_first(black, 10);
	assert_near(sorted_seconds(&midi_black, VISIT_ORDER_NEAREST, 10), 10.385503,
		    1e-5);
	assert_first(black, 10);
	assert_near(sorted_seconds(&classic, VISIT_ORDER_NEAREST, 10), 6.962136, 1e-5);
	assert_first(wide, 10);
}

static void nearest_neighbor_of_130_points_takes_the_time_of_the_original(void **state)
{
	static const int green[] = {49, 41, 33, 25, 17, 9, 1, 6};
	static const int black[] = {49, 44, 39, 34, 29};
	static const int wide[] = {57, 44, 31, 18, 5, 13};

	(void)state;

	assert_near(sorted_seconds(&mini_green, VISIT_ORDER_NEAREST, 130), 54.260, 1e-3);
	assert_first(green, 8);
	assert_near(sorted_seconds(&mini_black, VISIT_ORDER_NEAREST, 130), 27.836, 1e-3);
	assert_first(black, 5);
	assert_near(sorted_seconds(&midi_black, VISIT_ORDER_NEAREST, 130), 59.422, 1e-3);
	assert_near(sorted_seconds(&classic, VISIT_ORDER_NEAREST, 130), 43.566, 1e-3);
	assert_first(wide, 6);
}

static void the_method_none_keeps_the_order(void **state)
{
	(void)state;

	assert_near(sorted_seconds(&mini_green, VISIT_ORDER_NONE, 130), 128.627, 1e-3);
	assert_near(sorted_seconds(&mini_black, VISIT_ORDER_NONE, 130), 45.614, 1e-3);
	for (int i = 0; i < 130; i++)
		assert_int_equal(points[i].index, i);
}

static void best_beats_what_2_opt_with_or_opt_reaches(void **state)
{
	(void)state;

	assert_true(sorted_seconds(&mini_green, VISIT_ORDER_BEST, 130) <= 53.1);
	assert_complete(130);
	assert_true(sorted_seconds(&midi_black, VISIT_ORDER_BEST, 130) <= 58.7);
	assert_complete(130);
}

static void best_is_never_slower_than_the_others(void **state)
{
	static const struct visit_order_axes *const rigs[] = {&mini_green, &mini_black,
							      &midi_black, &classic};
	static const int sizes[] = {1, 2, 3, 4, 5, 10, 31};

	(void)state;

	for (size_t r = 0; r < 4; r++) {
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			double best = sorted_seconds(rigs[r], VISIT_ORDER_BEST, sizes[s]);

			assert_complete(sizes[s]);
			assert_true(best <=
				    sorted_seconds(rigs[r], VISIT_ORDER_NONE, sizes[s]));
			assert_true(best <= sorted_seconds(rigs[r], VISIT_ORDER_NEAREST,
							   sizes[s]));
		}
	}
}

static void the_same_scan_is_visited_in_the_same_order(void **state)
{
	struct path_point first[130];

	(void)state;

	sorted_seconds(&classic, VISIT_ORDER_BEST, 130);
	memcpy(first, points, sizeof(first));
	sorted_seconds(&classic, VISIT_ORDER_BEST, 130);

	for (int i = 0; i < 130; i++)
		assert_int_equal(points[i].index, first[i].index);
}

static void the_most_points_are_sorted_completely(void **state)
{
	(void)state;

	assert_true(sorted_seconds(&mini_green, VISIT_ORDER_BEST, 999) > 0);
	assert_complete(999);
}

static void a_method_has_a_name(void **state)
{
	(void)state;

	assert_int_equal(visit_order_parse("best"), VISIT_ORDER_BEST);
	assert_int_equal(visit_order_parse("nearest_neighbor"), VISIT_ORDER_NEAREST);
	assert_int_equal(visit_order_parse("none"), VISIT_ORDER_NONE);
	assert_true(visit_order_parse("random") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_axis_takes_the_time_of_its_ramp),
		cmocka_unit_test(an_endless_axis_goes_the_shorter_way),
		cmocka_unit_test(nearest_neighbor_visits_in_the_order_of_the_original),
		cmocka_unit_test(
			nearest_neighbor_of_130_points_takes_the_time_of_the_original),
		cmocka_unit_test(the_method_none_keeps_the_order),
		cmocka_unit_test(best_beats_what_2_opt_with_or_opt_reaches),
		cmocka_unit_test(best_is_never_slower_than_the_others),
		cmocka_unit_test(the_same_scan_is_visited_in_the_same_order),
		cmocka_unit_test(the_most_points_are_sorted_completely),
		cmocka_unit_test(a_method_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
