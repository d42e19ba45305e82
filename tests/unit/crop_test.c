/* Tests the crop analysis and its steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hal/frame.h"
#include "tasks/crop/crop.h"
#include "tasks/crop/edges.h"
#include "tasks/crop/outline.h"
#include "tasks/crop/polygon.h"

/* A white box before black. */
static struct frame *make_box(int x, int y, int width, int height)
{
	struct frame *frame = frame_new(400, 300);

	assert_non_null(frame);
	for (int i = y; i < y + height; i++)
		memset(frame->rgb + (i * 400 + x) * 3, 255, (size_t)width * 3);
	return frame;
}

static struct crop find(struct frame *frame)
{
	struct crop crop;
	struct err err;

	assert_int_equal(crop_find(frame, 100, &crop, NULL, &err), 0);
	frame_free(frame);
	return crop;
}

/* A pixel of the small image, and the blur. */
#define NEAR 8

static void the_box_is_found(void **state)
{
	struct crop crop = find(make_box(100, 60, 180, 120));

	(void)state;
	assert_true(abs(crop.x - 100) <= NEAR && abs(crop.y - 60) <= NEAR);
	assert_true(abs(crop.x + crop.width - 280) <= NEAR);
	assert_true(abs(crop.y + crop.height - 180) <= NEAR);
	assert_true(crop.outlines >= 1);
}

static void both_sides_are_cut_as_far_as_the_nearer_one_allows(void **state)
{
	struct crop crop = find(make_box(100, 60, 180, 120));

	(void)state;
	assert_true(abs(crop.crop_width - 50) <= 3); /* 100 of 400 left, 120 right */
	assert_true(abs(crop.crop_height - 40) <= 4);
}

static void without_outlines_the_whole_frame_is_kept(void **state)
{
	struct crop crop = find(make_box(0, 0, 0, 0));

	(void)state;
	assert_int_equal(crop.outlines, 0);
	assert_int_equal(crop.width, 400);
	assert_int_equal(crop.height, 300);
	assert_int_equal(crop.crop_width, 0);
	assert_int_equal(crop.crop_height, 0);
}

static void tiny_images_are_accepted(void **state)
{
	(void)state;
	for (int side = 1; side < 12; side++) {
		struct crop crop = find(frame_new(side, 13 - side));

		assert_int_equal(crop.width, side);
	}
}

static void the_drawing_shows_the_box_in_red(void **state)
{
	struct frame *frame = make_box(100, 60, 180, 120), *drawing;
	struct crop crop;
	bool red = false;

	(void)state;
	assert_int_equal(crop_find(frame, 100, &crop, &drawing, NULL), 0);

	assert_int_equal(drawing->width, 120);
	assert_int_equal(drawing->height, 90);
	for (int i = 0; i < 120 * 90; i++)
		red = red || !memcmp(drawing->rgb + i * 3, "\xff\0\0", 3);
	assert_true(red);
	frame_free(drawing);
	frame_free(frame);
}

/* ---- outlines ---- */

struct seen {
	size_t count, corners;
};

static void count_outline(void *context, const struct outline *outline)
{
	struct seen *seen = context;

	seen->count++;
	seen->corners += outline->count;
}

/* rows of '#' and ' '. */
static struct seen outlines_of(const char *const *rows, double tolerance)
{
	struct seen seen = {0};
	struct plane map;
	int height = 0;

	while (rows[height])
		height++;
	assert_int_equal(plane_make(&map, (int)strlen(rows[0]), height), 0);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < map.width; x++)
			plane_row(&map, y)[x] = rows[y][x] == '#';
	assert_int_equal(outlines_find(&map, tolerance, count_outline, &seen), 0);
	plane_free(&map);
	return seen;
}

static void a_ring_has_an_outer_and_an_inner_outline(void **state)
{
	const char *const ring[] = {"      ", " #### ", " #  # ",
				    " #  # ", " #### ", NULL};
	const char *const solid[] = {"####", "####", "####", NULL};

	(void)state;
	assert_int_equal(outlines_of(ring, .5).count, 2);
	struct seen seen = outlines_of(solid, .5);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.corners, 4);
}

static void points_and_lines_have_outlines_too(void **state)
{
	const char *const apart[] = {"#  ##", "     ", "  #  ", "   # ", "    #", NULL};
	const char *const nested[] = {"#######", "#     #", "# ### #", "# # # #",
				      "# ### #", "#     #", "#######", NULL};

	(void)state;
	assert_int_equal(outlines_of(apart, 0).count, 3);
	assert_int_equal(outlines_of(nested, .5).count, 4);
}

static void a_polygon_keeps_its_significant_corners(void **state)
{
	const struct point points[] = {{0, 0},	 {5, 1}, {10, 0},
				       {10, 10}, {5, 9}, {0, 10}};
	struct polygon_slice slices[6];
	struct point corners[6];

	(void)state;
	assert_int_equal(polygon_simplify(points, 6, 2, corners, slices), 4);
	assert_int_equal(polygon_simplify(points, 6, 0, corners, slices), 6);
	assert_int_equal(polygon_simplify(points, 6, 50, corners, slices), 1);
	assert_int_equal(polygon_simplify(points, 1, 3, corners, slices), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_box_is_found),
		cmocka_unit_test(both_sides_are_cut_as_far_as_the_nearer_one_allows),
		cmocka_unit_test(without_outlines_the_whole_frame_is_kept),
		cmocka_unit_test(tiny_images_are_accepted),
		cmocka_unit_test(the_drawing_shows_the_box_in_red),
		cmocka_unit_test(a_ring_has_an_outer_and_an_inner_outline),
		cmocka_unit_test(points_and_lines_have_outlines_too),
		cmocka_unit_test(a_polygon_keeps_its_significant_corners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
