/* Tests a light on a hardware PWM: what is written to a simulated sysfs. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hal/linux/pwm.h"

static const struct pwm_config config = {.chip = 0, .channel = 1, .frequency_hz = 1000};

static const char *const files[] = {"pwmchip0/export", "pwmchip0/unexport",
				    "pwmchip0/pwm1/period", "pwmchip0/pwm1/duty_cycle",
				    "pwmchip0/pwm1/enable"};

static void path_of(char path[PATH_MAX], const char *root, const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", root, name);
}

static int setup(void **state)
{
	char *root = strdup("/tmp/pwm_testXXXXXX");
	char path[PATH_MAX];

	if (!mkdtemp(root)) {
		free(root);
		return -1;
	}
	path_of(path, root, "pwmchip0");
	mkdir(path, 0755);
	path_of(path, root, "pwmchip0/pwm1");
	mkdir(path, 0755);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path_of(path, root, files[i]);
		fclose(fopen(path, "w"));
	}
	*state = root;
	return 0;
}

static int teardown(void **state)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path_of(path, *state, files[i]);
		unlink(path);
	}
	path_of(path, *state, "pwmchip0/pwm1");
	rmdir(path);
	path_of(path, *state, "pwmchip0");
	rmdir(path);
	rmdir(*state);
	free(*state);
	return 0;
}

/* A sysfs file holds one number; this one keeps the remaining digits of a longer one. */
static long number_in(const char *root, const char *name)
{
	char path[PATH_MAX], text[32] = "";
	FILE *file;

	path_of(path, root, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	return strtol(text, NULL, 10);
}

static void clear(const char *root, const char *name)
{
	char path[PATH_MAX];

	path_of(path, root, name);
	fclose(fopen(path, "w"));
}

static void a_brightness_is_a_share_of_the_period(void **state)
{
	struct pwm *pwm;
	struct err err;

	assert_int_equal(pwm_open(&pwm, *state, &config, &err), 0);
	assert_int_equal(number_in(*state, "pwmchip0/pwm1/period"), 1000000);
	assert_int_equal(number_in(*state, "pwmchip0/pwm1/enable"), 0);

	clear(*state, "pwmchip0/pwm1/duty_cycle");
	assert_int_equal(pwm_set(pwm, 60), 0);
	assert_int_equal(number_in(*state, "pwmchip0/pwm1/duty_cycle"), 600000);
	assert_int_equal(number_in(*state, "pwmchip0/pwm1/enable"), 1);

	clear(*state, "pwmchip0/pwm1/duty_cycle");
	pwm_close(pwm);
	assert_int_equal(number_in(*state, "pwmchip0/pwm1/duty_cycle"), 0);
	assert_int_equal(number_in(*state, "pwmchip0/pwm1/enable"), 0);
}

static void a_missing_pwm_chip_is_named(void **state)
{
	const struct pwm_config other = {.chip = 3, .channel = 0, .frequency_hz = 1000};
	struct pwm *pwm;
	struct err err;

	assert_int_equal(pwm_open(&pwm, *state, &other, &err), -ENODEV);
	assert_string_equal(err.code, "hal_unavailable");
	assert_non_null(strstr(err.text, "channel 0 of pwmchip3 cannot be used"));
}

static void a_channel_that_does_not_appear_is_an_error(void **state)
{
	const struct pwm_config other = {.chip = 0, .channel = 2, .frequency_hz = 1000};
	struct pwm *pwm;
	struct err err;

	assert_int_equal(pwm_open(&pwm, *state, &other, &err), -EACCES);

	assert_int_equal(number_in(*state, "pwmchip0/export"), 2);
	assert_int_equal(number_in(*state, "pwmchip0/unexport"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_brightness_is_a_share_of_the_period),
		TEST(a_missing_pwm_chip_is_named),
		TEST(a_channel_that_does_not_appear_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
