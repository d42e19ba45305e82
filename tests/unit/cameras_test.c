/* Tests the cameras of a rig with a fake camera module. */
#include "hal/linux/cameras.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"

/* The cameras of a config, on the module of tests/support/fake_camera.c. */
struct bench {
	cJSON *config;
	struct cameras *cameras;
	cJSON *settings;
	int64_t due_ms; /* when no photo is wanted any more */
	struct err err;
};

static int open_bench(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	setenv("OPENSCAN_MODULE_DIR", OPENSCAN_FAKE_MODULE_DIR, 1);
	bench->config = cJSON_Parse(
		"{\"cameras\":{\"good\":{\"path\":\"good\"},\"hung\":{\"path\":\"hangs\"}"
		","
		"\"loose\":{\"type\":\"picamera2\",\"path\":\"breaks once\"},"
		"\"gone\":{\"path\":\"/absent\"},\"slr\":{\"type\":\"gphoto2\"},"
		"\"nothing\":{\"path\":\"0\"},\"blind\":{\"path\":\"blind\"},"
		"\"settles\":{\"path\":\"settles\"}}}");
	bench->settings = cJSON_Parse(
		"{\"shutter\":20,\"gain\":2,\"crop_width\":25,\"crop_height\":50,"
		"\"orientation_flag\":1,\"photo_resolution\":null}");
	*state = bench;
	return cameras_open(&bench->cameras, bench->config, &bench->err);
}

static int close_bench(void **state)
{
	struct bench *bench = *state;

	cameras_close(bench->cameras);
	cJSON_Delete(bench->config);
	cJSON_Delete(bench->settings);
	free(bench);
	return 0;
}

static int wanted(const struct backend_shot *shot)
{
	const struct bench *bench = shot->context;

	return bench->due_ms && clock_monotonic_ms() > bench->due_ms ? -ETIMEDOUT : 0;
}

static struct backend_shot shot_of(const struct bench *bench)
{
	return (struct backend_shot){
		.settings = bench->settings, .check = wanted, .context = bench};
}

/* The index in the config. */
enum { GOOD, HUNG, LOOSE, GONE, SLR, NOTHING, BLIND, SETTLES };

static int attach(struct bench *bench, size_t camera)
{
	return cameras_attach(bench->cameras, camera, &bench->err);
}

static int expose(struct bench *bench, size_t camera, void **latent)
{
	struct backend_shot shot = shot_of(bench);

	return cameras_expose(bench->cameras, camera, &shot, latent, &bench->err);
}

static void assert_words(const struct bench *bench, const char *code, const char *words)
{
	assert_string_equal(bench->err.code, code);
	if (!strstr(bench->err.text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, bench->err.text);
}

static void a_photo_is_cropped_to_its_middle(void **state)
{
	struct bench *bench = *state;
	struct frame *frame;
	void *latent;

	assert_int_equal(attach(bench, GOOD), 0);
	assert_int_equal(expose(bench, GOOD, &latent), 0);
	assert_int_equal(
		cameras_read_out(bench->cameras, GOOD, latent, &frame, &bench->err), 0);

	assert_int_equal(frame->width, 48);
	assert_int_equal(frame->height, 24);
	assert_int_equal(frame->rgb[0], 8); /* the column at the left edge */
	assert_true(frame->shutter_ms == 20 && frame->gain == 2);
	frame_free(frame);
}

static void the_size_is_known_once_the_camera_has_been_opened(void **state)
{
	struct bench *bench = *state;
	int width, height;

	cameras_size(bench->cameras, GOOD, &width, &height);
	assert_int_equal(width, 65535);
	assert_int_equal(attach(bench, GOOD), 0);
	cameras_size(bench->cameras, GOOD, &width, &height);

	assert_int_equal(width, 64);
	assert_int_equal(height, 48);
}

static void a_camera_that_hangs_is_not_waited_for(void **state)
{
	struct bench *bench = *state;
	int64_t start_ms;
	void *latent;

	assert_int_equal(attach(bench, HUNG), 0);
	start_ms = clock_monotonic_ms();
	bench->due_ms = start_ms + 50;
	assert_int_equal(expose(bench, HUNG, &latent), -ETIMEDOUT);

	assert_words(bench, "hardware_fault", "the camera hung does not answer");
	assert_true(clock_monotonic_ms() - start_ms <
		    1800); /* it hangs for two seconds */
}

static void after_a_hang_the_camera_takes_the_next_photo(void **state)
{
	struct bench *bench = *state;
	void *latent;

	assert_int_equal(attach(bench, HUNG), 0);
	bench->due_ms = clock_monotonic_ms() + 50;
	assert_int_equal(expose(bench, HUNG, &latent), -ETIMEDOUT);
	bench->due_ms = 0;

	assert_int_equal(expose(bench, HUNG, &latent), 0);
	cameras_discard(bench->cameras, HUNG, latent);
}

static void a_camera_that_was_unplugged_is_opened_again_for_the_next_photo(void **state)
{
	struct bench *bench = *state;
	void *latent;

	assert_int_equal(attach(bench, LOOSE), 0);
	assert_int_equal(expose(bench, LOOSE, &latent), -ENODEV);
	assert_words(bench, "hardware_fault", "the camera loose: it was unplugged");

	assert_int_equal(expose(bench, LOOSE, &latent), 0);
	cameras_discard(bench->cameras, LOOSE, latent);
}

static void a_camera_that_is_not_there_yet_is_kept_and_does_not_answer(void **state)
{
	struct bench *bench = *state;
	void *latent;

	assert_int_equal(attach(bench, GONE), 0);

	assert_int_equal(cameras_answers(bench->cameras, GONE, &bench->err), -ENODEV);
	assert_words(bench, "hal_unavailable", "the camera gone: it is not plugged in");
	assert_int_equal(expose(bench, GONE, &latent), -ENODEV);
	assert_words(bench, "hardware_fault", "it is not plugged in");
}

static void a_camera_of_an_unknown_type_is_refused(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(attach(bench, SLR), -ENOTSUP);
	assert_words(bench, "not_supported", "type gphoto2");
}

static void a_path_that_names_no_camera_is_refused_with_a_list(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(attach(bench, NOTHING), -ENODEV);
	assert_words(bench, "hal_unavailable", "'good' (imx519), 'hangs' (imx519), ");
}

static void cameras_that_the_config_does_not_name_are_found(void **state)
{
	struct bench *bench = *state;
	cJSON *list = cJSON_Parse("{\"mine\":{\"path\":\"good\"},\"blindly\":{}}");
	const cJSON *found;

	cameras_find(bench->cameras, list);

	assert_int_equal(cJSON_GetArraySize(list), 5);
	found = cJSON_GetObjectItemCaseSensitive(list, "imx519");
	assert_string_equal(json_string(found, "path"), "hangs");
	assert_string_equal(json_string(found, "type"), "libcamera");
	assert_non_null(cJSON_GetObjectItemCaseSensitive(list, "Odd_Model_1"));
	assert_non_null(cJSON_GetObjectItemCaseSensitive(list, "settler"));
	cJSON_Delete(list);
}

static void calibration_ends_when_three_pictures_are_alike(void **state)
{
	struct bench *bench = *state;
	struct backend_shot shot = shot_of(bench);
	cJSON *found = cJSON_CreateObject();

	assert_int_equal(attach(bench, SETTLES), 0);
	assert_int_equal(
		cameras_calibrate(bench->cameras, SETTLES, &shot, found, &bench->err), 0);

	assert_true(json_number(found, "shutter", 0) == 5);
	assert_true(json_number(found, "awbg_red", 0) == 1.5);
	assert_true(json_number(found, "awbg_blue", 0) == 2.5);
	cJSON_Delete(found);
}

static void a_camera_that_cannot_calibrate_says_so(void **state)
{
	struct bench *bench = *state;
	struct backend_shot shot = shot_of(bench);
	cJSON *found = cJSON_CreateObject();

	assert_int_equal(attach(bench, BLIND), 0);

	assert_int_equal(
		cameras_calibrate(bench->cameras, BLIND, &shot, found, &bench->err),
		-ENOTSUP);
	assert_words(bench, "not_supported", "the camera blind finds neither");
	assert_null(found->child);
	cJSON_Delete(found);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(a_photo_is_cropped_to_its_middle),
		WITH_BENCH(the_size_is_known_once_the_camera_has_been_opened),
		WITH_BENCH(a_camera_that_hangs_is_not_waited_for),
		WITH_BENCH(after_a_hang_the_camera_takes_the_next_photo),
		WITH_BENCH(
			a_camera_that_was_unplugged_is_opened_again_for_the_next_photo),
		WITH_BENCH(a_camera_that_is_not_there_yet_is_kept_and_does_not_answer),
		WITH_BENCH(a_camera_of_an_unknown_type_is_refused),
		WITH_BENCH(a_path_that_names_no_camera_is_refused_with_a_list),
		WITH_BENCH(cameras_that_the_config_does_not_name_are_found),
		WITH_BENCH(calibration_ends_when_three_pictures_are_alike),
		WITH_BENCH(a_camera_that_cannot_calibrate_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
