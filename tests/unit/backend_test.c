/* Tests a backend with GPIO lines only: it works, and everything else is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/backend.h"
#include "hal/rig.h"
#include "hal/rig_internal.h"

#define LINES 4

/* ---- the backend ---- */

struct lines {
	bool levels[LINES];
};

static int lines_open(void **out, const cJSON *config, const struct rig_options *options,
		      cJSON *problems, struct err *err)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	(void)config;
	(void)options;
	(void)problems;
	if (!lines)
		return err_set(err, -ENOMEM, "out of memory");
	*out = lines;
	return 0;
}

static void lines_close(void *backend)
{
	free(backend);
}

static int64_t lines_now(void *backend)
{
	(void)backend;
	return clock_monotonic_ns();
}

static int64_t lines_wait_until(void *backend, int64_t due_ns, struct cancel *cancel)
{
	cancel_wait_until(cancel, due_ns);
	return lines_now(backend);
}

static void lines_safe(void *backend)
{
	(void)backend;
}

static int lines_check(int line, struct err *err)
{
	if (line >= 0 && line < LINES)
		return 0;
	return err_code(err, -EINVAL, "invalid_args", "there is no line %d", line);
}

static int lines_get(void *backend, int line, struct err *err)
{
	const struct lines *lines = backend;
	int ret = lines_check(line, err);

	return ret < 0 ? ret : lines->levels[line];
}

static int lines_set(void *backend, int line, bool level, struct err *err)
{
	struct lines *lines = backend;
	int ret = lines_check(line, err);

	if (ret == 0)
		lines->levels[line] = level;
	return ret;
}

static const struct gpio_ops lines_gpio = {
	.get = lines_get,
	.set = lines_set,
};

static const struct backend backend_lines = {
	.name = "lines",
	.gpio = &lines_gpio,
	.open = lines_open,
	.close = lines_close,
	.now = lines_now,
	.wait_until = lines_wait_until,
	.safe = lines_safe,
};

/* The same without even lines. */
static const struct backend backend_empty = {
	.name = "empty",
	.open = lines_open,
	.close = lines_close,
	.now = lines_now,
	.wait_until = lines_wait_until,
	.safe = lines_safe,
};

/* ---- a rig of it ---- */

static const char one_of_each[] =
	"{\"motors\":{\"rotor\":{\"steps_per_rotation\":3200}},"
	"\"lights\":{\"ringlight\":{}},"
	"\"cameras\":{\"top\":{}},"
	"\"endstops\":{\"end\":{\"settings\":{\"angular_position\":140,"
	"\"motor_name\":\"rotor\"}}},"
	"\"triggers\":{\"external\":{}}}";

struct bench {
	char dir[64];
	struct rig *rig;
	struct err err;
};

static void bench_open(struct bench *bench, const struct backend *backend,
		       const char *text, bool dry)
{
	const struct rig_options options = {
		.state_dir = bench->dir,
		.sim_speed = 1,
		.dry = dry,
	};
	cJSON *config = json_parse(text, strlen(text), &bench->err);

	assert_non_null(config);
	if (rig_open_with(&bench->rig, backend, config, &options, &bench->err) < 0)
		fail_msg("%s", bench->err.text);
	cJSON_Delete(config);
}

static int bench_setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	strcpy(bench->dir, "/tmp/backend_testXXXXXX");
	*state = bench;
	return mkdtemp(bench->dir) ? 0 : -1;
}

static int bench_teardown(void **state)
{
	struct bench *bench = *state;
	char path[128];

	rig_close(bench->rig);
	snprintf(path, sizeof(path), "%s/positions", bench->dir);
	unlink(path);
	rmdir(bench->dir);
	free(bench);
	return 0;
}

static void assert_problem(const struct bench *bench, const char *sentence)
{
	const cJSON *problem;

	cJSON_ArrayForEach(problem, rig_problems(bench->rig)) {
		if (strcmp(problem->valuestring, sentence) == 0)
			return;
	}
	fail_msg("nobody said: %s", sentence);
}

/* ---- the tests ---- */

static void a_backend_with_lines_only_reads_and_sets_them(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, &backend_lines, "{}", false);

	assert_int_equal(rig_line_get(bench->rig, 2, &bench->err), 0);
	assert_int_equal(rig_line_set(bench->rig, 2, true, &bench->err), 0);
	assert_int_equal(rig_line_get(bench->rig, 2, &bench->err), 1);
	assert_int_equal(rig_line_get(bench->rig, 1, &bench->err), 0);
	assert_int_equal(rig_line_set(bench->rig, LINES, true, &bench->err), -EINVAL);
}

static void assert_each_kind_is_refused(const struct bench *bench)
{
	assert_problem(bench, "motors.rotor: the backend 'lines' has no motors");
	assert_problem(bench, "lights.ringlight: the backend 'lines' has no lights");
	assert_problem(bench, "cameras.top: the backend 'lines' has no cameras");
	assert_problem(bench, "endstops.end: the backend 'lines' has no endstops");
	assert_problem(bench, "triggers.external: the backend 'lines' has no triggers");
	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++)
		assert_int_equal(rig_count(bench->rig, kind), 0);
}

static void devices_that_the_backend_lacks_are_refused_with_a_sentence(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, &backend_lines, one_of_each, false);

	assert_each_kind_is_refused(bench);
	assert_int_equal(rig_line_set(bench->rig, 0, true, &bench->err), 0);
}

static void a_dry_run_refuses_the_same_devices(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, &backend_lines, one_of_each, true);

	assert_each_kind_is_refused(bench);
}

static void verbs_find_no_device_on_such_a_rig(void **state)
{
	const struct rig_target target = {.motor = "rotor", .degrees = 10};
	struct bench *bench = *state;

	bench_open(bench, &backend_lines, one_of_each, false);

	assert_int_equal(rig_move(bench->rig, &target, 1, NULL, &bench->err), -ENOENT);
	assert_string_equal(bench->err.text, "there is no motor 'rotor' (there is none)");
	assert_int_equal(rig_light_set(bench->rig, "ringlight", true, 50, &bench->err),
			 -ENOENT);
	assert_int_equal(rig_trigger(bench->rig, NULL, 0, 0, NULL, &bench->err), -ENOENT);
	assert_string_equal(bench->err.text, "this rig has no trigger");
}

static void the_emergency_stop_works_without_devices(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, &backend_lines, "{}", false);
	rig_estop(bench->rig);

	assert_true(rig_estopped(bench->rig));
	assert_true(rig_at_rest(bench->rig));
}

static void a_backend_without_lines_says_so(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, &backend_empty, "{}", false);

	assert_int_equal(rig_line_get(bench->rig, 0, &bench->err), -ENOTSUP);
	assert_string_equal(bench->err.text, "the backend 'empty' has no GPIO lines");
	assert_string_equal(bench->err.code, "not_supported");
	assert_int_equal(rig_line_set(bench->rig, 0, true, &bench->err), -ENOTSUP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_backend_with_lines_only_reads_and_sets_them),
		TEST(devices_that_the_backend_lacks_are_refused_with_a_sentence),
		TEST(a_dry_run_refuses_the_same_devices),
		TEST(verbs_find_no_device_on_such_a_rig),
		TEST(the_emergency_stop_works_without_devices),
		TEST(a_backend_without_lines_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
