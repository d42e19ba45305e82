/* Tests which frame of a camera is taken as the photo. */
#include "hal/linux/frame_picker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define ASKED (100 * SECOND)

static const struct camera_facts able = {
	.has = {[CAMERA_EXPOSURE_TIME] = true,
		[CAMERA_ANALOGUE_GAIN] = true,
		[CAMERA_LENS_POSITION] = true,
		[CAMERA_AF_TRIGGER] = true},
};

static const struct camera_control by_hand[] = {
	{CAMERA_EXPOSURE_TIME, {20000}},
	{CAMERA_ANALOGUE_GAIN, {2}},
	{CAMERA_LENS_POSITION, {10}},
};

/* A frame that is as requested. */
static const struct camera_metadata right = {
	.exposure_us = 20000,
	.gain = 2,
	.lens_position = 10,
	.timestamp_ns = ASKED + SECOND,
	.focus = -1,
};

static bool takes(struct camera_metadata frame)
{
	struct frame_picker picker;

	frame_picker_begin(&picker, by_hand, 3, &able, ASKED);
	return frame_picker_accepts(&picker, &frame, ASKED + SECOND);
}

static void the_first_frame_with_the_requested_settings_is_the_photo(void **state)
{
	struct camera_metadata frame = right;

	(void)state;
	assert_true(takes(frame));
	frame.exposure_us = 19870; /* a sensor counts in rows */
	assert_true(takes(frame));
	frame.exposure_us = frame.gain = frame.lens_position = -1; /* unknown */
	assert_true(takes(frame));
}

static void a_frame_exposed_before_the_request_is_not_the_photo(void **state)
{
	struct camera_metadata frame = right;

	(void)state;
	frame.timestamp_ns = ASKED + 19999 * 1000;
	assert_false(takes(frame));
	frame.timestamp_ns = ASKED + 20000 * 1000;
	assert_true(takes(frame));
}

static void a_frame_with_the_old_settings_is_skipped(void **state)
{
	struct camera_metadata dark = right, noisy = right, blurred = right;

	(void)state;
	dark.exposure_us = 10000;
	noisy.gain = 4;
	blurred.lens_position = 9.9;

	assert_false(takes(dark));
	assert_false(takes(noisy));
	assert_false(takes(blurred));
}

static void
settings_that_a_camera_does_not_follow_are_waited_for_eight_frames(void **state)
{
	struct camera_metadata frame = right;
	struct frame_picker picker;

	(void)state;
	frame.gain = 1;
	frame_picker_begin(&picker, by_hand, 3, &able, ASKED);
	for (int i = 0; i < 7; i++)
		assert_false(frame_picker_accepts(&picker, &frame, ASKED + SECOND));

	assert_true(frame_picker_accepts(&picker, &frame, ASKED + SECOND));
}

static void focusing_is_waited_for_five_seconds(void **state)
{
	const struct camera_control control = {CAMERA_AF_TRIGGER, {0}};
	struct camera_metadata frame = right;
	struct frame_picker picker;

	(void)state;
	frame_picker_begin(&picker, &control, 1, &able, ASKED);
	frame.focus = 1;
	assert_false(frame_picker_accepts(&picker, &frame, ASKED + SECOND));
	assert_true(frame_picker_accepts(&picker, &frame, ASKED + 5 * SECOND));
	frame.focus = 2;
	assert_true(frame_picker_accepts(&picker, &frame, ASKED + SECOND));
	frame.focus = 3; /* not in focus: a blurred photo is better than none */
	assert_true(frame_picker_accepts(&picker, &frame, ASKED + SECOND));
}

static void a_missing_control_is_not_waited_for(void **state)
{
	struct camera_facts plain = {.width = 0};
	struct camera_metadata frame = right;
	struct frame_picker picker;

	(void)state;
	frame.exposure_us = frame.gain = 1;
	frame_picker_begin(&picker, by_hand, 3, &plain, ASKED);

	assert_true(frame_picker_accepts(&picker, &frame, ASKED + SECOND));
}

static void without_timestamps_the_second_frame_is_the_photo(void **state)
{
	struct camera_metadata frame = right;
	struct frame_picker picker;

	(void)state;
	frame.timestamp_ns = -1;
	frame_picker_begin(&picker, by_hand, 3, &able, ASKED);

	assert_false(frame_picker_accepts(&picker, &frame, ASKED));
	assert_true(frame_picker_accepts(&picker, &frame, ASKED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_first_frame_with_the_requested_settings_is_the_photo),
		cmocka_unit_test(a_frame_exposed_before_the_request_is_not_the_photo),
		cmocka_unit_test(a_frame_with_the_old_settings_is_skipped),
		cmocka_unit_test(
			settings_that_a_camera_does_not_follow_are_waited_for_eight_frames),
		cmocka_unit_test(focusing_is_waited_for_five_seconds),
		cmocka_unit_test(a_missing_control_is_not_waited_for),
		cmocka_unit_test(without_timestamps_the_second_frame_is_the_photo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
