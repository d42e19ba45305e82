/* Tests the camera positions of a scan path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "tasks/capture/path.h"

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

static void five_points_match_the_original_software(void **state)
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

static void a_limited_sphere_keeps_the_golden_angle(void **state)
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

static void a_single_point_is_at_the_middle_height(void **state)
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

/* ---- grid and spiral ---- */

static void lay(enum path_method method, int n, struct path_range range)
{
	struct err err = {0};
	int count = path_points(method, &range, n, points, &err);

	if (count != n)
		fail_msg("%d points of %d: %s", count, n, err.text);
	for (int i = 0; i < n; i++) {
		assert_int_equal(points[i].index, i);
		assert_true(points[i].theta >= range.min_theta);
		assert_true(points[i].theta <= range.max_theta);
		assert_true(points[i].fi >= 0 && points[i].fi < 360);
	}
}

/* Degrees between two directions. */
static double apart(const struct path_point *a, const struct path_point *b)
{
	double p[3], q[3];

	path_cartesian(a, 1, p);
	path_cartesian(b, 1, q);
	return acos(fmin(1, p[0] * q[0] + p[1] * q[1] + p[2] * q[2])) * 180 / M_PI;
}

static void a_grid_has_rings_of_equal_distance_and_exactly_its_points(void **state)
{
	static const int counts[] = {2, 3, 10, 47, 130, 500, 999};

	(void)state;

	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		double step = 0;

		lay(PATH_GRID, counts[c], (struct path_range){12, 125, 0, 360});

		assert_near(points[0].theta, 125, 1e-9);
		for (int i = 1; i < counts[c]; i++) {
			double down = points[i - 1].theta - points[i].theta;

			if (down == 0)
				continue;
			if (step == 0)
				step = down;
			assert_near(down, step, 1e-9);
		}
		assert_near(points[counts[c] - 1].theta, 12, 1e-9);
	}
}

static void the_points_of_a_grid_are_about_as_far_apart_on_every_ring(void **state)
{
	double step = 0, usual = 0;

	(void)state;

	lay(PATH_GRID, 130, (struct path_range){12, 125, 0, 360});

	for (int i = 1; i < 130; i++) {
		double way = apart(&points[i - 1], &points[i]);

		if (points[i - 1].theta > points[i].theta) {
			step = points[i - 1].theta - points[i].theta;
			continue;
		}
		usual = usual > 0 ? usual : way;
		assert_true(way > 0.75 * usual && way < 1.33 * usual);
	}
	assert_true(step > 0.75 * usual && step < 1.33 * usual);
}

static void a_part_of_a_grid_reaches_both_its_ends(void **state)
{
	double least = 360, most = 0;

	(void)state;

	lay(PATH_GRID, 40, (struct path_range){30, 100, 300, 30});

	for (int i = 0; i < 40; i++) {
		double turned = fmod(points[i].fi - 300 + 360, 360);

		assert_true(turned <= 90 + 1e-9);
		least = fmin(least, turned);
		most = fmax(most, turned);
	}
	assert_near(least, 0, 1e-9);
	assert_near(most, 90, 1e-9);
}

static void a_grid_of_one_meridian_or_one_ring_is_a_line(void **state)
{
	(void)state;

	lay(PATH_GRID, 5, (struct path_range){10, 90, 45, 45});
	assert_near(points[1].theta, 70, 1e-9);
	assert_near(points[4].fi, 45, 1e-9);

	lay(PATH_GRID, 8, (struct path_range){60, 60, 0, 360});
	assert_near(points[1].fi, 45, 1e-9);
	assert_near(points[7].theta, 60, 1e-9);

	lay(PATH_GRID, 3, (struct path_range){0, 0, 0, 360});
	assert_near(points[2].theta, 0, 1e-9);
}

/* The length of the curve with this rate between two heights, by many small steps. */
static double arc(double rate, double from, double to)
{
	double length = 0;

	for (int i = 0; i < 20000; i++) {
		double theta = from + (to - from) * (i + 0.5) / 20000;

		length += hypot(1, rate * sin(theta * M_PI / 180)) * fabs(to - from) /
			  20000;
	}
	return length;
}

static void a_spiral_goes_down_in_equal_arcs(void **state)
{
	double rate, first;

	(void)state;

	lay(PATH_SPIRAL, 130, (struct path_range){12, 125, 0, 360});

	assert_near(points[0].theta, 125, 1e-9);
	assert_near(points[129].theta, 12, 1e-6);
	rate = points[1].fi / (points[0].theta - points[1].theta);
	first = arc(rate, points[0].theta, points[1].theta);
	for (int i = 1; i < 130; i++) {
		assert_true(points[i].theta < points[i - 1].theta);
		assert_near(points[i].fi, fmod(rate * (125 - points[i].theta), 360),
			    0.01);
		assert_near(arc(rate, points[i - 1].theta, points[i].theta), first, 0.01);
	}
	assert_true(360 / rate > 0.9 * first && 360 / rate < 1.1 * first);
}

static void a_spiral_with_limits_turns_back_at_them(void **state)
{
	bool fro = false;

	(void)state;

	lay(PATH_SPIRAL, 60, (struct path_range){30, 100, 90, 180});

	for (int i = 1; i < 60; i++) {
		assert_true(points[i].fi >= 90 - 1e-9 && points[i].fi <= 180 + 1e-9);
		assert_true(apart(&points[i - 1], &points[i]) < 25);
		fro = fro || points[i].fi < points[i - 1].fi;
	}
	assert_true(fro);
}

static void a_short_spiral_is_still_a_spiral(void **state)
{
	(void)state;

	lay(PATH_SPIRAL, 1, (struct path_range){20, 100, 0, 360});
	assert_near(points[0].theta, 60, 1e-6);
	lay(PATH_SPIRAL, 2, (struct path_range){20, 100, 0, 360});
	assert_near(points[1].theta, 20, 1e-6);
	lay(PATH_SPIRAL, 4, (struct path_range){70, 70, 0, 360});
	assert_near(points[3].fi, 270, 1e-6);
	lay(PATH_SPIRAL, 5, (struct path_range){20, 100, 33, 33});
	assert_near(points[1].theta, 80, 1e-6);
	assert_near(points[1].fi, 33, 1e-9);
}

static void every_method_has_its_name_and_refuses_what_is_impossible(void **state)
{
	struct path_range turned = {90, 80, 0, 360}, direction = {45, 45, 30, 30};

	(void)state;

	for (enum path_method m = 0; m < PATH_METHODS; m++) {
		struct err err = {0};

		assert_int_equal(path_method_parse(path_method_name(m)), m);
		assert_int_equal(path_points(m, &turned, 5, points, &err), -EINVAL);
		assert_int_equal(path_points(m, &direction, 5, points, &err), 1);
	}
	assert_int_equal(path_method_parse("helix"), -EINVAL);
}

static void a_point_is_converted_to_cartesian_coordinates(void **state)
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
		cmocka_unit_test(five_points_match_the_original_software),
		cmocka_unit_test(a_limited_sphere_keeps_the_golden_angle),
		cmocka_unit_test(one_theta_gives_a_ring),
		cmocka_unit_test(one_phi_gives_a_meridian),
		cmocka_unit_test(phi_wraps_through_zero),
		cmocka_unit_test(a_single_direction_is_photographed_once),
		cmocka_unit_test(a_single_point_is_at_the_middle_height),
		cmocka_unit_test(every_point_stays_in_the_range),
		cmocka_unit_test(
			a_reversed_or_impossible_range_is_refused_with_a_sentence),
		cmocka_unit_test(
			a_grid_has_rings_of_equal_distance_and_exactly_its_points),
		cmocka_unit_test(
			the_points_of_a_grid_are_about_as_far_apart_on_every_ring),
		cmocka_unit_test(a_part_of_a_grid_reaches_both_its_ends),
		cmocka_unit_test(a_grid_of_one_meridian_or_one_ring_is_a_line),
		cmocka_unit_test(a_spiral_goes_down_in_equal_arcs),
		cmocka_unit_test(a_spiral_with_limits_turns_back_at_them),
		cmocka_unit_test(a_short_spiral_is_still_a_spiral),
		cmocka_unit_test(
			every_method_has_its_name_and_refuses_what_is_impossible),
		cmocka_unit_test(a_point_is_converted_to_cartesian_coordinates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
