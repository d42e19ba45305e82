/* Tests the conversion of raw pixels to RGB and YUV. */
#include "hal/linux/camera_pixels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hal/frame.h"
#include "tasks/capture/photo.h"

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

static void a_crop_is_cut_out_of_the_middle(void **state)
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

/* The colour of pixel x, y: that of a pixel of the first row, by its number. */
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

static void yuv_planes_become_rgb(void **state)
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

static void limited_range_is_expanded_to_full_range(void **state)
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

/* ---- light and colours, from the camera to the JPEG ---- */

#define WIDE 75 /* no whole blocks, and an odd last column */
#define HIGH 53
#define STRIDE 87
#define LARGEST_SIDE 4096

/* The position of a plane's value at x, y. */
static size_t place(const struct camera_picture *from, int plane, int x, int y)
{
	switch (from->layout) {
	case CAMERA_YUV420:
		return from->offset[plane] + (size_t)y * from->stride[plane] + (size_t)x;
	case CAMERA_NV12:
		return from->offset[plane > 0] + (size_t)y * from->stride[plane > 0] +
		       (size_t)(plane ? 2 * x + plane - 1 : x);
	default:
		return (size_t)y * from->stride[0] +
		       (size_t)(plane ? 4 * x + 2 * plane - 1 : 2 * x);
	}
}

/* Waves of light and colour, within the limited range. */
static uint8_t wave(int plane, int x, int y)
{
	static const double period[] = {23, 61, 47};

	return (uint8_t)lround(128 + 40 * sin(6.2832 * (x + plane * y) / period[plane]) *
					     cos(6.2832 * y / 71));
}

static void draw(struct camera_picture *from)
{
	int rows_by = from->layout == CAMERA_YUYV ? 1 : 2;

	for (int y = 0; y < HIGH; y++)
		for (int x = 0; x < WIDE; x++)
			from->bytes[place(from, 0, x, y)] = wave(0, x, y);
	for (int y = 0; y < (HIGH + rows_by - 1) / rows_by; y++)
		for (int x = 0; x < (WIDE + 1) / 2; x++)
			for (int plane = 1; plane < 3; plane++)
				from->bytes[place(from, plane, x, y)] =
					wave(plane, 2 * x, rows_by * y);
}

/* Rows have an odd stride and garbage as padding. */
static struct camera_picture waves(enum camera_layout layout, bool full_range)
{
	const size_t luma = (size_t)STRIDE * HIGH,
		     chroma = (size_t)STRIDE * (HIGH + 1) / 2;
	struct camera_picture from = {
		.layout = layout,
		.full_range = full_range,
		.width = WIDE,
		.height = HIGH,
		.stride = {STRIDE, STRIDE, STRIDE},
		.offset = {0, luma, luma + chroma},
		.size = luma + 2 * chroma,
	};

	if (layout == CAMERA_YUYV) {
		from.stride[0] = 2 * STRIDE + 1;
		from.size = from.stride[0] * HIGH;
	}
	from.bytes = malloc(from.size);
	memset(from.bytes, 200, from.size);
	draw(&from);
	return from;
}

static struct frame *encoded_and_back(const struct frame *frame)
{
	struct frame *back;
	void *jpeg;
	size_t size;

	assert_int_equal(photo_encode(frame, &jpeg, &size, NULL), 0);
	assert_int_equal(photo_decode(jpeg, size, LARGEST_SIDE, &back, NULL), 0);
	free(jpeg);
	return back;
}

/* Decibels. */
static double likeness(const struct frame *a, const struct frame *b)
{
	size_t count = (size_t)a->width * (size_t)a->height * 3;
	double off = 0;

	assert_int_equal(a->width, b->width);
	assert_int_equal(a->height, b->height);
	for (size_t i = 0; i < count; i++)
		off += (a->rgb[i] - b->rgb[i]) * (a->rgb[i] - b->rgb[i]);
	return 10 * log10(255 * 255 * (double)count / fmax(off, 1));
}

/* Encodes the part of a picture both ways and compares. */
static void assert_same_photo(enum camera_layout layout, bool full_range,
			      const struct camera_part *part)
{
	struct camera_picture from = waves(layout, full_range);
	struct frame *frame = frame_new(part->width, part->height);
	struct frame *through_rgb, *straight;

	frame->jpeg_quality = 95;
	frame->orientation = 1;
	camera_pixels(&from, part, frame->rgb);
	through_rgb = encoded_and_back(frame);
	frame->yuv = camera_yuv(&from, part);
	assert_non_null(frame->yuv);
	assert_null(from.bytes);
	straight = encoded_and_back(frame);

	double without = likeness(frame, straight);
	double way_round = likeness(frame, through_rgb);
	if (without < 35 || without < way_round - 0.5)
		fail_msg("layout %d, %s range: %.1f dB without RGB, %.1f dB through it",
			 layout, full_range ? "full" : "narrow", without, way_round);
	frame_free(through_rgb);
	frame_free(straight);
	frame_free(frame);
}

static void yuv_is_encoded_without_a_detour_over_rgb(void **state)
{
	static const struct camera_part parts[] = {
		{0, 0, WIDE, HIGH}, {7, 5, 50, 34}, {0, 0, 2, 2}, {2, 4, 33, 17}};

	(void)state;
	for (int layout = CAMERA_YUV420; layout <= CAMERA_YUYV; layout++)
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			assert_same_photo(layout, true, &parts[i]);
			assert_same_photo(layout, false, &parts[i]);
		}
}

static void rgb_bytes_are_left_unchanged(void **state)
{
	uint8_t bytes[24];
	struct camera_picture from = picture(CAMERA_BGR888, bytes);

	(void)state;
	assert_null(camera_yuv(&from, &all));
	assert_ptr_equal(from.bytes, bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_put_in_order_whatever_the_layout),
		cmocka_unit_test(a_crop_is_cut_out_of_the_middle),
		cmocka_unit_test(yuv_planes_become_rgb),
		cmocka_unit_test(limited_range_is_expanded_to_full_range),
		cmocka_unit_test(yuv_is_encoded_without_a_detour_over_rgb),
		cmocka_unit_test(rgb_bytes_are_left_unchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
