#include "hal/linux/camera_pixels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A picture of 4 by 2 pixels in the bytes given; rows are padded. */
static struct camera_picture picture(enum camera_layout layout, const uint8_t *bytes)
{
	return (struct camera_picture){
		.layout = layout,
		.full_range = true,
		.width = 4,
		.height = 2,
		.bytes = (uint8_t *)bytes,
	};
}

static const struct camera_part all = {0, 0, 4, 2};

static void bytes_are_put_in_order_whatever_the_layout(void **state)
{
	/* 4 pixels of red 1, green 2, blue 3 in each row, and padding. */
	static const uint8_t rgb888[2][16] = {
		{3, 2, 1, 3, 2, 1, 3, 2, 1, 3, 2, 1, 99, 99, 99, 99},
		{3, 2, 1, 3, 2, 1, 3, 2, 1, 3, 2, 1, 99, 99, 99, 99}};
	static const uint8_t bgr888[2][16] = {
		{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 99, 99, 99, 99},
		{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 99, 99, 99, 99}};
	static const uint8_t xrgb8888[2][16] = {
		{3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0},
		{3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0}};
	static const uint8_t xbgr8888[2][16] = {
		{1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0},
		{1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0}};
	const uint8_t *const bytes[] = {
		[CAMERA_RGB888] = rgb888[0],
		[CAMERA_BGR888] = bgr888[0],
		[CAMERA_XRGB8888] = xrgb8888[0],
		[CAMERA_XBGR8888] = xbgr8888[0],
	};
	uint8_t rgb[24];

	(void)state;
	for (int layout = CAMERA_RGB888; layout <= CAMERA_XBGR8888; layout++) {
		struct camera_picture from = picture(layout, bytes[layout]);

		from.stride[0] = 16;
		memset(rgb, 0, sizeof(rgb));
		camera_pixels(&from, &all, rgb);

		for (int i = 0; i < 24; i++)
			assert_int_equal(rgb[i], i % 3 + 1);
	}
}

static void a_part_is_cut_out_of_the_middle(void **state)
{
	uint8_t bytes[2 * 12], rgb[2 * 3];
	struct camera_picture from = picture(CAMERA_BGR888, bytes);
	const struct camera_part part = {1, 1, 2, 1};

	(void)state;
	from.stride[0] = 12;
	for (int i = 0; i < 24; i++)
		bytes[i] = (uint8_t)i;
	camera_pixels(&from, &part, rgb);

	for (int i = 0; i < 6; i++)
		assert_int_equal(rgb[i], 12 + 3 + i);
}

/* The colour of pixel x, y, one of the first row's by its number. */
static void assert_colour(const uint8_t *rgb, int pixel, int red, int green, int blue)
{
	assert_in_range(rgb[pixel * 3] + 1, red, red + 2);
	assert_in_range(rgb[pixel * 3 + 1] + 1, green, green + 2);
	assert_in_range(rgb[pixel * 3 + 2] + 1, blue, blue + 2);
}

/* The left half is red (Y 76, U 85, V 255), the right one white. */
static void assert_half_red(struct camera_picture *from)
{
	uint8_t rgb[24];

	camera_pixels(from, &all, rgb);
	for (int pixel = 0; pixel < 8; pixel++) {
		if (pixel % 4 < 2)
			assert_colour(rgb, pixel, 254, 0, 0);
		else
			assert_colour(rgb, pixel, 255, 255, 255);
	}
}

static void planes_become_colours(void **state)
{
	static const uint8_t yuv420[] = {76,  76,  255, 255, 76,  76,
					 255, 255, 85,	128, 255, 128};
	static const uint8_t nv12[] = {76,  76,	 255, 255, 76,	76,
				       255, 255, 85,  255, 128, 128};
	static const uint8_t yuyv[] = {76, 85, 76, 255, 255, 128, 255, 128,
				       76, 85, 76, 255, 255, 128, 255, 128};
	struct camera_picture planar = picture(CAMERA_YUV420, yuv420);
	struct camera_picture half = picture(CAMERA_NV12, nv12);
	struct camera_picture packed = picture(CAMERA_YUYV, yuyv);

	(void)state;
	memcpy(planar.stride, (size_t[]){4, 2, 2}, sizeof(planar.stride));
	memcpy(planar.offset, (size_t[]){0, 8, 10}, sizeof(planar.offset));
	memcpy(half.stride, (size_t[]){4, 4, 0}, sizeof(half.stride));
	memcpy(half.offset, (size_t[]){0, 8, 0}, sizeof(half.offset));
	packed.stride[0] = 8;

	assert_half_red(&planar);
	assert_half_red(&half);
	assert_half_red(&packed);
}

static void a_narrow_range_is_stretched(void **state)
{
	static const uint8_t yuyv[] = {16, 128, 235, 128, 126, 128, 126, 128,
				       16, 128, 235, 128, 126, 128, 126, 128};
	struct camera_picture from = picture(CAMERA_YUYV, yuyv);
	uint8_t rgb[24];

	(void)state;
	from.stride[0] = 8;
	from.full_range = false;
	camera_pixels(&from, &all, rgb);

	assert_colour(rgb, 0, 0, 0, 0);
	assert_colour(rgb, 1, 255, 255, 255);
	assert_colour(rgb, 2, 128, 128, 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_put_in_order_whatever_the_layout),
		cmocka_unit_test(a_part_is_cut_out_of_the_middle),
		cmocka_unit_test(planes_become_colours),
		cmocka_unit_test(a_narrow_range_is_stretched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
