#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "tasks/path.h"

static void assert_near(double value, double expected, double tolerance)
{
	if (fabs(value - expected) > tolerance)
		fail_msg("%.9g is not %.9g", value, expected);
}

static struct path_point points[PATH_MAX_POINTS];

static int spread(int n, double min_theta, double max_theta, double min_fi, double max_fi)
{
	struct path_range range = {min_theta, max_theta, min_fi, max_fi};
	struct err err = {0};

	return path_fibonacci(&range, n, points, &err);
}

static void assert_points(const double (*expected)[2], int n)
{
	for (int i = 0; i < n; i++) {
		assert_int_equal(points[i].index, i);
		assert_near(points[i].theta, expected[i][0], 1e-6);
		assert_near(points[i].fi, expected[i][1], 1e-6);
	}
}

static void assert_refused(int n, struct path_range range, const char *sentence)
{
	struct err err = {0};

	assert_int_equal(path_fibonacci(&range, n, points, &err), -EINVAL);
	assert_string_equal(err.code, "invalid_args");
	assert_non_null(strstr(err.text, sentence));
}

static void five_points_stand_where_the_original_puts_them(void **state)
{
	static const double expected[][2] = {{125, 0},
					     {100.698765, 222.492236},
					     {78.329354, 84.984472},
					     {53.827620, 307.476708},
					     {12, 169.968944}};

	(void)state;

	assert_int_equal(spread(5, 12, 125, 0, 360), 5);
	assert_points(expected, 5);
}

static void a_part_of_the_sphere_keeps_the_golden_turns(void **state)
{
	static const double expected[][2] = {{120, 45},
					     {109.573837, 128.434588},
					     {99.790303, 76.869177},
					     {90.290152, 160.303765},
					     {80.798063, 108.738354}};

	(void)state;

	assert_int_equal(spread(10, 10, 120, 45, 180), 10);
	assert_points(expected, 5);
	assert_near(points[9].theta, 10, 1e-6);
	assert_near(points[9].fi, 120.911296, 1e-6);
}

static void one_theta_gives_a_ring(void **state)
{
	static const double expected[][2] = {
		{45, 0},	  {45, 111.246118}, {45, 42.492236},
		{45, 153.738354}, {45, 84.984472},
	};

	(void)state;

	assert_int_equal(spread(5, 45, 45, 0, 180), 5);
	assert_points(expected, 5);
}

static void one_phi_gives_a_meridian(void **state)
{
	static const double expected[][2] = {
		{120, 90}, {97.400142, 90}, {75.971537, 90}, {52.149314, 90}, {10, 90},
	};

	(void)state;

	assert_int_equal(spread(5, 10, 120, 90, 90), 5);
	assert_points(expected, 5);
}

static void phi_wraps_through_zero(void **state)
{
	static const double expected[] = {300, 14.164079, 328.328157, 42.492236,
					  356.656315};

	(void)state;

	assert_int_equal(spread(5, 12, 125, 300, 60), 5);
	for (int i = 0; i < 5; i++)
		assert_near(points[i].fi, expected[i], 1e-6);
}

static void a_single_direction_is_photographed_once(void **state)
{
	(void)state;

	assert_int_equal(spread(130, 45, 45, 90, 90), 1);
	assert_near(points[0].theta, 45, 1e-6);
	assert_near(points[0].fi, 90, 1e-6);
	assert_int_equal(points[0].index, 0);
}

static void one_point_stands_in_the_middle_of_the_heights(void **state)
{
	(void)state;

	assert_int_equal(spread(1, 12, 125, 0, 360), 1);
	assert_near(points[0].theta, 78.329354, 1e-6);
	assert_near(points[0].fi, 0, 1e-6);
}

static void every_point_stays_in_the_range(void **state)
{
	(void)state;

	for (int n = 1; n <= PATH_MAX_POINTS; n += 37) {
		assert_int_equal(spread(n, 0, 180, 10, 350), n);
		for (int i = 0; i < n; i++) {
			assert_in_range((int)floor(points[i].theta), 0, 180);
			assert_true(points[i].fi >= 10 && points[i].fi <= 350);
		}
	}
}

static void a_reversed_or_impossible_range_is_refused_with_a_sentence(void **state)
{
	(void)state;

	assert_refused(5, (struct path_range){90, 45, 0, 360}, "less than or equal");
	assert_refused(5, (struct path_range){-1, 45, 0, 360}, "theta must be 0 to 180");
	assert_refused(5, (struct path_range){0, 181, 0, 360}, "theta must be 0 to 180");
	assert_refused(5, (struct path_range){NAN, 90, 0, 360}, "theta must be 0 to 180");
	assert_refused(5, (struct path_range){0, 90, -5, 360}, "phi must be 0 to 360");
	assert_refused(5, (struct path_range){0, 90, 0, 361}, "phi must be 0 to 360");
	assert_refused(0, (struct path_range){0, 90, 0, 360},
		       "points must be 1 to 999, not 0");
	assert_refused(1000, (struct path_range){0, 90, 0, 360}, "not 1000");
}

static void a_point_has_its_place_in_space(void **state)
{
	struct path_point level = {0, 90, 90}, top = {0, 0, 17};
	double xyz[3];

	(void)state;

	path_cartesian(&level, 250, xyz);
	assert_near(xyz[0], 0, 1e-9);
	assert_near(xyz[1], 250, 1e-9);
	assert_near(xyz[2], 0, 1e-9);
	path_cartesian(&top, 2, xyz);
	assert_near(xyz[2], 2, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_points_stand_where_the_original_puts_them),
		cmocka_unit_test(a_part_of_the_sphere_keeps_the_golden_turns),
		cmocka_unit_test(one_theta_gives_a_ring),
		cmocka_unit_test(one_phi_gives_a_meridian),
		cmocka_unit_test(phi_wraps_through_zero),
		cmocka_unit_test(a_single_direction_is_photographed_once),
		cmocka_unit_test(one_point_stands_in_the_middle_of_the_heights),
		cmocka_unit_test(every_point_stays_in_the_range),
		cmocka_unit_test(
			a_reversed_or_impossible_range_is_refused_with_a_sentence),
		cmocka_unit_test(a_point_has_its_place_in_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
