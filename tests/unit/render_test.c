/* Tests the renderer of the simulated camera. */
#include "hal/sim/render.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WIDTH 164
#define HEIGHT 124
#define OUTLINE 120 /* above the background of a photo that is overexposed 30 times */

/* The owl from in front and a little above. */
static const struct render_view plain = {
	.theta_deg = 80,
	.phi_deg = 20,
	.radius_mm = 130,
	.light = 1,
	.exposure = 1,
	.gain = 1,
	.width = WIDTH,
	.height = HEIGHT,
	.seed = 1,
};

struct photo {
	int width, height;
	uint8_t *rgb;
};

static struct photo photo_of(const struct render_view *view)
{
	struct photo photo = {.width = render_cropped(view->width, view->crop_width),
			      .height = render_cropped(view->height, view->crop_height)};

	photo.rgb = malloc((size_t)photo.width * (size_t)photo.height * 3);
	assert_non_null(photo.rgb);
	assert_int_equal(render_photo(view, photo.rgb, NULL), 0);
	return photo;
}

static size_t bytes(const struct photo *photo)
{
	return (size_t)photo->width * (size_t)photo->height * 3;
}

static const uint8_t *pixel(const struct photo *photo, int x, int y)
{
	return photo->rgb + ((size_t)y * (size_t)photo->width + (size_t)x) * 3;
}

/* Peak signal to noise of small against big with its top left corner at (left, top), in
 * dB. */
static double psnr(const struct photo *small, const struct photo *big, int left, int top)
{
	double sum = 0;

	for (int y = 0; y < small->height; y++)
		for (int x = 0; x < small->width; x++)
			for (int k = 0; k < 3; k++) {
				const double d = pixel(small, x, y)[k] -
						 pixel(big, x + left, y + top)[k];

				sum += d * d;
			}
	return 10 * log10(255. * 255 / (sum / (double)bytes(small) + 1e-9));
}

/* The mean of all bytes of a view. */
static double brightness(struct render_view view)
{
	struct photo photo = photo_of(&view);
	double sum = 0;

	for (size_t i = 0; i < bytes(&photo); i++)
		sum += photo.rgb[i];
	sum /= (double)bytes(&photo);
	free(photo.rgb);
	return sum;
}

/* How much neighbouring pixels differ in the middle of a view. */
static double sharpness(struct render_view view)
{
	struct photo photo = photo_of(&view);
	double sum = 0;

	for (int y = photo.height / 3; y < photo.height * 2 / 3; y++)
		for (int x = photo.width / 3; x < photo.width * 2 / 3; x++)
			sum += abs(pixel(&photo, x, y)[1] - pixel(&photo, x + 1, y)[1]);
	free(photo.rgb);
	return sum;
}

/* The position of the owl's eyes: the middle of everything strongly yellow in its upper
 * part. */
static void find_eyes(const struct photo *photo, double *x, double *y)
{
	double n = 0, sx = 0, sy = 0;

	for (int py = 0; py < photo->height / 2; py++)
		for (int px = 0; px < photo->width; px++) {
			const uint8_t *c = pixel(photo, px, py);

			if (c[0] < 120 || c[2] > c[0] * .28)
				continue;
			n++;
			sx += px + .5;
			sy += py + .5;
		}
	assert_true(n > 20);
	*x = sx / n;
	*y = sy / n;
}

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static long resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long total, resident;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &total, &resident), 2);
	fclose(file);
	return resident * sysconf(_SC_PAGESIZE);
}

static void the_same_view_gives_the_same_picture(void **state)
{
	struct photo first = photo_of(&plain);
	struct photo second = photo_of(&plain);
	(void)state;

	assert_memory_equal(first.rgb, second.rgb, bytes(&first));
	free(first.rgb);
	free(second.rgb);
}

static void a_full_turn_gives_the_same_picture(void **state)
{
	struct render_view turned = plain;
	struct photo first = photo_of(&plain), second;
	(void)state;

	turned.phi_deg += 360;
	second = photo_of(&turned);

	assert_memory_equal(first.rgb, second.rgb, bytes(&first));
	free(first.rgb);
	free(second.rgb);
}

static void front_and_back_differ(void **state)
{
	struct render_view turned = plain;
	struct photo front = photo_of(&plain), back;
	(void)state;

	turned.phi_deg += 180;
	back = photo_of(&turned);

	assert_true(psnr(&front, &back, 0, 0) < 20);
	free(front.rgb);
	free(back.rgb);
}

static void another_seed_changes_only_the_noise(void **state)
{
	struct render_view later = plain;
	struct photo first = photo_of(&plain), second;
	(void)state;

	later.seed = 2;
	second = photo_of(&later);

	assert_memory_not_equal(first.rgb, second.rgb, bytes(&first));
	assert_true(psnr(&first, &second, 0, 0) > 28);
	free(first.rgb);
	free(second.rgb);
}

static void the_eyes_are_where_a_pinhole_camera_sees_them(void **state)
{
	struct render_view view = plain;
	struct photo photo;
	double x, y, level;
	(void)state;

	view.theta_deg = 90;
	view.phi_deg = 0;
	view.width = 2 * WIDTH;
	view.height = 2 * HEIGHT;
	photo = photo_of(&view);
	find_eyes(&photo, &x, &y);

	/* The middle of the eyes' amber is 0.175 in front of and 0.177 above the origin.
	 */
	level = HEIGHT - .177 / (1 - .175) * render_focal_px(view.width);
	assert_true(fabs(x - WIDTH) < 2);
	assert_true(fabs(y - level) < 2);
	free(photo.rgb);
}

static void the_table_is_as_wide_as_a_pinhole_camera_sees_it(void **state)
{
	/* A disc of radius 0.21, 0.375 below the middle, seen from a distance of 1. */
	const double radius = .21, below = .375;
	struct render_view view = plain;
	struct photo photo;
	double wide;
	int left, right, row;
	(void)state;

	view.theta_deg = 90;
	view.exposure = 30; /* so that its dark edges are visible */
	view.width = 2 * WIDTH;
	view.height = 2 * HEIGHT;
	row = HEIGHT + (int)(below * render_focal_px(view.width));
	wide = 2 * radius / sqrt(1 - radius * radius) * render_focal_px(view.width);
	photo = photo_of(&view);
	for (left = 0; left < view.width && pixel(&photo, left, row)[0] < OUTLINE; left++)
		;
	for (right = view.width - 1;
	     right > left && pixel(&photo, right, row)[0] < OUTLINE; right--)
		;

	assert_true(fabs(right + 1 - left - wide) < 3);
	assert_true(abs(left - (view.width - 1 - right)) <= 2);
	free(photo.rgb);
}

static void the_owl_looks_left_when_the_camera_is_on_its_left(void **state)
{
	struct render_view view = plain;
	struct photo photo;
	double x, y;
	(void)state;

	view.theta_deg = 90;
	view.phi_deg = 75;
	photo = photo_of(&view);
	find_eyes(&photo, &x, &y);

	assert_true(x < WIDTH / 2. - 8);
	free(photo.rgb);
}

static void the_photo_is_black_without_light(void **state)
{
	struct render_view dark = plain;
	struct photo photo;
	int brightest = 0, lit = 0;
	(void)state;

	dark.light = 0;
	photo = photo_of(&dark);
	for (size_t i = 0; i < bytes(&photo); i++) {
		lit += photo.rgb[i] > 0;
		if (photo.rgb[i] > brightest)
			brightest = photo.rgb[i];
	}

	assert_true(brightest < 40);
	assert_true(lit > 0); /* there is noise */
	free(photo.rgb);
}

static void longer_exposure_is_brighter(void **state)
{
	struct render_view view = plain;
	double before = 0;
	(void)state;

	for (double exposure = .125; exposure < 5; exposure *= 2) {
		double now;

		view.exposure = exposure;
		now = brightness(view);

		assert_true(now > before + 1);
		before = now;
	}
}

static void more_light_is_brighter(void **state)
{
	struct render_view half = plain;
	(void)state;

	half.light = .5;

	assert_true(brightness(plain) > brightness(half) + 4);
}

static void gain_adds_noise(void **state)
{
	struct render_view clean = plain, noisy = plain;
	(void)state;

	clean.light = noisy.light = 0;
	noisy.gain = 16;

	assert_true(brightness(noisy) > 2 * brightness(clean));
}

static void a_crop_is_the_middle_of_the_whole(void **state)
{
	struct render_view cropped = plain;
	struct photo whole = photo_of(&plain), part;
	(void)state;

	cropped.crop_width = .4;
	cropped.crop_height = .25;
	part = photo_of(&cropped);

	assert_int_equal(part.width, 98);
	assert_int_equal(part.height, 92);
	assert_true(psnr(&part, &whole, (WIDTH - 98) / 2, (HEIGHT - 92) / 2) > 28);
	assert_true(psnr(&part, &whole, (WIDTH - 98) / 2 + 2, (HEIGHT - 92) / 2) < 28);
	free(whole.rgb);
	free(part.rgb);
}

static void focus_decides_what_is_sharp(void **state)
{
	struct render_view near = plain, far = plain;
	(void)state;

	/* The breast is about 105 mm away: 9.5 dioptres. */
	near.width = far.width = 3 * WIDTH;
	near.height = far.height = 3 * HEIGHT;
	near.focus_dioptres = 9.5;
	far.focus_dioptres = 2;

	assert_true(sharpness(near) > 1.5 * sharpness(far));
}

static void the_picture_grows_as_the_focus_gets_nearer(void **state)
{
	(void)state;

	assert_true(fabs(render_breathing(9.6) - 1) < 1e-9);
	assert_true(fabs(render_breathing(15) / render_breathing(10) - 1.0229) < 1e-4);
	assert_true(render_breathing(1) < .97);
	assert_true(render_breathing(0) == 1); /* all is sharp: no lens to focus */
}

static void the_room_does_not_turn_with_the_object(void **state)
{
	struct render_view view = plain;
	struct photo first, second;
	double difference = 0, light = 0;
	(void)state;

	view.room_lit = true;
	first = photo_of(&view);
	view.phi_deg += 90;
	second = photo_of(&view);
	for (int y = 0; y < HEIGHT; y++) {
		difference += abs(pixel(&first, 3, y)[0] - pixel(&second, 3, y)[0]);
		light += pixel(&first, 3, y)[0];
	}

	assert_true(light / HEIGHT > 60);
	assert_true(difference / HEIGHT < 2);
	free(first.rgb);
	free(second.rgb);
}

static void a_cancel_ends_rendering_before_a_pixel_is_written(void **state)
{
	uint8_t *rgb = malloc(WIDTH * HEIGHT * 3);
	struct cancel cancel;
	int ret;
	(void)state;

	memset(rgb, 0xA5, WIDTH * HEIGHT * 3);
	cancel_init(&cancel);
	cancel_request(&cancel);
	ret = render_photo(&plain, rgb, &cancel);

	assert_int_equal(ret, -EINTR);
	for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
		assert_int_equal(rgb[i], 0xA5);
	cancel_destroy(&cancel);
	free(rgb);
}

static void a_view_without_pixels_or_distance_is_refused(void **state)
{
	struct render_view flat = plain, close = plain;
	uint8_t rgb[3];
	(void)state;

	flat.height = 0;
	close.radius_mm = 0;

	assert_int_equal(render_photo(&flat, rgb, NULL), -EINVAL);
	assert_int_equal(render_photo(&close, rgb, NULL), -EINVAL);
}

static void rendering_keeps_neither_memory_nor_threads(void **state)
{
	struct render_view large = plain;
	const int threads = entries("/proc/self/task");
	uint8_t *rgb;
	long before;
	(void)state;

	large.width = 820;
	large.height = 616;
	large.room_lit = true; /* so that every page is touched: 5 MB per photo */
	rgb = malloc(820 * 616 * 3);
	assert_int_equal(render_photo(&large, rgb, NULL), 0);
	before = resident_bytes();
	for (int i = 0; i < 5; i++)
		assert_int_equal(render_photo(&large, rgb, NULL), 0);

	assert_true(resident_bytes() - before < 8 << 20);
	assert_int_equal(entries("/proc/self/task"), threads);
	free(rgb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_view_gives_the_same_picture),
		cmocka_unit_test(a_full_turn_gives_the_same_picture),
		cmocka_unit_test(front_and_back_differ),
		cmocka_unit_test(another_seed_changes_only_the_noise),
		cmocka_unit_test(the_eyes_are_where_a_pinhole_camera_sees_them),
		cmocka_unit_test(the_table_is_as_wide_as_a_pinhole_camera_sees_it),
		cmocka_unit_test(the_owl_looks_left_when_the_camera_is_on_its_left),
		cmocka_unit_test(the_photo_is_black_without_light),
		cmocka_unit_test(longer_exposure_is_brighter),
		cmocka_unit_test(more_light_is_brighter),
		cmocka_unit_test(gain_adds_noise),
		cmocka_unit_test(a_crop_is_the_middle_of_the_whole),
		cmocka_unit_test(focus_decides_what_is_sharp),
		cmocka_unit_test(the_picture_grows_as_the_focus_gets_nearer),
		cmocka_unit_test(the_room_does_not_turn_with_the_object),
		cmocka_unit_test(a_cancel_ends_rendering_before_a_pixel_is_written),
		cmocka_unit_test(a_view_without_pixels_or_distance_is_refused),
		cmocka_unit_test(rendering_keeps_neither_memory_nor_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
