/* Tests the quality figures of photos. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hal/frame.h"
#include "hal/sim/render.h"
#include "tasks/capture/quality.h"

#define SIDE 64

static struct quality measure(const struct frame *frame)
{
	struct quality quality;

	quality_measure(frame, &quality);
	return quality;
}

static void paint(struct frame *frame, int x, int y, int value)
{
	memset(frame->rgb + ((size_t)y * (size_t)frame->width + (size_t)x) * 3, value, 3);
}

/* Stripes of two greys, width pixels each, on the left half; the right half is black. */
static struct frame *stripes(int width, int dark, int bright)
{
	struct frame *frame = frame_new(SIDE, SIDE);

	assert_non_null(frame);
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE / 2; x++)
			paint(frame, x, y, x / width % 2 ? bright : dark);
	return frame;
}

static void fine_detail_is_sharper_than_coarse(void **state)
{
	struct frame *fine = stripes(1, 100, 140), *coarse = stripes(8, 100, 140);

	(void)state;

	/* Stripes of one pixel: each Laplacian is +80 or -80. */
	assert_true(fabs(measure(fine).sharpness - 6400) < 100);
	assert_true(measure(coarse).sharpness < 1000);
	assert_true(measure(coarse).sharpness > 100);
	frame_free(fine);
	frame_free(coarse);
}

static void the_silhouette_does_not_count(void **state)
{
	struct frame *frame = stripes(1, 120, 120);

	(void)state;

	assert_true(measure(frame).sharpness < 1e-9);
	frame_free(frame);
}

static void a_histogram_counts_every_pixel_once(void **state)
{
	struct frame *frame = stripes(1, 100, 140);
	struct quality quality = measure(frame);
	double sum = 0;

	(void)state;

	for (int i = 0; i < QUALITY_BINS; i++)
		sum += quality.histogram[i];
	assert_true(fabs(sum - 1) < 1e-9);
	assert_true(fabs(quality.histogram[0] - 0.5) < 1e-9);
	assert_true(fabs(quality.histogram[100 / 16] - 0.25) < 1e-9);
	assert_true(fabs(quality.histogram[140 / 16] - 0.25) < 1e-9);
	assert_true(fabs(quality.clipped) < 1e-9);
	frame_free(frame);
}

static void one_full_channel_is_clipped(void **state)
{
	struct frame *frame = frame_new(SIDE, SIDE);

	(void)state;

	for (int x = 0; x < SIDE; x++)
		frame->rgb[x * 3 + 2] = 255;
	assert_true(fabs(measure(frame).clipped - 1.0 / SIDE) < 1e-9);
	frame_free(frame);
}

static void a_lens_out_of_focus_is_seen(void **state)
{
	struct render_view view = {.theta_deg = 80,
				   .phi_deg = 30,
				   .radius_mm = 130,
				   .light = 1,
				   .exposure = 1,
				   .gain = 1,
				   .focus_dioptres = 9.6,
				   .width = 328,
				   .height = 246};
	struct frame *frame = frame_new(328, 246);
	double sharp, blurred;

	(void)state;

	assert_int_equal(render_photo(&view, frame->rgb, NULL), 0);
	sharp = measure(frame).sharpness;
	view.focus_dioptres = 3;
	assert_int_equal(render_photo(&view, frame->rgb, NULL), 0);
	blurred = measure(frame).sharpness;

	assert_true(blurred < 0.35 * sharp);
	frame_free(frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fine_detail_is_sharper_than_coarse),
		cmocka_unit_test(the_silhouette_does_not_count),
		cmocka_unit_test(a_histogram_counts_every_pixel_once),
		cmocka_unit_test(one_full_channel_is_clipped),
		cmocka_unit_test(a_lens_out_of_focus_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
