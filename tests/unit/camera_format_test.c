/* Tests the choice of a pixel format and the copying of image data. */
#include "hal/linux/camera_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "hal/linux/camera_memory.h"

/* A format by its four letters. */
static uint32_t fourcc(const char *letters)
{
	return (uint32_t)letters[0] | (uint32_t)letters[1] << 8 |
	       (uint32_t)letters[2] << 16 | (uint32_t)letters[3] << 24;
}

static void a_format_is_recognized_by_its_fourcc(void **state)
{
	(void)state;
	assert_int_equal(camera_format_layout(fourcc("BG24")), CAMERA_BGR888);
	assert_int_equal(camera_format_layout(fourcc("YU12")), CAMERA_YUV420);
	assert_int_equal(camera_format_layout(fourcc("YUYV")), CAMERA_YUYV);
	assert_int_equal(camera_format_layout(fourcc("pBAA")), -1);
}

static void the_cheapest_format_is_chosen(void **state)
{
	const uint32_t offered[] = {fourcc("pBAA"), fourcc("NV12"), fourcc("XR24"),
				    fourcc("YUYV")};

	(void)state;
	assert_int_equal(camera_format_best(offered, 4), fourcc("XR24"));
	assert_int_equal(camera_format_best(offered, 2), fourcc("NV12"));
	assert_int_equal(camera_format_best(offered, 1), 0);
}

static void assert_placed(enum camera_layout layout, int planes, size_t second,
			  size_t third, size_t size)
{
	struct camera_picture picture = {.layout = layout, .width = 10, .height = 7};
	size_t sizes[CAMERA_PLANES] = {0};

	assert_int_equal(camera_format_place(&picture, 32, sizes), planes);
	assert_int_equal(picture.stride[0], 32);
	assert_int_equal(picture.offset[0], 0);
	assert_int_equal(picture.offset[1], second);
	assert_int_equal(picture.offset[2], third);
	assert_int_equal(picture.size, size);
	assert_int_equal(sizes[0] + sizes[1] + sizes[2], size);
}

static void planes_follow_one_another(void **state)
{
	(void)state;
	assert_placed(CAMERA_BGR888, 1, 0, 0, 224);
	assert_placed(CAMERA_YUYV, 1, 0, 0, 224);
	assert_placed(CAMERA_NV12, 2, 224, 0, 224 + 4 * 32);
	assert_placed(CAMERA_YUV420, 3, 224, 224 + 4 * 16, 224 + 2 * 4 * 16);
}

static void copying_a_part_of_a_file_stops_at_its_end(void **state)
{
	int file = memfd_create("plane", MFD_CLOEXEC);
	struct camera_memory *memory;
	uint8_t bytes[8];

	(void)state;
	assert_int_equal(write(file, "0123456789", 10), 10);
	memory = camera_memory_map(file, 3, 4);
	assert_non_null(memory);
	memset(bytes, '-', sizeof(bytes));
	camera_memory_copy(memory, bytes, sizeof(bytes));

	assert_memory_equal(bytes, "3456----", 8);
	camera_memory_copy(memory, bytes + 4, 2);
	assert_memory_equal(bytes, "345634--", 8);
	camera_memory_unmap(memory);
	close(file);
	assert_null(camera_memory_map(-1, 0, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_format_is_recognized_by_its_fourcc),
		cmocka_unit_test(the_cheapest_format_is_chosen),
		cmocka_unit_test(planes_follow_one_another),
		cmocka_unit_test(copying_a_part_of_a_file_stops_at_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
