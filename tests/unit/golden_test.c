/* Compares pictures of the simulated camera with photos that a person has checked.
 *
 * They are in tests/unit/golden and were rendered by this program.  When the renderer is
 * meant to change, look at its pictures, then renew the files:
 *
 *     GOLDEN_RENEW=1 build/asan/tests/golden_test
 *
 * Compilers and processors round differently, so photos are compared by their peak signal
 * to noise ratio. */
#include "hal/sim/render.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hal/frame.h"
#include "tasks/capture/photo.h"

#define FOLDER "tests/unit/golden"
#define WIDTH 328
#define HEIGHT 246
#define QUALITY 95
#define ALIKE_DB 50 /* rounding stays above 60, a turn by half a degree below 45 */

/* 0.4 of the shipped rig's width, at its distance. */
#define ALL .radius_mm = 130, .width = WIDTH, .height = HEIGHT, .seed = 1
#define WELL_LIT .light = 1, .exposure = 1, .gain = 1
#define ON_THE_FACE .focus_dioptres = 9.6
#define ON_THE_BACK .focus_dioptres = 6

/* clang-format off */
static const struct scene {
	const char *name;
	struct render_view view;
} scenes[] = {
	{"default", {ALL, WELL_LIT, ON_THE_FACE, .theta_deg = 90}},
	{"above", {ALL, WELL_LIT, ON_THE_FACE, .theta_deg = 30, .phi_deg = 140}},
	{"below", {ALL, WELL_LIT, ON_THE_FACE, .theta_deg = 125, .phi_deg = 250}},
	{"far_focus", {ALL, WELL_LIT, ON_THE_BACK, .theta_deg = 90}},
	{"crop", {ALL, WELL_LIT, ON_THE_FACE, .theta_deg = 90, .phi_deg = 60,
		  .crop_width = .4, .crop_height = .25}},
	{"dim", {ALL, .light = .3, .exposure = .8, .gain = 4, ON_THE_FACE,
		 .theta_deg = 90, .phi_deg = 300}},
	{"room", {ALL, WELL_LIT, ON_THE_FACE, .theta_deg = 90, .phi_deg = 200,
		  .room_lit = true}},
};
/* clang-format on */
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

static void encode_view(const struct render_view *view, void **jpeg, size_t *size)
{
	struct frame *frame = frame_new(render_cropped(view->width, view->crop_width),
					render_cropped(view->height, view->crop_height));

	assert_non_null(frame);
	frame->orientation = 1;
	frame->jpeg_quality = QUALITY;
	assert_int_equal(render_photo(view, frame->rgb, NULL), 0);
	assert_int_equal(photo_encode(frame, jpeg, size, NULL), 0);
	frame_free(frame);
}

/* Through JPEG, like the photo that it is compared with. */
static struct frame *photo_of(const struct render_view *view)
{
	struct frame *frame;
	void *jpeg;
	size_t size;

	encode_view(view, &jpeg, &size);
	assert_int_equal(photo_decode(jpeg, size, WIDTH, &frame, NULL), 0);
	free(jpeg);
	return frame;
}

static void golden_path(const struct scene *scene, char path[256])
{
	snprintf(path, 256, FOLDER "/%s.jpg", scene->name);
}

static struct frame *golden(const struct scene *scene)
{
	static unsigned char jpeg[1 << 18];
	struct frame *frame;
	char path[256];
	size_t size;
	FILE *file;

	golden_path(scene, path);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("there is no %s", path);
	size = fread(jpeg, 1, sizeof(jpeg), file);
	fclose(file);
	assert_int_equal(photo_decode(jpeg, size, WIDTH, &frame, NULL), 0);
	return frame;
}

/* In dB; 0 for photos of different sizes. */
static double psnr(const struct frame *a, const struct frame *b)
{
	size_t n = (size_t)a->width * (size_t)a->height * 3;
	double sum = 0;

	if (a->width != b->width || a->height != b->height)
		return 0;
	for (size_t i = 0; i < n; i++)
		sum += pow(a->rgb[i] - b->rgb[i], 2);
	return 10 * log10(255. * 255 / (sum / (double)n + 1e-9));
}

static double likeness(const struct scene *scene, const struct render_view *view)
{
	struct frame *now = photo_of(view), *then = golden(scene);
	double db = psnr(now, then);

	frame_free(now);
	frame_free(then);
	return db;
}

static void every_scene_matches_its_golden_photo(void **state)
{
	int changed = 0;
	(void)state;

	for (size_t i = 0; i < SCENES; i++) {
		double db = likeness(&scenes[i], &scenes[i].view);

		print_message("%s: %.1f dB\n", scenes[i].name, db);
		changed += db < ALIKE_DB;
	}

	assert_int_equal(changed, 0);
}

/* Else the comparison would prove nothing. */
static void half_a_degree_or_slightly_less_light_is_detected(void **state)
{
	(void)state;

	for (size_t i = 0; i < SCENES; i++) {
		struct render_view turned = scenes[i].view, darker = scenes[i].view;

		turned.phi_deg += .5;
		darker.exposure *= .9;

		assert_true(likeness(&scenes[i], &turned) < ALIKE_DB);
		assert_true(likeness(&scenes[i], &darker) < ALIKE_DB);
	}
}

static int write_golden(const char *path, const void *jpeg, size_t size)
{
	FILE *file = fopen(path, "wb");
	size_t written = file ? fwrite(jpeg, 1, size, file) : 0;

	if (file && fclose(file) == 0 && written == size) {
		printf("%s: %zu bytes\n", path, size);
		return 0;
	}
	perror(path);
	return 1;
}

static int renew(void)
{
	int failed = 0;

	for (size_t i = 0; i < SCENES; i++) {
		char path[256];
		void *jpeg;
		size_t size;

		golden_path(&scenes[i], path);
		encode_view(&scenes[i].view, &jpeg, &size);
		failed += write_golden(path, jpeg, size);
		free(jpeg);
	}
	return failed ? 1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scene_matches_its_golden_photo),
		cmocka_unit_test(half_a_degree_or_slightly_less_light_is_detected),
	};

	if (getenv("GOLDEN_RENEW"))
		return renew();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
