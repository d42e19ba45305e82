/* Tests encoding, decoding and EXIF of photos. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libexif/exif-data.h>

#include "hal/frame.h"
#include "tasks/capture/exif.h"
#include "tasks/capture/photo.h"

/* A picture with a colour in each corner, which shows how it was turned. */
static struct frame *make_corners(int width, int height)
{
	static const uint8_t colours[4][3] = {
		{240, 20, 20}, {20, 240, 20}, {20, 20, 240}, {240, 240, 240}};
	struct frame *frame = frame_new(width, height);

	assert_non_null(frame);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			memcpy(frame->rgb + (y * width + x) * 3,
			       colours[(y >= height / 2) * 2 + (x >= width / 2)], 3);
	frame->taken_at_ms = 1764000000000;
	frame->shutter_ms = 50;
	frame->gain = 1;
	frame->focal_px = width;
	frame->orientation = 1;
	frame->jpeg_quality = 90;
	snprintf(frame->camera, sizeof(frame->camera), "sim");
	return frame;
}

/* Noise, which JPEG cannot compress. */
static struct frame *make_noise(int width, int height)
{
	struct frame *frame = make_corners(width, height);
	uint32_t seed = 1;

	for (int i = 0; i < width * height * 3; i++) {
		seed = seed * 1664525u + 1013904223u;
		frame->rgb[i] = (uint8_t)(seed >> 24);
	}
	return frame;
}

static char colour_at(const struct frame *frame, int x, int y)
{
	const uint8_t *p = frame->rgb + (y * frame->width + x) * 3;

	if (p[0] > 180 && p[1] > 180 && p[2] > 180)
		return 'w';
	return p[0] > 180 ? 'r' : p[1] > 180 ? 'g' : p[2] > 180 ? 'b' : '?';
}

/* The colours of the corners from the upper left, row by row. */
static void assert_corners(const struct frame *frame, const char *expected)
{
	int right = frame->width * 7 / 8, bottom = frame->height * 7 / 8;
	int left = frame->width / 8, top = frame->height / 8;
	char seen[5] = {colour_at(frame, left, top), colour_at(frame, right, top),
			colour_at(frame, left, bottom), colour_at(frame, right, bottom),
			0};

	assert_string_equal(seen, expected);
}

static void a_photo_keeps_its_size_and_colours(void **state)
{
	struct frame *frame = make_corners(164, 123), *back;
	const unsigned char *bytes;
	void *jpeg;
	size_t size;

	(void)state;

	assert_int_equal(photo_encode(frame, &jpeg, &size, NULL), 0);
	bytes = jpeg;
	assert_int_equal(bytes[0] << 8 | bytes[1], 0xffd8);
	assert_int_equal(bytes[size - 2] << 8 | bytes[size - 1], 0xffd9);
	assert_int_equal(photo_decode(jpeg, size, 1000, &back, NULL), 0);

	assert_int_equal(back->width, 164);
	assert_int_equal(back->height, 123);
	assert_corners(back, "rgbw");
	frame_free(back);
	frame_free(frame);
	free(jpeg);
}

static void the_orientation_travels_with_the_photo(void **state)
{
	(void)state;

	for (int flag = 1; flag <= 8; flag++) {
		struct frame *frame = make_corners(64, 48), *back;
		void *jpeg;
		size_t size;

		frame->orientation = flag;
		assert_int_equal(photo_encode(frame, &jpeg, &size, NULL), 0);
		assert_int_equal(photo_decode(jpeg, size, 64, &back, NULL), 0);
		assert_int_equal(back->orientation, flag);
		frame_free(back);
		frame_free(frame);
		free(jpeg);
	}
}

static void an_upright_photo_is_turned_as_its_flag_says(void **state)
{
	static const char *const upright[] = {"rgbw", "grwb", "wbgr", "bwrg",
					      "rbgw", "brwg", "wgbr", "gwrb"};

	(void)state;

	for (int flag = 1; flag <= 8; flag++) {
		struct frame *frame = make_corners(64, 48), *turned;

		frame->orientation = flag;
		turned = photo_upright(frame);
		assert_non_null(turned);
		assert_int_equal(turned->width, flag >= 5 ? 48 : 64);
		assert_int_equal(turned->orientation, 1);
		assert_corners(turned, upright[flag - 1]);
		frame_free(turned);
		frame_free(frame);
	}
}

static void a_damaged_exif_block_means_upright(void **state)
{
	struct frame *frame = make_corners(64, 48);
	unsigned char bytes[EXIF_MAX];
	size_t size;

	(void)state;

	frame->orientation = 6;
	size = exif_write(frame, bytes);
	assert_in_range(size, 100, EXIF_MAX);
	assert_int_equal(exif_orientation(bytes, size), 6);
	for (size_t cut = 0; cut < 40; cut++)
		assert_int_equal(exif_orientation(bytes, cut), 1);
	memset(bytes + 10, 0xff, 4);
	assert_int_equal(exif_orientation(bytes, size), 1);
	frame_free(frame);
}

static void assert_exif(ExifData *data, ExifIfd ifd, ExifTag tag, const char *expected)
{
	ExifEntry *entry = exif_content_get_entry(data->ifd[ifd], tag);
	char text[200] = "";

	if (entry)
		exif_entry_get_value(entry, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void a_photos_exif_says_how_it_was_taken(void **state)
{
	struct frame *frame = make_corners(1640, 1232);
	ExifData *data;
	void *jpeg;
	size_t size;

	(void)state;

	snprintf(frame->camera, sizeof(frame->camera), "sim");
	snprintf(frame->comment, sizeof(frame->comment), "theta 45.0000, phi 120.5000");
	frame->orientation = 8;
	frame->taken_at_ms = 1764979200123; /* 2025-12-06T00:00:00.123Z */
	frame->shutter_ms = 50;
	frame->gain = 2.5;
	frame->focal_px = 0.754 * 1640;
	frame->focal_mm = 4.283;
	assert_int_equal(photo_encode(frame, &jpeg, &size, NULL), 0);

	data = exif_data_new_from_data(jpeg, (unsigned)size);
	assert_non_null(data);
	assert_exif(data, EXIF_IFD_0, EXIF_TAG_MODEL, "sim");
	assert_exif(data, EXIF_IFD_0, EXIF_TAG_ORIENTATION, "Left-bottom");
	assert_exif(data, EXIF_IFD_0, EXIF_TAG_SOFTWARE,
		    "openscan-agent " OPENSCAN_VERSION);
	assert_exif(data, EXIF_IFD_0, EXIF_TAG_DATE_TIME, "2025:12:06 00:00:00");
	assert_exif(data, EXIF_IFD_EXIF, EXIF_TAG_EXPOSURE_TIME, "1/20 sec.");
	assert_exif(data, EXIF_IFD_EXIF, EXIF_TAG_ISO_SPEED_RATINGS, "250");
	assert_exif(data, EXIF_IFD_EXIF, EXIF_TAG_FOCAL_LENGTH, "4.3 mm");
	assert_exif(data, EXIF_IFD_EXIF, EXIF_TAG_FOCAL_LENGTH_IN_35MM_FILM, "27");
	assert_exif(data, EXIF_IFD_EXIF, EXIF_TAG_USER_COMMENT,
		    "theta 45.0000, phi 120.5000");
	assert_exif(data, EXIF_IFD_EXIF, EXIF_TAG_OFFSET_TIME_ORIGINAL, "+00:00");
	exif_data_unref(data);
	free(jpeg);
	frame_free(frame);
}

static void the_longest_camera_name_fits_into_the_block(void **state)
{
	struct frame *frame = make_corners(64, 48);
	unsigned char bytes[EXIF_MAX];

	(void)state;

	memset(frame->camera, 'x', sizeof(frame->camera) - 1);
	memset(frame->comment, 'y', sizeof(frame->comment) - 1);
	frame->orientation = 3;
	frame->gain = 1e9;
	frame->shutter_ms = 1e12;
	assert_in_range(exif_write(frame, bytes), 100, EXIF_MAX);
	assert_int_equal(exif_orientation(bytes, EXIF_MAX), 3);
	frame_free(frame);
}

static void a_preview_has_a_bounded_size(void **state)
{
	struct frame *frame = make_noise(1640, 1232), *back;
	void *jpeg;
	size_t size;

	(void)state;

	assert_int_equal(photo_preview(frame, &jpeg, &size, NULL), 0);
	assert_true(size <= PHOTO_PREVIEW_BYTES);
	assert_int_equal(photo_decode(jpeg, size, 5000, &back, NULL), 0);
	assert_int_equal(back->width, 640);
	assert_int_equal(back->height, 481);
	frame_free(back);
	frame_free(frame);
	free(jpeg);
}

static void a_noisy_photo_is_encoded(void **state)
{
	struct frame *frame = make_noise(17, 9);
	void *jpeg;
	size_t size;

	(void)state;

	frame->jpeg_quality = 100;
	assert_int_equal(photo_encode(frame, &jpeg, &size, NULL), 0);
	assert_true(size > 100);
	free(jpeg);
	frame_free(frame);
}

static void a_large_photo_is_decoded_small(void **state)
{
	struct frame *frame = make_corners(1640, 1232), *back;
	void *jpeg;
	size_t size;

	(void)state;

	assert_int_equal(photo_encode(frame, &jpeg, &size, NULL), 0);
	assert_int_equal(photo_decode(jpeg, size, 100, &back, NULL), 0);
	assert_int_equal(back->width, 100);
	assert_int_equal(back->height, 75);
	assert_corners(back, "rgbw");
	frame_free(back);
	frame_free(frame);
	free(jpeg);
}

static void an_incomplete_jpeg_is_refused(void **state)
{
	struct frame *frame = make_noise(164, 123), *back;
	struct err err = {0};
	void *jpeg;
	size_t size;

	(void)state;

	assert_int_equal(photo_encode(frame, &jpeg, &size, NULL), 0);
	assert_int_equal(photo_decode(jpeg, size / 2, 64, &back, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "not a whole JPEG"));
	assert_int_equal(photo_decode("no photo", 8, 64, &back, NULL), -EBADMSG);
	assert_int_equal(photo_decode("", 0, 64, &back, NULL), -EBADMSG);
	frame_free(frame);
	free(jpeg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_photo_keeps_its_size_and_colours),
		cmocka_unit_test(the_orientation_travels_with_the_photo),
		cmocka_unit_test(an_upright_photo_is_turned_as_its_flag_says),
		cmocka_unit_test(a_damaged_exif_block_means_upright),
		cmocka_unit_test(a_photos_exif_says_how_it_was_taken),
		cmocka_unit_test(the_longest_camera_name_fits_into_the_block),
		cmocka_unit_test(a_preview_has_a_bounded_size),
		cmocka_unit_test(a_noisy_photo_is_encoded),
		cmocka_unit_test(a_large_photo_is_decoded_small),
		cmocka_unit_test(an_incomplete_jpeg_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
