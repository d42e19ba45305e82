/* Tests focus stacking, in steps and as a whole, on small scenes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/frame.h"
#include "tasks/capture/photo.h"
#include "tasks/stack/align.h"
#include "tasks/stack/blur.h"
#include "tasks/stack/focus_map.h"
#include "tasks/stack/resample.h"
#include "tasks/stack/stack.h"

#define WIDTH 480
#define HEIGHT 360

/* A scene with detail of all sizes; sharp 0 to 1 is how much of the finest there is. */
static double scene(double x, double y, double sharp)
{
	double broad = sin(x * .031 + y * .017) + sin(y * .043 - x * .011);
	double fine = sin(x * .9 + sin(y * .05) * 3) * sin(y * 1.1 + cos(x * .07) * 2);
	double middling = sin(x * .19 + y * .13) * sin(y * .23 - x * .11);

	return 128 + 22 * broad + 18 * middling + 38 * sharp * fine;
}

static uint8_t grey(double value)
{
	return (uint8_t)fmin(fmax(rint(value), 0), 255);
}

/* How frame i of a stack of three sees the scene: its third of the columns is sharp. */
struct view {
	struct warp warp;
	double from, to; /* columns of the scene that are sharp */
	double gain;
};

static double sharpness_at(const struct view *view, double x)
{
	return x >= view->from && x < view->to ? 1 : .1;
}

static struct frame *render(const struct view *view)
{
	struct frame *frame = frame_new(WIDTH, HEIGHT);
	double m[6], c = 1 + view->warp.scale, s = view->warp.turn;
	double n = c * c + s * s;

	assert_non_null(frame);
	warp_matrix(&view->warp, WIDTH, HEIGHT, m);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++) {
			double dx = x - m[2], dy = y - m[5];
			double u = (c * dx + s * dy) / n, v = (c * dy - s * dx) / n;

			memset(frame->rgb + (y * WIDTH + x) * 3,
			       grey(scene(u, v, sharpness_at(view, u)) * view->gain), 3);
		}
	frame->orientation = 3;
	frame->jpeg_quality = 95;
	return frame;
}

static struct plane luma_of(const struct frame *frame)
{
	struct plane plane;

	assert_int_equal(plane_make(&plane, frame->width, frame->height), 0);
	for (int y = 0; y < frame->height; y++)
		for (int x = 0; x < frame->width; x++)
			plane_row(&plane, y)[x] = frame->rgb[(y * frame->width + x) * 3];
	return plane;
}

static const struct layout layout = {WIDTH, HEIGHT, 1, {1, 1, 1}, {1, 1, 1}};

static struct sharpness measure(const struct view *view)
{
	struct frame *frame = render(view);
	struct plane luma = luma_of(frame), half;
	struct sharpness sharpness;

	assert_int_equal(plane_make(&half, WIDTH / 2, HEIGHT / 2), 0);
	plane_halve(&luma, &half, 0);
	assert_int_equal(sharpness_measure(&sharpness, &layout, &half), 0);
	plane_free(&luma);
	plane_free(&half);
	frame_free(frame);
	return sharpness;
}

/* ---- the steps ---- */

static void warps_are_composed(void **state)
{
	struct warp a = {.scale = .02, .turn = .01, .x = 3, .y = -2, .gain = 1.1};
	struct warp b = {.scale = -.01, .turn = .03, .x = -5, .y = 4, .gain = .9};
	struct warp both = warp_chain(&a, &b);
	double ma[6], mb[6], mc[6], x = 17, y = 300;

	(void)state;
	warp_matrix(&a, WIDTH, HEIGHT, ma);
	warp_matrix(&b, WIDTH, HEIGHT, mb);
	warp_matrix(&both, WIDTH, HEIGHT, mc);
	double u = mb[0] * x + mb[1] * y + mb[2], v = mb[3] * x + mb[4] * y + mb[5];

	assert_true(fabs(mc[0] * x + mc[1] * y + mc[2] -
			 (ma[0] * u + ma[1] * v + ma[2])) < 1e-9);
	assert_true(fabs(mc[3] * x + mc[4] * y + mc[5] -
			 (ma[3] * u + ma[4] * v + ma[5])) < 1e-9);
	struct warp again = warp_from_matrix(mc, WIDTH, HEIGHT);
	assert_true(fabs(again.x - both.x) < 1e-9 && fabs(again.turn - both.turn) < 1e-9);
}

static void a_frame_is_found_under_its_neighbour(void **state)
{
	struct view first = {{.gain = 1}, 0, 240, 1};
	struct view second = {{.012, .004, 2.3, -1.7, 1}, 240, 480, .95};
	struct sharpness to = measure(&first), from = measure(&second);
	struct warp warp;

	(void)state;
	assert_int_equal(align(&from, &to, &layout, &warp), 1);

	assert_true(fabs(warp.scale - .012) * WIDTH / 2 < .2);
	assert_true(fabs(warp.turn - .004) * WIDTH / 2 < .2);
	assert_true(fabs(warp.x - 2.3) < .1 && fabs(warp.y + 1.7) < .1);
	assert_true(fabs(warp.gain - 1 / .95) < .01);
	sharpness_free(&from);
	sharpness_free(&to);
}

/* Noise of another seed everywhere. */
static struct sharpness measure_noise(unsigned seed)
{
	struct sharpness sharpness;
	struct plane half;

	assert_int_equal(plane_make(&half, WIDTH / 2, HEIGHT / 2), 0);
	for (int y = 0; y < half.height; y++)
		for (int x = 0; x < half.width; x++) {
			seed = seed * 1664525u + 1013904223u;
			plane_row(&half, y)[x] = (uint8_t)(120 + (seed >> 28));
		}
	assert_int_equal(sharpness_measure(&sharpness, &layout, &half), 0);
	plane_free(&half);
	return sharpness;
}

static void pure_noise_has_no_position(void **state)
{
	struct sharpness to = measure_noise(1), from = measure_noise(2);
	struct warp warp;

	(void)state;
	assert_int_equal(align(&from, &to, &layout, &warp), 0);

	assert_true(warp.scale == 0 && warp.x == 0 && warp.gain == 1);
	sharpness_free(&from);
	sharpness_free(&to);
}

static void a_blur_is_the_mean_of_a_box(void **state)
{
	float map[5 * 4] = {0}, scratch[5 * 4];

	(void)state;
	map[1 * 5 + 2] = 9;
	blur_box(map, 5, 4, 1, scratch);

	for (int y = 0; y < 4; y++)
		for (int x = 0; x < 5; x++) {
			float expected = abs(y - 1) <= 1 && abs(x - 2) <= 1 ? 1 : 0;

			assert_true(fabsf(map[y * 5 + x] - expected) < 1e-5f);
		}
}

static void a_warped_plane_shows_the_moved_scene(void **state)
{
	struct view still = {{.gain = 1}, 0, 0, 1};
	struct warp warp = {.scale = .03, .turn = -.02, .x = 4.3, .y = -6.6, .gain = 1};
	struct frame *frame = render(&still);
	struct plane luma = luma_of(frame);
	struct resample r = {.from = &luma, .gain = 1};
	float values[RESAMPLE_SIDE * RESAMPLE_SIDE];
	const double *m = r.m;

	(void)state;
	warp_matrix(&warp, WIDTH, HEIGHT, r.m);
	resample(&r, 128, 192, 64, 50, values);

	for (int y = 0; y < 50; y++)
		for (int x = 0; x < 64; x++) {
			double u = m[0] * (128 + x) + m[1] * (192 + y) + m[2];
			double v = m[3] * (128 + x) + m[4] * (192 + y) + m[5];

			assert_true(fabs((double)values[y * RESAMPLE_SIDE + x] -
					 scene(u, v, .1)) < 1.5);
		}
	plane_free(&luma);
	frame_free(frame);
}

static void the_edge_is_repeated_outside_of_the_picture(void **state)
{
	struct plane plane;
	struct resample r = {.m = {1, 0, -500, 0, 1, -500}, .gain = 1};
	float values[RESAMPLE_SIDE * RESAMPLE_SIDE];

	(void)state;
	assert_int_equal(plane_make(&plane, 100, 100), 0);
	memset(plane.pixels, 77, plane.bytes);
	r.from = &plane;
	resample(&r, 0, 0, 64, 64, values);

	for (int i = 0; i < RESAMPLE_SIDE * RESAMPLE_SIDE; i++)
		assert_true(fabsf(values[i] - 77) < .01f);
	plane_free(&plane);
}

static void each_cell_takes_its_sharpest_frame(void **state)
{
	struct view views[] = {{{.gain = 1}, 0, 160, 1},
			       {{.gain = 1}, 160, 320, 1},
			       {{.gain = 1}, 320, 480, 1}};
	struct warp warps[3] = {WARP_IDENTITY, WARP_IDENTITY, WARP_IDENTITY};
	bool use[3] = {true, true, true};
	struct sharpness frames[3];
	struct focus_map focus_map;

	(void)state;
	for (int i = 0; i < 3; i++)
		frames[i] = measure(&views[i]);
	assert_int_equal(focus_map_find(&focus_map, frames, warps, use, 3, &layout, NULL),
			 0);

	for (int y = 4; y < focus_map.height - 4; y++)
		for (int x = 2; x < focus_map.width - 2; x++) {
			int third = x * focus_map.cell / 160;

			if (abs(x * focus_map.cell % 160 - 80) < 60)
				assert_int_equal(focus_map.frame[y * focus_map.width + x],
						 third);
		}
	focus_map_free(&focus_map);
	use[0] = false;
	assert_int_equal(focus_map_find(&focus_map, frames, warps, use, 3, &layout, NULL),
			 0);
	for (int i = 0; i < focus_map.width * focus_map.height; i++)
		assert_int_not_equal(focus_map.frame[i], 0);
	focus_map_free(&focus_map);
	for (int i = 0; i < 3; i++)
		sharpness_free(&frames[i]);
}

/* ---- the whole ---- */

struct jpegs {
	void *bytes[3];
	size_t sizes[3];
	int reads;
};

static int read_jpeg(void *context, int frame, char **bytes, size_t *size,
		     struct err *err)
{
	struct jpegs *jpegs = context;

	if (!jpegs->bytes[frame])
		return err_code(err, -ENOENT, "not_found", "frame %d is gone", frame);
	*bytes = malloc(jpegs->sizes[frame]);
	assert_non_null(*bytes);
	memcpy(*bytes, jpegs->bytes[frame], jpegs->sizes[frame]);
	*size = jpegs->sizes[frame];
	return 0;
}

static const struct view three_views[] = {{{.008, .002, 1.5, -1, 1}, 0, 160, 1.04},
					  {{.gain = 1}, 160, 320, 1},
					  {{-.008, -.001, -1, 2, 1}, 320, 480, .97}};

static struct jpegs make_stack(void)
{
	struct jpegs jpegs = {0};

	for (int i = 0; i < 3; i++) {
		struct frame *frame = render(&three_views[i]);

		assert_int_equal(
			photo_encode(frame, &jpegs.bytes[i], &jpegs.sizes[i], NULL), 0);
		frame_free(frame);
	}
	return jpegs;
}

static void free_stack(struct jpegs *jpegs)
{
	for (int i = 0; i < 3; i++)
		free(jpegs->bytes[i]);
}

/* The mean squared error against the scene that is sharp everywhere, without the edge. */
static double error_of(const void *jpeg, size_t size)
{
	struct frame *frame;
	double sum = 0;

	assert_int_equal(photo_decode(jpeg, size, WIDTH, &frame, NULL), 0);
	for (int y = 16; y < HEIGHT - 16; y++)
		for (int x = 16; x < WIDTH - 16; x++) {
			double e = frame->rgb[(y * WIDTH + x) * 3] - scene(x, y, 1);

			sum += e * e;
		}
	assert_int_equal(frame->orientation, 3);
	frame_free(frame);
	return sum / ((HEIGHT - 32) * (WIDTH - 32));
}

static void a_stack_is_sharp_all_over(void **state)
{
	struct jpegs jpegs = make_stack();
	struct stack_job job = {.count = 3, .read = read_jpeg, .context = &jpegs};
	struct stack_report *report = calloc(1, sizeof(*report));
	struct err err = {0};
	void *jpeg;
	size_t size;

	(void)state;
	assert_non_null(report);
	assert_int_equal(stack_make(&job, report, &jpeg, &size, &err), 0);

	double alone = error_of(jpegs.bytes[1], jpegs.sizes[1]);
	double stacked = error_of(jpeg, size);
	assert_true(alone > 100);
	assert_true(stacked < 20);
	for (int i = 0; i < 3; i++)
		assert_true(report->aligned[i] && report->used[i] && !report->bad[i]);
	free(jpeg);
	free(report);
	free_stack(&jpegs);
}

static void frames_that_are_decoded_twice_give_the_same_picture(void **state)
{
	struct jpegs jpegs = make_stack();
	struct stack_job job = {.count = 3, .read = read_jpeg, .context = &jpegs};
	struct stack_report *report = calloc(1, sizeof(*report));
	void *kept, *again;
	size_t kept_size, again_size;
	struct err err = {0};

	(void)state;
	assert_non_null(report);
	assert_int_equal(stack_make(&job, report, &kept, &kept_size, &err), 0);
	job.keep = 1;
	assert_int_equal(stack_make(&job, report, &again, &again_size, &err), 0);

	assert_int_equal(kept_size, again_size);
	assert_memory_equal(kept, again, kept_size);
	free(kept);
	free(again);
	free(report);
	free_stack(&jpegs);
}

/* The pictures themselves are not analysed. */
static void known_alignments_can_be_trusted(void **state)
{
	struct jpegs jpegs = make_stack();
	struct stack_known known = {.is = {true, true, false},
				    .warps = {three_views[0].warp, WARP_IDENTITY}};
	struct stack_job job = {.count = 3,
				.read = read_jpeg,
				.context = &jpegs,
				.known = &known,
				.trust_known = true};
	struct stack_report *report = calloc(1, sizeof(*report));
	struct err err = {0};
	void *jpeg;
	size_t size;

	(void)state;
	assert_non_null(report);
	assert_int_equal(stack_make(&job, report, &jpeg, &size, &err), 0);

	assert_true(report->aligned[0] && report->aligned[1]);
	assert_false(report->aligned[2] || report->used[2]);
	assert_true(report->warps[0].x == three_views[0].warp.x);
	assert_true(error_of(jpeg, size) < error_of(jpegs.bytes[1], jpegs.sizes[1]));
	free(jpeg);
	free(report);
	free_stack(&jpegs);
}

static void every_bad_frame_is_named(void **state)
{
	struct jpegs jpegs = make_stack();
	struct stack_job job = {.count = 3, .read = read_jpeg, .context = &jpegs};
	struct stack_report *report = calloc(1, sizeof(*report));
	struct frame *small = frame_new(64, 48);
	struct err err = {0};
	void *jpeg;
	size_t size;

	(void)state;
	assert_non_null(report);
	jpegs.sizes[0] /= 2;
	free(jpegs.bytes[2]);
	small->jpeg_quality = 90;
	assert_int_equal(photo_encode(small, &jpegs.bytes[2], &jpegs.sizes[2], NULL), 0);
	assert_int_equal(stack_make(&job, report, &jpeg, &size, &err), -EBADMSG);

	assert_true(report->bad[0] && !report->bad[1] && report->bad[2]);
	assert_non_null(strstr(report->errors[0].text, "not a whole JPEG"));
	assert_non_null(strstr(report->errors[2].text, "64 x 48"));
	frame_free(small);
	free(report);
	free_stack(&jpegs);
}

static void a_frame_of_something_else_is_left_out(void **state)
{
	struct jpegs jpegs = make_stack();
	struct stack_job job = {.count = 3, .read = read_jpeg, .context = &jpegs};
	struct stack_report *report = calloc(1, sizeof(*report));
	struct frame *noise = frame_new(WIDTH, HEIGHT);
	struct err err = {0};
	unsigned seed = 7;
	void *jpeg;
	size_t size;

	(void)state;
	assert_non_null(report);
	for (int i = 0; i < WIDTH * HEIGHT * 3; i++) {
		seed = seed * 1664525u + 1013904223u;
		noise->rgb[i] = (uint8_t)(seed >> 24);
	}
	noise->jpeg_quality = 90;
	noise->orientation = 3;
	free(jpegs.bytes[0]);
	assert_int_equal(photo_encode(noise, &jpegs.bytes[0], &jpegs.sizes[0], NULL), 0);
	assert_int_equal(stack_make(&job, report, &jpeg, &size, &err), 0);

	assert_false(report->aligned[0] || report->used[0]);
	assert_true(report->aligned[2]);
	assert_true(error_of(jpeg, size) < error_of(jpegs.bytes[1], jpegs.sizes[1]));
	free(jpeg);
	frame_free(noise);
	free(report);
	free_stack(&jpegs);
}

static void a_cancel_ends_the_stacking(void **state)
{
	struct jpegs jpegs = make_stack();
	struct cancel cancel;
	struct stack_job job = {
		.count = 3, .read = read_jpeg, .context = &jpegs, .cancel = &cancel};
	struct stack_report *report = calloc(1, sizeof(*report));
	struct err err = {0};
	void *jpeg;
	size_t size;

	(void)state;
	assert_non_null(report);
	cancel_init(&cancel);
	cancel_request(&cancel);
	assert_int_equal(stack_make(&job, report, &jpeg, &size, &err), -EINTR);

	cancel_destroy(&cancel);
	free(report);
	free_stack(&jpegs);
}

static void one_frame_is_a_stack_too(void **state)
{
	struct jpegs jpegs = make_stack();
	struct stack_job job = {.count = 1, .read = read_jpeg, .context = &jpegs};
	struct stack_report *report = calloc(1, sizeof(*report));
	struct err err = {0};
	void *jpeg;
	size_t size;

	(void)state;
	assert_non_null(report);
	assert_int_equal(stack_make(&job, report, &jpeg, &size, &err), 0);

	assert_true(fabs(error_of(jpeg, size) -
			 error_of(jpegs.bytes[0], jpegs.sizes[0])) < 1);
	free(jpeg);
	free(report);
	free_stack(&jpegs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warps_are_composed),
		cmocka_unit_test(a_frame_is_found_under_its_neighbour),
		cmocka_unit_test(pure_noise_has_no_position),
		cmocka_unit_test(a_blur_is_the_mean_of_a_box),
		cmocka_unit_test(a_warped_plane_shows_the_moved_scene),
		cmocka_unit_test(the_edge_is_repeated_outside_of_the_picture),
		cmocka_unit_test(each_cell_takes_its_sharpest_frame),
		cmocka_unit_test(a_stack_is_sharp_all_over),
		cmocka_unit_test(frames_that_are_decoded_twice_give_the_same_picture),
		cmocka_unit_test(known_alignments_can_be_trusted),
		cmocka_unit_test(every_bad_frame_is_named),
		cmocka_unit_test(a_frame_of_something_else_is_left_out),
		cmocka_unit_test(a_cancel_ends_the_stacking),
		cmocka_unit_test(one_frame_is_a_stack_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
