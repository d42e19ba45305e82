/* Tests the formats of photos. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/frame.h"
#include "tasks/capture/photo_format.h"
#include "tasks/capture/npy.h"

static struct frame *make_frame(int width, int height)
{
	struct frame *frame = frame_new(width, height);

	assert_non_null(frame);
	for (int i = 0; i < width * height * 3; i++)
		frame->rgb[i] = (uint8_t)(i * 7);
	frame->orientation = 1;
	frame->jpeg_quality = 90;
	return frame;
}

static void an_array_has_the_npy_format(void **state)
{
	struct frame *frame = make_frame(5, 2);
	struct err err = {0};
	char *bytes;
	void *all;
	size_t size;

	(void)state;

	assert_int_equal(npy_encode(frame, &all, &size, &err), 0);

	bytes = all;
	assert_int_equal(size, 128 + 5 * 2 * 3);
	assert_memory_equal(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
	assert_non_null(strstr(bytes + 10, "'shape': (2, 5, 3), }"));
	assert_int_equal(bytes[127], '\n');
	assert_memory_equal(bytes + 128, frame->rgb, 30);
	free(all);
	frame_free(frame);
}

static void every_format_gives_its_pixels_back(void **state)
{
	(void)state;

	for (enum photo_format format = PHOTO_FORMAT_JPEG;
	     format <= PHOTO_FORMAT_RGB_ARRAY; format++) {
		struct frame *frame = make_frame(80, 60), *back;
		struct err err = {0};
		const unsigned char *edge;
		void *bytes;
		size_t size;

		assert_int_equal(photo_format_encode(format, frame, &bytes, &size, &err),
				 0);
		edge = bytes;
		assert_true(photo_format_is_whole(format, edge,
						  edge + size - PHOTO_FORMAT_EDGE));
		assert_int_equal(
			photo_format_decode(format, bytes, size, 40, &back, &err), 0);
		assert_int_equal(back->width, 40);
		assert_int_equal(back->height, 30);
		frame_free(back);
		assert_int_equal(
			photo_format_decode(format, bytes, size - 4, 40, &back, &err),
			-EBADMSG);
		free(bytes);
		frame_free(frame);
	}
}

static void one_format_is_never_taken_for_another(void **state)
{
	static const unsigned char jpeg[PHOTO_FORMAT_EDGE] = {0xff, 0xd8, 0xff, 0xe1},
				   array[PHOTO_FORMAT_EDGE] = {0x93, 'N', 'U',
							       'M',  'P', 'Y'},
				   end[PHOTO_FORMAT_EDGE] = {0, 0, 0,	 0,
							     0, 0, 0xff, 0xd9};

	(void)state;

	assert_true(photo_format_is_whole(PHOTO_FORMAT_JPEG, jpeg, end));
	assert_false(photo_format_is_whole(PHOTO_FORMAT_JPEG, jpeg, jpeg));
	assert_false(photo_format_is_whole(PHOTO_FORMAT_JPEG, array, end));
	assert_false(photo_format_is_whole(PHOTO_FORMAT_RGB_ARRAY, jpeg, end));
}

static void formats_have_the_names_of_the_original_software(void **state)
{
	(void)state;

	assert_int_equal(photo_format_parse("jpeg"), PHOTO_FORMAT_JPEG);
	assert_int_equal(photo_format_parse("rgb_array"), PHOTO_FORMAT_RGB_ARRAY);
	assert_int_equal(photo_format_parse("dng"), -ENOTSUP);
	assert_string_equal(photo_format_extension(PHOTO_FORMAT_RGB_ARRAY), "npy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_has_the_npy_format),
		cmocka_unit_test(every_format_gives_its_pixels_back),
		cmocka_unit_test(one_format_is_never_taken_for_another),
		cmocka_unit_test(formats_have_the_names_of_the_original_software),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
