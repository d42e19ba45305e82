/* Tests the rig with the simulated backend. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/frame.h"
#include "hal/position.h"
#include "hal/rig.h"
#include "hal/sim/ground_truth.h"
#include "tasks/capture/photo.h"

#define ROTOR_TURN 42667
#define TABLE_TURN 3200
#define DEADLINE_MS 20000
#define FAST 1000

static const char config_text[] =
	"{\"backend\":\"simulated\",\"name\":\"Simulated rig\",\"scan_radius_mm\":130,"
	"\"motors\":{"
	"\"rotor\":{\"acceleration\":20000,\"max_speed\":5000,\"direction\":-1,"
	"\"steps_per_rotation\":42667,\"min_angle\":0,\"max_angle\":140,\"home_angle\":"
	"90},"
	"\"turntable\":{\"acceleration\":5000,\"max_speed\":5000,\"direction\":1,"
	"\"steps_per_rotation\":3200}},"
	"\"lights\":{\"ringlight\":{\"pwm_support\":true},\"lamp\":{}},"
	"\"endstops\":{\"rotor-endstop\":{\"settings\":{"
	"\"angular_position\":140,\"motor_name\":\"rotor\"}}},"
	"\"triggers\":{\"external\":{\"pulse_width_ms\":100},"
	"\"off\":{\"enabled\":false}},"
	"\"cameras\":{\"sim\":{\"type\":\"simulated\",\"settings\":{"
	"\"orientation_flag\":1,\"crop_width\":0,\"crop_height\":0,"
	"\"photo_resolution\":[64,48]}}}}";

/* ---- a rig in its own folder ---- */

struct bench {
	char dir[64];
	struct rig *rig;
	struct err err;

	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned changes[DEVICE_KINDS]; /* lock */
};

static void bench_changed(void *context, enum device_kind kind, const char *name)
{
	struct bench *bench = context;

	(void)name;
	pthread_mutex_lock(&bench->lock);
	bench->changes[kind]++;
	pthread_cond_broadcast(&bench->change);
	pthread_mutex_unlock(&bench->lock);
}

static cJSON *config_new(void)
{
	struct err err;
	cJSON *config = json_parse(config_text, strlen(config_text), &err);

	assert_non_null(config);
	return config;
}

static int bench_try(struct bench *bench, const cJSON *config, double speed)
{
	struct rig_options options = {
		.state_dir = bench->dir,
		.sim_speed = speed,
		.changed = bench_changed,
		.context = bench,
	};

	return rig_open(&bench->rig, config, &options, &bench->err);
}

static void bench_open(struct bench *bench, double speed)
{
	cJSON *config = config_new();

	if (bench_try(bench, config, speed) < 0)
		fail_msg("%s", bench->err.text);
	cJSON_Delete(config);
}

static void bench_close(struct bench *bench)
{
	rig_close(bench->rig);
	bench->rig = NULL;
}

static void bench_reopen(struct bench *bench, double speed)
{
	bench_close(bench);
	bench_open(bench, speed);
}

static int bench_setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	pthread_mutex_init(&bench->lock, NULL);
	pthread_cond_init(&bench->change, NULL);
	snprintf(bench->dir, sizeof(bench->dir), "/tmp/rig_testXXXXXX");
	*state = bench;
	return mkdtemp(bench->dir) ? 0 : -1;
}

static void bench_remove(const struct bench *bench, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", bench->dir, name);
	remove(path);
}

static int bench_teardown(void **state)
{
	struct bench *bench = *state;

	bench_close(bench);
	bench_remove(bench, "positions");
	bench_remove(bench, "sim/truth");
	bench_remove(bench, "sim/shutter.log");
	bench_remove(bench, "sim");
	bench_remove(bench, "");
	pthread_cond_destroy(&bench->change);
	pthread_mutex_destroy(&bench->lock);
	free(bench);
	return 0;
}

static void forget_positions(struct bench *bench, double speed)
{
	bench_close(bench);
	bench_remove(bench, "positions");
	bench_open(bench, speed);
}

static int64_t true_count(const struct bench *bench, const char *axis)
{
	char path[PATH_MAX];
	struct ground_truth *truth;
	const int64_t none = 0;
	int64_t count;

	snprintf(path, sizeof(path), "%s/sim/truth", bench->dir);
	assert_int_equal(ground_truth_open(&truth, path, &axis, &none, 1, NULL), 0);
	count = ground_truth_count(truth, 0);
	ground_truth_close(truth);
	return count;
}

/* The rotor is turned by hand. */
static void turn_rotor_by_hand(const struct bench *bench, int64_t steps)
{
	const char *axis = "rotor";
	char path[PATH_MAX];
	struct ground_truth *truth;
	const int64_t none = 0;

	snprintf(path, sizeof(path), "%s/sim/truth", bench->dir);
	assert_int_equal(ground_truth_open(&truth, path, &axis, &none, 1, NULL), 0);
	for (int64_t i = 0; i < llabs(steps); i++)
		ground_truth_step(truth, 0, steps < 0 ? -1 : 1);
	ground_truth_close(truth);
}

/* The count in the position file. */
static int64_t recorded_count(const struct bench *bench, const char *axis, uint32_t turn)
{
	char boot_id[POSITION_BOOT_ID];
	struct position_file *file;
	struct position *position;
	char path[PATH_MAX];
	int64_t count;

	snprintf(path, sizeof(path), "%s/positions", bench->dir);
	assert_int_equal(position_boot_id(boot_id, NULL), 0);
	assert_int_equal(position_open(&file, path, boot_id, false, NULL), 0);
	assert_int_equal(position_find(file, axis, turn, &position, NULL), 0);
	count = position_count(position);
	position_close(file);
	return count;
}

static void assert_truth_is_known(const struct bench *bench)
{
	assert_int_equal(recorded_count(bench, "rotor", ROTOR_TURN),
			 true_count(bench, "rotor"));
	assert_int_equal(recorded_count(bench, "turntable", TABLE_TURN),
			 true_count(bench, "turntable"));
}

static struct rig_axis axis_of(struct bench *bench, const char *motor)
{
	struct rig_axis axis;

	assert_int_equal(rig_axis(bench->rig, motor, &axis, &bench->err), 0);
	return axis;
}

static void assert_angle(struct bench *bench, const char *motor, double degrees)
{
	struct rig_axis axis = axis_of(bench, motor);

	if (!axis.known || fabs(axis.angle - degrees) > .5 / axis.steps_per_degree + 1e-9)
		fail_msg("%s stands at %f (known: %d), not at %f", motor, axis.angle,
			 axis.known, degrees);
}

static int move(struct bench *bench, const char *motor, double degrees)
{
	struct rig_target target = {.motor = motor, .degrees = degrees};

	return rig_move(bench->rig, &target, 1, NULL, &bench->err);
}

static void assert_refused(const struct bench *bench, int ret, int number,
			   const char *code, const char *text)
{
	assert_int_equal(ret, number);
	assert_string_equal(bench->err.code, code);
	assert_string_equal(bench->err.text, text);
}

/* ---- a move on its own thread ---- */

struct mover {
	struct bench *bench;
	struct rig_target targets[2];
	size_t n;
	struct cancel cancel;
	struct err err;
	int ret;
	pthread_t thread;
};

static void *mover_main(void *context)
{
	struct mover *mover = context;

	mover->ret = rig_move(mover->bench->rig, mover->targets, mover->n, &mover->cancel,
			      &mover->err);
	return NULL;
}

static int64_t deadline_ms(void)
{
	return clock_monotonic_ms() + DEADLINE_MS;
}

/* Waits until the true rotor has moved this many steps from `from`. */
static void wait_for_steps(const struct bench *bench, int64_t from, int64_t steps)
{
	int64_t deadline = deadline_ms();
	struct timespec moment = {.tv_nsec = 500000};

	while (llabs(true_count(bench, "rotor") - from) < steps) {
		assert_true(clock_monotonic_ms() < deadline);
		nanosleep(&moment, NULL);
	}
}

static void mover_start(struct mover *mover, struct bench *bench, double rotor,
			double turntable)
{
	int64_t from = true_count(bench, "rotor");

	*mover = (struct mover){
		.bench = bench,
		.targets = {{.motor = "rotor", .degrees = rotor},
			    {.motor = "turntable", .degrees = turntable}},
		.n = 2,
	};
	cancel_init(&mover->cancel);
	assert_int_equal(pthread_create(&mover->thread, NULL, mover_main, mover), 0);
	wait_for_steps(bench, from, 50);
}

static int mover_join(struct mover *mover)
{
	pthread_join(mover->thread, NULL);
	cancel_destroy(&mover->cancel);
	return mover->ret;
}

/* ---- opening ---- */

static void a_new_simulated_rig_knows_that_it_is_at_home(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);

	assert_string_equal(rig_backend(bench->rig), "simulated");
	assert_angle(bench, "rotor", 90);
	assert_angle(bench, "turntable", 90);
	assert_truth_is_known(bench);
	assert_true(rig_at_rest(bench->rig));
}

static void a_lost_position_file_is_an_unknown_position(void **state)
{
	struct bench *bench = *state;
	cJSON *motor;

	bench_open(bench, FAST);

	forget_positions(bench, FAST);

	motor = rig_state(bench->rig, DEVICE_MOTOR, 0);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(motor, "angle")));
	assert_string_equal(json_string(motor, "position"), "unknown");
	cJSON_Delete(motor);
}

static void positions_outlive_the_program(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);
	assert_int_equal(move(bench, "rotor", 33), 0);

	bench_reopen(bench, FAST);

	assert_angle(bench, "rotor", 33);
	assert_truth_is_known(bench);
}

static cJSON *config_with(const char *section, const char *name, const char *key,
			  cJSON *value)
{
	cJSON *config = config_new();
	cJSON *device = cJSON_GetObjectItem(cJSON_GetObjectItem(config, section), name);

	if (cJSON_GetObjectItem(device, "settings"))
		device = cJSON_GetObjectItem(device, "settings");
	cJSON_DeleteItemFromObject(device, key);
	cJSON_AddItemToObject(device, key, value);
	return config;
}

/* A bad value costs one device of its kind and gives this sentence. */
static void assert_left_out(struct bench *bench, cJSON *config, enum device_kind kind,
			    size_t left, const char *sentence)
{
	const cJSON *problems;

	assert_int_equal(bench_try(bench, config, FAST), 0);
	problems = rig_problems(bench->rig);

	assert_string_equal(cJSON_GetArrayItem(problems, 0)->valuestring, sentence);
	assert_int_equal(rig_count(bench->rig, kind), left);
	bench_close(bench);
	cJSON_Delete(config);
}

static void a_device_with_a_bad_config_is_left_out_and_named(void **state)
{
	struct bench *bench = *state;

	assert_left_out(
		bench, config_with("motors", "rotor", "max_speed", cJSON_CreateNumber(0)),
		DEVICE_MOTOR, 1, "motors.rotor: max_speed must be 1 to 20000, not 0");
	assert_left_out(
		bench,
		config_with("motors", "rotor", "home_angle", cJSON_CreateNumber(141)),
		DEVICE_MOTOR, 1, "motors.rotor: home_angle must be 0 to 140, not 141");
	assert_left_out(
		bench,
		config_with("motors", "rotor", "min_angle", cJSON_CreateNumber(150)),
		DEVICE_MOTOR, 1,
		"motors.rotor: min_angle 150 must not be above max_angle 140");
	assert_left_out(bench,
			config_with("endstops", "rotor-endstop", "motor_name",
				    cJSON_CreateString("wrist")),
			DEVICE_ENDSTOP, 1,
			"endstops.rotor-endstop: there is no motor 'wrist'");
	assert_left_out(
		bench,
		config_with("cameras", "sim", "jpeg_quality", cJSON_CreateNumber(101)),
		DEVICE_CAMERA, 0, "cameras.sim: jpeg_quality must be 0 to 100, not 101");
}

static void a_wrong_value_of_the_rig_gets_its_default(void **state)
{
	struct bench *bench = *state;
	cJSON *config = config_new();
	const cJSON *problems;

	cJSON_ReplaceItemInObject(config, "scan_radius_mm", cJSON_CreateNumber(-4));
	cJSON_AddStringToObject(config, "calibrate_mode", "calibrate_on_sunday");
	assert_int_equal(bench_try(bench, config, FAST), 0);
	problems = rig_problems(bench->rig);

	assert_int_equal(cJSON_GetArraySize(problems), 2);
	assert_string_equal(cJSON_GetArrayItem(problems, 0)->valuestring,
			    "scan_radius_mm must be more than 0, not -4");
	assert_true(rig_scan_radius(bench->rig) == 1);
	cJSON_Delete(config);
}

static void a_motor_works_beside_one_that_is_left_out(void **state)
{
	struct bench *bench = *state;
	cJSON *config = config_with("motors", "rotor", "acceleration",
				    cJSON_CreateString("fast"));

	assert_int_equal(bench_try(bench, config, FAST), 0);
	assert_int_equal(move(bench, "turntable", 45), 0);

	assert_angle(bench, "turntable", 45);
	assert_int_equal(true_count(bench, "turntable"), TABLE_TURN / 8);
	cJSON_Delete(config);
}

static void an_unknown_backend_is_refused(void **state)
{
	struct bench *bench = *state;
	cJSON *config = config_new();

	json_put_string(config, "backend", "steam");

	assert_refused(bench, bench_try(bench, config, FAST), -EINVAL, "invalid_args",
		       "the device config needs a backend that this program has "
		       "(simulated, linux), not 'steam'");
	cJSON_Delete(config);
}

/* ---- names and states ---- */

static void devices_are_found_by_name(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);

	assert_int_equal(rig_count(bench->rig, DEVICE_MOTOR), 2);
	assert_int_equal(rig_find(bench->rig, DEVICE_MOTOR, "turntable", &bench->err), 1);
	assert_int_equal(rig_find(bench->rig, DEVICE_CAMERA, NULL, &bench->err), 0);
	assert_refused(bench, rig_find(bench->rig, DEVICE_MOTOR, "x", &bench->err),
		       -ENOENT, "not_found",
		       "there is no motor 'x' (there are rotor, turntable)");
	assert_refused(bench, rig_find(bench->rig, DEVICE_LIGHT, NULL, &bench->err),
		       -EINVAL, "invalid_args",
		       "say which light: there are ringlight, lamp");
}

static void assert_state(struct bench *bench, enum device_kind kind, size_t i,
			 const char *wanted)
{
	cJSON *document = rig_state(bench->rig, kind, i);
	char *text = json_text(document);

	assert_string_equal(text, wanted);
	free(text);
	cJSON_Delete(document);
}

static void device_states_match_the_contract(void **state)
{
	struct bench *bench = *state;
	cJSON *camera;

	bench_open(bench, FAST);

	assert_state(bench, DEVICE_MOTOR, 0,
		     "{\"name\":\"rotor\",\"angle\":90,\"target\":null,\"busy\":false,"
		     "\"position\":\"known\",\"calibrated\":false,\"uncertainty\":0,"
		     "\"enabled\":true,\"min\":0,\"max\":140}");
	assert_state(bench, DEVICE_LIGHT, 0,
		     "{\"name\":\"ringlight\",\"state\":\"OFF\",\"brightness\":100}");
	assert_state(
		bench, DEVICE_ENDSTOP, 0,
		"{\"name\":\"rotor-endstop\",\"motor\":\"rotor\",\"pressed\":false}");
	assert_state(bench, DEVICE_TRIGGER, 0,
		     "{\"name\":\"external\",\"busy\":false,\"fired_at\":null}");
	camera = rig_state(bench->rig, DEVICE_CAMERA, 0);
	assert_string_equal(json_string(camera, "type"), "simulated");
	assert_int_equal(
		(int)json_number(cJSON_GetObjectItem(camera, "settings"), "shutter", 0),
		50);
	cJSON_Delete(camera);
}

/* ---- moving ---- */

static void axes_reach_their_targets_together(void **state)
{
	struct bench *bench = *state;
	struct rig_target targets[] = {{.motor = "turntable", .degrees = 222.5},
				       {.motor = "rotor", .degrees = 45}};

	bench_open(bench, FAST);

	assert_int_equal(rig_move(bench->rig, targets, 2, NULL, &bench->err), 0);

	assert_angle(bench, "rotor", 45);
	assert_angle(bench, "turntable", 222.5);
	assert_truth_is_known(bench);
	assert_state(bench, DEVICE_MOTOR, 0,
		     "{\"name\":\"rotor\",\"angle\":45,\"target\":null,\"busy\":false,"
		     "\"position\":\"known\",\"calibrated\":false,\"uncertainty\":0,"
		     "\"enabled\":true,\"min\":0,\"max\":140}");
}

static void a_limited_axis_stays_within_its_limits(void **state)
{
	struct bench *bench = *state;
	struct rig_target further = {.motor = "rotor", .degrees = 60, .relative = true};

	bench_open(bench, FAST);

	assert_refused(bench, move(bench, "rotor", 170), -EINVAL, "invalid_args",
		       "rotor must be 0 to 140 degrees, not 170");
	assert_int_equal(move(bench, "rotor", -1), -EINVAL);
	assert_int_equal(move(bench, "rotor", NAN), -EINVAL);
	assert_int_equal(rig_move(bench->rig, &further, 1, NULL, &bench->err), -EINVAL);
	assert_int_equal(rig_check_targets(bench->rig, &further, 1, &bench->err),
			 -EINVAL);
	assert_angle(bench, "rotor", 90);
	assert_int_equal(move(bench, "rotor", 140), 0);
	assert_int_equal(move(bench, "rotor", 0), 0);
	assert_angle(bench, "rotor", 0);
}

static void an_endless_axis_goes_the_shorter_way(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);

	assert_int_equal(move(bench, "turntable", 350), 0);
	assert_int_equal(true_count(bench, "turntable"), -89);
	assert_int_equal(move(bench, "turntable", 10), 0);
	assert_int_equal(true_count(bench, "turntable"), 89);
	assert_int_equal(move(bench, "turntable", 370), 0);
	assert_int_equal(true_count(bench, "turntable"), 89);
	assert_int_equal(move(bench, "turntable", -90), 0);
	assert_angle(bench, "turntable", 270);
}

static void a_relative_move_keeps_its_direction(void **state)
{
	struct bench *bench = *state;
	struct rig_target turn = {.motor = "turntable", .degrees = 270, .relative = true};

	bench_open(bench, FAST);

	assert_int_equal(rig_move(bench->rig, &turn, 1, NULL, &bench->err), 0);

	assert_int_equal(true_count(bench, "turntable"), TABLE_TURN);
	assert_angle(bench, "turntable", 0);
}

static void many_small_moves_lose_no_steps(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);

	for (int i = 1; i <= 1000; i++) {
		struct rig_target target = {.motor = "turntable", .degrees = i * .36};

		assert_int_equal(rig_move(bench->rig, &target, 1, NULL, &bench->err), 0);
	}

	assert_int_equal(true_count(bench, "turntable"), TABLE_TURN);
	assert_angle(bench, "turntable", 0);
}

static void one_axis_cannot_have_two_targets(void **state)
{
	struct bench *bench = *state;
	struct rig_target targets[] = {{.motor = "rotor", .degrees = 10},
				       {.motor = "rotor", .degrees = 20}};

	bench_open(bench, FAST);

	assert_refused(bench, rig_move(bench->rig, targets, 2, NULL, &bench->err),
		       -EINVAL, "invalid_args", "rotor can have only one target");
}

static void a_moving_axis_takes_no_second_move(void **state)
{
	struct bench *bench = *state;
	struct mover mover;

	bench_open(bench, 1);
	mover_start(&mover, bench, 0, 90);

	assert_refused(bench, move(bench, "rotor", 20), -EBUSY, "device_busy",
		       "rotor is moving");
	assert_int_equal(rig_override(bench->rig, "rotor", 20, &bench->err), -EBUSY);
	assert_true(axis_of(bench, "rotor").moving);
	assert_false(rig_at_rest(bench->rig));

	rig_stop_motion(bench->rig);
	assert_int_equal(mover_join(&mover), -ECANCELED);
	assert_truth_is_known(bench);
}

static void an_interrupted_move_brakes_and_continues_exactly(void **state)
{
	struct bench *bench = *state;
	struct mover mover;

	bench_open(bench, 1);
	mover_start(&mover, bench, 60, 180);

	cancel_request(&mover.cancel);

	assert_int_equal(mover_join(&mover), -EINTR);
	assert_string_equal(mover.err.code, "interrupted");
	assert_true(axis_of(bench, "rotor").angle > 60.1);
	assert_truth_is_known(bench);

	assert_int_equal(rig_move(bench->rig, mover.targets, 2, NULL, &bench->err), 0);
	assert_angle(bench, "rotor", 60);
	assert_angle(bench, "turntable", 180);
	assert_truth_is_known(bench);
}

/* Stops the move on the mover's thread and returns how long that took, in ms. */
static int64_t stop_ms(struct mover *mover, void (*stop)(struct rig *rig))
{
	int64_t before = clock_monotonic_ms();

	stop(mover->bench->rig);
	pthread_join(mover->thread, NULL);
	assert_int_equal(mover->ret, -ECANCELED);
	return clock_monotonic_ms() - before;
}

/* On a busy machine a single attempt may have to wait for a processor. */
#define ATTEMPTS 10
#define SOON_MS 20

static void a_stop_ends_a_move_within_20_ms(void **state)
{
	struct bench *bench = *state;
	int64_t best = INT64_MAX;

	bench_open(bench, 1);

	for (int i = 0; i < ATTEMPTS && best > SOON_MS; i++) {
		struct mover mover;
		int64_t ms;

		mover_start(&mover, bench, i % 2 ? 130 : 0, 90);
		ms = stop_ms(&mover, rig_stop_motion);
		cancel_destroy(&mover.cancel);
		assert_string_equal(mover.err.text, "the move of the axes was stopped");
		best = ms < best ? ms : best;
	}

	assert_true(best <= SOON_MS);
	assert_truth_is_known(bench);
}

static void even_a_crawling_axis_stops_within_20_ms(void **state)
{
	struct bench *bench = *state;
	int64_t best = INT64_MAX;

	bench_open(bench, .01);

	for (int i = 0; i < ATTEMPTS && best > SOON_MS; i++) {
		struct mover mover = {
			.bench = bench,
			.targets = {{.motor = "turntable", .degrees = 200}},
			.n = 1,
		};
		int64_t ms;

		cancel_init(&mover.cancel);
		pthread_create(&mover.thread, NULL, mover_main, &mover);
		while (!axis_of(bench, "turntable").moving)
			sched_yield();
		ms = stop_ms(&mover, rig_stop_motion);
		cancel_destroy(&mover.cancel);
		best = ms < best ? ms : best;
	}

	assert_true(best <= SOON_MS);
}

static void moves_take_the_expected_time(void **state)
{
	struct bench *bench = *state;
	int64_t before;
	double seconds;

	bench_open(bench, 10);
	seconds = rig_move_seconds(bench->rig, "rotor", 90, 0);
	before = clock_monotonic_ms();

	assert_int_equal(move(bench, "rotor", 0), 0);

	assert_true(fabs(seconds - 2.3834) < .001);
	assert_true(clock_monotonic_ms() - before >= 230);
	assert_true(rig_move_seconds(bench->rig, "turntable", 350, 10) <
		    rig_move_seconds(bench->rig, "turntable", 10, 50));
}

static void the_change_callback_is_called_for_a_move(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);

	assert_int_equal(move(bench, "rotor", 80), 0);

	pthread_mutex_lock(&bench->lock);
	assert_true(bench->changes[DEVICE_MOTOR] >= 2);
	pthread_mutex_unlock(&bench->lock);
}

/* ---- homing and unknown positions ---- */

static void an_unknown_axis_homes_before_it_moves(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);
	assert_int_equal(move(bench, "rotor", 12), 0);
	forget_positions(bench, FAST);

	assert_int_equal(move(bench, "rotor", 50), 0);

	assert_angle(bench, "rotor", 50);
	assert_int_equal(recorded_count(bench, "rotor", ROTOR_TURN),
			 true_count(bench, "rotor"));
}

static void an_axis_homes_from_a_pressed_endstop(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);
	turn_rotor_by_hand(bench, 55 * ROTOR_TURN / 360);
	forget_positions(bench, FAST);

	assert_int_equal(rig_home(bench->rig, "rotor", NULL, &bench->err), 0);

	assert_angle(bench, "rotor", 90);
	assert_int_equal(recorded_count(bench, "rotor", ROTOR_TURN),
			 true_count(bench, "rotor"));
	assert_state(bench, DEVICE_MOTOR, 0,
		     "{\"name\":\"rotor\",\"angle\":90,\"target\":null,\"busy\":false,"
		     "\"position\":\"known\",\"calibrated\":true,\"uncertainty\":0,"
		     "\"enabled\":true,\"min\":0,\"max\":140}");
}

static void an_axis_without_endstop_needs_an_override(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);
	forget_positions(bench, FAST);

	assert_refused(bench, move(bench, "turntable", 10), -ENODATA, "invalid_state",
		       "the position of turntable is unknown: set it by hand, send "
		       "motor/override, then resume");
	assert_int_equal(rig_override(bench->rig, "turntable", 400, &bench->err), 0);
	assert_angle(bench, "turntable", 40);
	assert_int_equal(move(bench, "turntable", 10), 0);
	assert_angle(bench, "turntable", 10);
}

static void nothing_moves_when_one_axis_cannot_be_homed(void **state)
{
	struct bench *bench = *state;
	struct rig_target targets[] = {{.motor = "rotor", .degrees = 10},
				       {.motor = "turntable", .degrees = 20}};
	int64_t stood;

	bench_open(bench, FAST);
	forget_positions(bench, FAST);
	stood = true_count(bench, "rotor");

	assert_int_equal(rig_move(bench->rig, targets, 2, NULL, &bench->err), -ENODATA);

	assert_int_equal(true_count(bench, "rotor"), stood);
}

static void a_new_scan_assumes_that_an_endless_axis_is_at_home(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);
	forget_positions(bench, FAST);

	rig_adopt_endless(bench->rig);

	assert_angle(bench, "turntable", 90);
	assert_false(axis_of(bench, "rotor").known);
}

static void home_without_a_name_homes_everything(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);
	assert_int_equal(move(bench, "turntable", 200), 0);
	turn_rotor_by_hand(bench, -700);

	assert_int_equal(rig_home(bench->rig, NULL, NULL, &bench->err), 0);

	assert_angle(bench, "rotor", 90);
	assert_angle(bench, "turntable", 90);
	assert_truth_is_known(bench);
}

static void an_endstop_that_is_never_reached_is_a_fault(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);
	turn_rotor_by_hand(bench, -200 * ROTOR_TURN / 360);

	assert_refused(bench, rig_home(bench->rig, "rotor", NULL, &bench->err), -EIO,
		       "hardware_fault",
		       "rotor does not meet its endstop: check the endstop rotor-endstop "
		       "and its wiring");
	assert_false(axis_of(bench, "rotor").known);
}

static void an_endstop_that_stays_pressed_is_a_fault(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);
	turn_rotor_by_hand(bench, 100 * ROTOR_TURN / 360);

	assert_int_equal(rig_home(bench->rig, "rotor", NULL, &bench->err), -EIO);

	assert_string_equal(bench->err.code, "hardware_fault");
	assert_false(axis_of(bench, "rotor").known);
}

static void an_endstop_at_the_wrong_angle_reports_lost_steps(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);
	turn_rotor_by_hand(bench, 30 * ROTOR_TURN / 360);

	assert_refused(bench, move(bench, "rotor", 135), -EIO, "hardware_fault",
		       "rotor met its endstop at 110.0 degrees instead of 140.0: it has "
		       "lost steps and must home");
	assert_false(axis_of(bench, "rotor").known);
	assert_int_equal(move(bench, "rotor", 135), 0);
	assert_int_equal(recorded_count(bench, "rotor", ROTOR_TURN),
			 true_count(bench, "rotor"));
}

static void an_interrupted_homing_can_be_repeated(void **state)
{
	struct bench *bench = *state;
	struct mover mover;

	bench_open(bench, FAST);
	assert_int_equal(move(bench, "rotor", 0), 0);
	forget_positions(bench, 1);
	rig_adopt_endless(bench->rig);
	mover_start(&mover, bench, 90, 90);

	cancel_request(&mover.cancel);

	assert_int_equal(mover_join(&mover), -EINTR);
	assert_false(axis_of(bench, "rotor").known);
	bench_reopen(bench, FAST);
	assert_int_equal(move(bench, "rotor", 90), 0);
	assert_int_equal(recorded_count(bench, "rotor", ROTOR_TURN),
			 true_count(bench, "rotor"));
}

/* ---- the emergency stop ---- */

static void an_emergency_stop_ends_everything_and_stays(void **state)
{
	struct bench *bench = *state;
	struct rig_light light;
	struct frame *frame;
	struct mover mover;

	bench_open(bench, 1);
	assert_int_equal(rig_light_set(bench->rig, NULL, true, 40, &bench->err), 0);
	mover_start(&mover, bench, 0, 90);

	rig_estop(bench->rig);

	assert_int_equal(mover_join(&mover), -ECANCELED);
	assert_string_equal(mover.err.code, "estopped");
	assert_true(rig_estopped(bench->rig));
	assert_int_equal(rig_light_get(bench->rig, "ringlight", &light, &bench->err), 0);
	assert_false(light.on);
	assert_int_equal(light.brightness, 40);
	assert_refused(bench, move(bench, "turntable", 10), -EPERM, "estopped",
		       "the emergency stop is on: send queue/resume to lift it");
	assert_int_equal(rig_home(bench->rig, NULL, NULL, &bench->err), -EPERM);
	assert_int_equal(rig_capture(bench->rig, 0, NULL, &frame, &bench->err), -EPERM);
	assert_int_equal(rig_trigger(bench->rig, "external", 0, 0, NULL, &bench->err),
			 -EPERM);
	assert_truth_is_known(bench);
}

static void after_an_emergency_stop_the_rotor_homes_first(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);
	rig_estop(bench->rig);
	turn_rotor_by_hand(bench, -500);
	rig_release_estop(bench->rig);
	/* Also if the program was killed in between. */
	bench_reopen(bench, FAST);

	assert_int_equal(move(bench, "turntable", 20), 0);
	assert_int_equal(recorded_count(bench, "rotor", ROTOR_TURN),
			 true_count(bench, "rotor") + 500);
	assert_int_equal(move(bench, "rotor", 20), 0);

	assert_truth_is_known(bench);
	assert_angle(bench, "rotor", 20);
}

/* ---- light and trigger ---- */

static void assert_light(struct bench *bench, const char *name, bool on, int brightness)
{
	struct rig_light light;

	assert_int_equal(rig_light_get(bench->rig, name, &light, &bench->err), 0);
	assert_int_equal(light.on, on);
	assert_int_equal(light.brightness, brightness);
}

static void a_light_keeps_its_brightness_while_off(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);

	assert_int_equal(rig_light_set(bench->rig, "lamp", true, 30, &bench->err), 0);
	assert_light(bench, "lamp", true, 30);
	assert_int_equal(rig_light_set(bench->rig, "lamp", false, -1, &bench->err), 0);
	assert_light(bench, "lamp", false, 30);
	assert_int_equal(rig_light_set(bench->rig, "lamp", true, -1, &bench->err), 0);
	assert_light(bench, "lamp", true, 30);
	assert_int_equal(rig_light_set(bench->rig, "lamp", true, 0, &bench->err), 0);
	assert_light(bench, "lamp", false, 30);
	assert_light(bench, "ringlight", false, 100);
	assert_refused(bench, rig_light_set(bench->rig, "lamp", true, 170, &bench->err),
		       -EINVAL, "invalid_args", "brightness must be 0 to 100, not 170");
}

static void a_trigger_reports_the_time_of_its_pulse(void **state)
{
	struct bench *bench = *state;
	int64_t before;
	cJSON *trigger;

	bench_open(bench, 10);
	before = clock_monotonic_ms();

	assert_int_equal(rig_trigger(bench->rig, "external", 300, 200, NULL, &bench->err),
			 0);

	/* 600 ms at ten times the speed, and no sleep of the last 2 ms. */
	assert_true(clock_monotonic_ms() - before >= 50);
	trigger = rig_state(bench->rig, DEVICE_TRIGGER, 0);
	assert_non_null(json_string(trigger, "fired_at"));
	cJSON_Delete(trigger);
	assert_refused(bench, rig_trigger(bench->rig, "off", 0, 0, NULL, &bench->err),
		       -EPERM, "invalid_state",
		       "the trigger off is disabled in the device config");
	assert_int_equal(rig_trigger(bench->rig, "external", -1, 0, NULL, &bench->err),
			 -EINVAL);
}

static void a_trigger_interrupted_before_its_pulse_has_not_fired(void **state)
{
	struct bench *bench = *state;
	struct cancel cancel;

	bench_open(bench, 1);
	cancel_init(&cancel);
	cancel_request(&cancel);

	assert_int_equal(
		rig_trigger(bench->rig, "external", 60000, 0, &cancel, &bench->err),
		-EINTR);

	assert_state(bench, DEVICE_TRIGGER, 0,
		     "{\"name\":\"external\",\"busy\":false,\"fired_at\":null}");
	cancel_destroy(&cancel);
}

/* ---- the camera ---- */

static int set_camera(struct bench *bench, const char *text)
{
	cJSON *patch = json_parse(text, strlen(text), &bench->err);
	int ret = rig_camera_set(bench->rig, 0, patch, &bench->err);

	cJSON_Delete(patch);
	return ret;
}

static struct frame *capture(struct bench *bench)
{
	struct frame *frame = NULL;

	if (rig_capture(bench->rig, 0, NULL, &frame, &bench->err) < 0)
		fail_msg("%s", bench->err.text);
	return frame;
}

/* Line `line` (from 1) of the shutter log without its time, or "". */
static void shutter_line(const struct bench *bench, int line, char text[160])
{
	char path[PATH_MAX];
	char buffer[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/sim/shutter.log", bench->dir);
	file = fopen(path, "r");
	assert_non_null(file);
	text[0] = '\0';
	for (int i = 1; fgets(buffer, sizeof(buffer), file); i++)
		if (i == line)
			snprintf(text, 160, "%s", strchr(buffer, ' ') + 1);
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
}

static void each_exposure_is_one_line_of_the_shutter_log(void **state)
{
	struct bench *bench = *state;
	char line[160];

	bench_open(bench, FAST);
	assert_int_equal(move(bench, "turntable", 180), 0);
	assert_int_equal(rig_light_set(bench->rig, "ringlight", true, 70, &bench->err),
			 0);
	frame_free(capture(bench));
	bench_reopen(bench, FAST);
	turn_rotor_by_hand(bench, ROTOR_TURN);
	frame_free(capture(bench));

	shutter_line(bench, 1, line);
	assert_string_equal(line, "1 90.0021 180.0000 70");
	shutter_line(bench, 2, line);
	assert_string_equal(line, "2 450.0021 180.0000 0");
	shutter_line(bench, 3, line);
	assert_string_equal(line, "");
}

static void a_photo_is_as_the_settings_say(void **state)
{
	struct bench *bench = *state;
	struct frame *frame;

	bench_open(bench, FAST);
	assert_int_equal(set_camera(bench, "{\"shutter\":20,\"gain\":2,\"crop_width\":50,"
					   "\"orientation_flag\":6,\"jpeg_quality\":75}"),
			 0);

	frame = capture(bench);

	/* Rotated by 90 degrees, so the cropped width is the sensor's height. */
	assert_int_equal(frame->width, 64);
	assert_int_equal(frame->height, 24);
	assert_int_equal(frame->orientation, 6);
	assert_int_equal(frame->jpeg_quality, 75);
	assert_true(fabs(frame->shutter_ms - 20) < 1e-9);
	assert_true(fabs(frame->gain - 2) < 1e-9);
	assert_true(frame->focal_px > 40 && frame->focal_px < 60);
	assert_true(llabs(frame->taken_at_ms - clock_wall_ms()) < DEADLINE_MS);
	assert_string_equal(frame->camera, "sim");
	frame_free(frame);
}

/* The mean difference of all bytes of two photos of one size. */
static long difference(const struct frame *a, const struct frame *b)
{
	long off = 0, n = (long)a->width * a->height * 3;

	for (long i = 0; i < n; i++)
		off += abs(a->rgb[i] - b->rgb[i]);
	return off / n;
}

static void a_photo_of_a_camera_on_its_side_is_upright_when_turned(void **state)
{
	struct bench *bench = *state;
	struct frame *straight, *photo, *upright;

	bench_open(bench, FAST);
	assert_int_equal(rig_light_set(bench->rig, "ringlight", true, 100, &bench->err),
			 0);
	/* The middle 40 by 40 pixels are the same for any orientation of the sensor. */
	assert_int_equal(set_camera(bench, "{\"photo_resolution\":[40,40]}"), 0);
	straight = capture(bench);
	for (int flag = 2; flag <= 8; flag++) {
		char text[64];

		snprintf(text, sizeof(text), "{\"orientation_flag\":%d}", flag);
		assert_int_equal(set_camera(bench, text), 0);
		photo = capture(bench);
		upright = photo_upright(photo);
		assert_in_range(difference(upright, straight), 0, 8); /* noise */
		assert_in_range(difference(photo, straight), 9, 255);
		frame_free(photo);
		frame_free(upright);
	}
	frame_free(straight);

	assert_int_equal(set_camera(bench, "{\"photo_resolution\":[64,48]}"), 0);
	photo = capture(bench);
	assert_int_equal(photo->width, 64);
	assert_int_equal(photo->height, 48);
	frame_free(photo);
}

static void camera_settings_change_all_or_none(void **state)
{
	struct bench *bench = *state;
	cJSON *settings;

	bench_open(bench, FAST);

	assert_refused(bench, set_camera(bench, "{\"gain\":3,\"shutter\":0}"), -EINVAL,
		       "invalid_args", "shutter must be 0.001 to 435918.849, not 0");
	assert_refused(bench, set_camera(bench, "{\"photo_resolution\":[4658,100]}"),
		       -EINVAL, "invalid_args",
		       "photo_resolution must be at most 4656 by 3496, not 4658 by 100");
	assert_int_equal(set_camera(bench, "{\"gian\":3}"), -EINVAL);
	assert_int_equal(set_camera(bench, "{\"AF\":null}"), -EINVAL);
	assert_int_equal(set_camera(bench, "{\"photo_resolution\":[64]}"), -EINVAL);
	assert_int_equal(set_camera(bench, "{\"photo_resolution\":null}"), 0);

	settings = rig_camera_settings(bench->rig, 0);
	assert_int_equal((int)json_number(settings, "gain", 0), 1);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(settings, "photo_resolution")));
	cJSON_Delete(settings);
}

static void an_interrupted_exposure_is_no_photo(void **state)
{
	struct bench *bench = *state;
	struct cancel cancel;
	struct frame *frame;
	char line[160];

	bench_open(bench, 1);
	assert_int_equal(set_camera(bench, "{\"shutter\":60000}"), 0);
	cancel_init(&cancel);
	cancel_request(&cancel);

	assert_int_equal(rig_capture(bench->rig, 0, &cancel, &frame, &bench->err),
			 -EINTR);

	shutter_line(bench, 1, line);
	assert_string_equal(line, "");
	assert_true(rig_at_rest(bench->rig));
	cancel_destroy(&cancel);
}

static void *capture_main(void *context)
{
	struct mover *mover = context;
	struct frame *frame;

	mover->ret = rig_capture(mover->bench->rig, 0, NULL, &frame, &mover->err);
	return NULL;
}

static void an_exposing_camera_is_busy_until_stopped(void **state)
{
	struct bench *bench = *state;
	int64_t best = INT64_MAX;

	bench_open(bench, 1);
	assert_int_equal(set_camera(bench, "{\"shutter\":60000}"), 0);

	for (int i = 0; i < ATTEMPTS && best > SOON_MS; i++) {
		struct mover mover = {.bench = bench};
		struct frame *frame;
		int64_t ms;

		rig_release_estop(bench->rig);
		pthread_create(&mover.thread, NULL, capture_main, &mover);
		while (rig_at_rest(bench->rig))
			sched_yield();
		assert_refused(bench,
			       rig_capture(bench->rig, 0, NULL, &frame, &bench->err),
			       -EBUSY, "device_busy", "the camera sim is taking a photo");
		ms = stop_ms(&mover, rig_estop);
		best = ms < best ? ms : best;
	}

	assert_true(best <= SOON_MS);
}

static double setting(struct bench *bench, const char *key)
{
	cJSON *settings = rig_camera_settings(bench->rig, 0);
	double value = json_number(settings, key, 0);

	cJSON_Delete(settings);
	return value;
}

static int brightest(const struct frame *frame)
{
	int most = 0;

	for (int i = 0; i < frame->width * frame->height * 3; i++)
		most = frame->rgb[i] > most ? frame->rgb[i] : most;
	return most;
}

static void calibrating_gives_the_same_from_a_dark_and_a_bright_start(void **state)
{
	struct bench *bench = *state;
	struct frame *frame;
	double shutter, red;

	bench_open(bench, FAST);
	assert_int_equal(rig_light_set(bench->rig, "ringlight", true, 100, &bench->err),
			 0);
	assert_int_equal(set_camera(bench, "{\"shutter\":5}"), 0);
	if (rig_camera_calibrate(bench->rig, 0, NULL, &bench->err) < 0)
		fail_msg("%s", bench->err.text);
	shutter = setting(bench, "shutter");
	red = setting(bench, "awbg_red");
	frame = capture(bench);
	assert_in_range(brightest(frame), 190, 255);
	frame_free(frame);

	assert_int_equal(set_camera(bench, "{\"shutter\":900,\"awbg_red\":4}"), 0);
	assert_int_equal(rig_camera_calibrate(bench->rig, 0, NULL, &bench->err), 0);

	assert_true(fabs(setting(bench, "shutter") / shutter - 1) < 0.1);
	assert_true(fabs(setting(bench, "awbg_red") / red - 1) < 0.1);
}

static void calibrating_in_the_dark_is_refused(void **state)
{
	struct bench *bench = *state;

	bench_open(bench, FAST);

	assert_refused(bench, rig_camera_calibrate(bench->rig, 0, NULL, &bench->err),
		       -ENODATA, "invalid_state",
		       "it is too dark to calibrate: turn a light on");
	assert_true(fabs(setting(bench, "shutter") - 50) < 1e-9);
	assert_true(rig_at_rest(bench->rig));
}

static void white_balance_tints_the_photo(void **state)
{
	struct bench *bench = *state;
	struct frame *before, *after;
	long red[2] = {0, 0}, green[2] = {0, 0};

	bench_open(bench, FAST);
	assert_int_equal(rig_light_set(bench->rig, "ringlight", true, 100, &bench->err),
			 0);
	before = capture(bench);
	assert_int_equal(set_camera(bench, "{\"awbg_red\":0.9}"), 0);
	after = capture(bench);

	for (int i = 0; i < 64 * 48; i++) {
		red[0] += before->rgb[i * 3];
		red[1] += after->rgb[i * 3];
		green[0] += before->rgb[i * 3 + 1];
		green[1] += after->rgb[i * 3 + 1];
	}
	assert_true(red[1] < red[0] * 8 / 10);
	assert_true(labs(green[1] - green[0]) < green[0] / 10);
	frame_free(before);
	frame_free(after);
}

static void a_preview_has_its_own_size(void **state)
{
	struct bench *bench = *state;
	struct frame *frame;

	bench_open(bench, FAST);
	assert_int_equal(set_camera(bench, "{\"photo_resolution\":[1640,1232]}"), 0);
	assert_int_equal(rig_preview(bench->rig, 0, NULL, &frame, &bench->err), 0);
	assert_int_equal(frame->width, 640);
	assert_int_equal(frame->height, 480);
	frame_free(frame);

	assert_int_equal(set_camera(bench, "{\"preview_resolution\":[320,200]}"), 0);
	assert_int_equal(rig_preview(bench->rig, 0, NULL, &frame, &bench->err), 0);
	assert_int_equal(frame->width, 320);
	assert_int_equal(frame->height, 200);
	frame_free(frame);
}

/* ---- ordered faults ---- */

/* Opens a rig with `sim` as its member "sim" and returns the result. */
static int try_with_sim_at(struct bench *bench, const char *sim, double speed)
{
	cJSON *config = config_new();
	int ret;

	cJSON_AddItemToObject(config, "sim", json_parse(sim, strlen(sim), &bench->err));
	ret = bench_try(bench, config, speed);
	cJSON_Delete(config);
	return ret;
}

static int try_with_sim(struct bench *bench, const char *sim)
{
	return try_with_sim_at(bench, sim, FAST);
}

static void open_with_sim(struct bench *bench, const char *sim)
{
	if (try_with_sim(bench, sim) < 0)
		fail_msg("%s", bench->err.text);
}

static int try_photo(struct bench *bench)
{
	struct frame *frame = NULL;
	int ret = rig_capture(bench->rig, 0, NULL, &frame, &bench->err);

	frame_free(frame);
	return ret;
}

static void a_camera_fails_every_nth_time(void **state)
{
	struct bench *bench = *state;

	open_with_sim(bench, "{\"faults\":[{\"kind\":\"fail\",\"every\":3}]}");

	for (int photo = 1; photo <= 6; photo++)
		assert_int_equal(try_photo(bench), photo % 3 ? 0 : -EIO);
	assert_string_equal(bench->err.code, "hardware_fault");
}

static void a_camera_fails_at_a_photo_and_those_after_it(void **state)
{
	struct bench *bench = *state;

	open_with_sim(bench,
		      "{\"faults\":[{\"kind\":\"fail\",\"photo\":2,\"times\":2}]}");

	for (int photo = 1; photo <= 5; photo++)
		assert_int_equal(try_photo(bench), photo == 2 || photo == 3 ? -EIO : 0);
}

static void a_torn_photo_is_no_photo(void **state)
{
	struct bench *bench = *state;

	open_with_sim(bench, "{\"faults\":[{\"kind\":\"torn\",\"photo\":1}]}");

	assert_refused(bench, try_photo(bench), -EIO, "hardware_fault",
		       "the photo of sim is torn: 24 of 48 rows arrived");
	assert_int_equal(try_photo(bench), 0);
}

static void waiting_for_a_camera_that_hangs_ends(void **state)
{
	struct bench *bench = *state;

	open_with_sim(bench, "{\"faults\":[{\"kind\":\"hang\",\"photo\":1}]}");

	assert_refused(bench, try_photo(bench), -ETIMEDOUT, "hardware_fault",
		       "the camera sim did not answer for 20 seconds");
	assert_true(rig_at_rest(bench->rig));
	assert_int_equal(try_photo(bench), 0);
}

/* At this speed the 20 s of patience are 400 ms, which a loaded machine keeps. */
static void a_slow_camera_is_waited_for(void **state)
{
	struct bench *bench = *state;
	const int speed = 50;
	int64_t before;

	if (try_with_sim_at(bench,
			    "{\"faults\":[{\"kind\":\"slow\",\"photo\":1,"
			    "\"ms\":10000}]}",
			    speed) < 0)
		fail_msg("%s", bench->err.text);
	before = clock_monotonic_ms();

	assert_int_equal(try_photo(bench), 0);

	/* The last 2 ms are not slept. */
	assert_true(clock_monotonic_ms() - before >= 10000 / speed - 3);
}

static void a_camera_that_is_gone_does_not_answer(void **state)
{
	struct bench *bench = *state;

	open_with_sim(bench, "{\"faults\":[{\"kind\":\"gone\",\"photo\":2}]}");

	assert_int_equal(rig_camera_answers(bench->rig, 0, &bench->err), 0);
	assert_int_equal(try_photo(bench), 0);
	assert_refused(bench, rig_camera_answers(bench->rig, 0, &bench->err), -ENODEV,
		       "hal_unavailable", "the simulated camera does not answer");
	for (int i = 0; i < 4; i++)
		assert_int_equal(try_photo(bench), -ENODEV);
}

static void an_invalid_fault_is_refused(void **state)
{
	struct bench *bench = *state;

	assert_refused(bench, try_with_sim(bench, "{\"faults\":[{\"kind\":\"fail\"}]}"),
		       -EINVAL, "invalid_args",
		       "sim.faults[0]: either every or photo is needed");
	assert_refused(bench,
		       try_with_sim(bench, "{\"faults\":[{\"kind\":\"explode\","
					   "\"every\":1}]}"),
		       -EINVAL, "invalid_args",
		       "sim.faults[0]: kind must be one of fail, hang, slow, torn, gone, "
		       "not \"explode\"");
	assert_refused(bench, try_with_sim(bench, "{\"show_image\":\"/nowhere.jpg\"}"),
		       -ENOENT, "invalid_args",
		       "sim.show_image: /nowhere.jpg: No such file or directory");
}

/* ---- in two steps ---- */

static void a_photo_is_read_out_after_the_next_one_is_taken(void **state)
{
	struct bench *bench = *state;
	struct rig_shot *first, *second;
	struct frame *before, *after;

	bench_open(bench, FAST);
	assert_int_equal(rig_light_set(bench->rig, NULL, true, 100, &bench->err), 0);
	assert_int_equal(rig_expose(bench->rig, 0, NULL, &first, &bench->err), 0);
	assert_int_equal(move(bench, "turntable", 270), 0);
	assert_int_equal(rig_expose(bench->rig, 0, NULL, &second, &bench->err), 0);

	assert_int_equal(rig_read_out(second, &after, &bench->err), 0);
	assert_int_equal(rig_read_out(first, &before, &bench->err), 0);

	/* Each shows the object from the angle at which the shutter was open. */
	assert_memory_not_equal(before->rgb, after->rgb, 64 * 48 * 3);
	assert_int_equal(move(bench, "turntable", 90), 0);
	frame_free(after);
	after = capture(bench);
	for (int i = 0; i < 64 * 48 * 3; i++)
		assert_true(abs(before->rgb[i] - after->rgb[i]) < 60);
	frame_free(before);
	frame_free(after);
}

static void a_discarded_exposure_gives_no_photo(void **state)
{
	struct bench *bench = *state;
	struct rig_shot *shot;

	bench_open(bench, FAST);
	assert_int_equal(rig_expose(bench->rig, 0, NULL, &shot, &bench->err), 0);

	rig_shot_drop(shot);

	assert_true(rig_at_rest(bench->rig));
}

static void write_poster(const char *path)
{
	struct frame *picture = frame_new(96, 96);
	struct err err = {0};
	void *jpeg;
	size_t size;
	FILE *file;

	memset(picture->rgb + 96 * 48 * 3, 255, 96 * 48 * 3);
	picture->orientation = 1;
	picture->jpeg_quality = 95;
	if (photo_encode(picture, &jpeg, &size, &err) < 0)
		fail_msg("%s", err.text);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(jpeg, 1, size, file), size);
	fclose(file);
	free(jpeg);
	frame_free(picture);
}

static void a_picture_can_be_held_before_the_camera(void **state)
{
	struct bench *bench = *state;
	char path[96], sim[128];
	struct frame *frame;

	snprintf(path, sizeof(path), "%s/poster.jpg", bench->dir);
	write_poster(path);
	snprintf(sim, sizeof(sim), "{\"show_image\":\"%s\"}", path);
	open_with_sim(bench, sim);

	frame = capture(bench);

	/* 48 of 64 pixels wide, in the middle: black above, white below. */
	assert_in_range(frame->rgb[(12 * 64 + 32) * 3], 0, 20);
	assert_in_range(frame->rgb[(36 * 64 + 32) * 3], 235, 255);
	assert_int_equal(frame->rgb[(36 * 64 + 4) * 3], 0);
	frame_free(frame);
	remove(path);
}

/* ---- killed ---- */

/* Moves to and fro for ever; writes a byte to fd when it has begun. */
static void move_until_killed(struct bench *bench, int fd)
{
	bench_open(bench, 20);
	if (write(fd, "x", 1) != 1)
		_exit(1);
	for (;;) {
		struct rig_target there[] = {{.motor = "rotor", .degrees = 130},
					     {.motor = "turntable", .degrees = 200}};
		struct rig_target back[] = {{.motor = "rotor", .degrees = 10},
					    {.motor = "turntable", .degrees = 90}};

		if (rig_move(bench->rig, there, 2, NULL, &bench->err) < 0 ||
		    rig_move(bench->rig, back, 2, NULL, &bench->err) < 0)
			_exit(1);
	}
}

static void a_kill_in_mid_move_costs_at_most_one_step(void **state)
{
	struct bench *bench = *state;

	for (int round = 0; round < 10; round++) {
		int pipes[2];
		pid_t pid;
		char byte;

		assert_int_equal(pipe(pipes), 0);
		pid = fork();
		if (pid == 0)
			move_until_killed(bench, pipes[1]);
		assert_int_equal(read(pipes[0], &byte, 1), 1);
		wait_for_steps(bench, true_count(bench, "rotor"), 300 + 211 * round);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);

		assert_true(llabs(recorded_count(bench, "rotor", ROTOR_TURN) -
				  true_count(bench, "rotor")) <= 1);
		/* It has no endstop: steps lost by earlier kills stay lost. */
		assert_true(llabs(recorded_count(bench, "turntable", TABLE_TURN) -
				  true_count(bench, "turntable")) <= 1 + round);
		bench_open(bench, FAST);
		assert_true(axis_of(bench, "rotor").known);
		assert_true(axis_of(bench, "turntable").known);
		/* Homing corrects the one step. */
		assert_int_equal(rig_home(bench->rig, NULL, NULL, &bench->err), 0);
		assert_int_equal(recorded_count(bench, "rotor", ROTOR_TURN),
				 true_count(bench, "rotor"));
		bench_close(bench);
		close(pipes[0]);
		close(pipes[1]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_simulated_rig_knows_that_it_is_at_home),
		TEST(a_lost_position_file_is_an_unknown_position),
		TEST(positions_outlive_the_program),
		TEST(a_device_with_a_bad_config_is_left_out_and_named),
		TEST(a_wrong_value_of_the_rig_gets_its_default),
		TEST(a_motor_works_beside_one_that_is_left_out),
		TEST(an_unknown_backend_is_refused),
		TEST(devices_are_found_by_name),
		TEST(device_states_match_the_contract),
		TEST(axes_reach_their_targets_together),
		TEST(a_limited_axis_stays_within_its_limits),
		TEST(an_endless_axis_goes_the_shorter_way),
		TEST(a_relative_move_keeps_its_direction),
		TEST(many_small_moves_lose_no_steps),
		TEST(one_axis_cannot_have_two_targets),
		TEST(a_moving_axis_takes_no_second_move),
		TEST(an_interrupted_move_brakes_and_continues_exactly),
		TEST(a_stop_ends_a_move_within_20_ms),
		TEST(even_a_crawling_axis_stops_within_20_ms),
		TEST(moves_take_the_expected_time),
		TEST(the_change_callback_is_called_for_a_move),
		TEST(an_unknown_axis_homes_before_it_moves),
		TEST(an_axis_homes_from_a_pressed_endstop),
		TEST(an_axis_without_endstop_needs_an_override),
		TEST(nothing_moves_when_one_axis_cannot_be_homed),
		TEST(a_new_scan_assumes_that_an_endless_axis_is_at_home),
		TEST(home_without_a_name_homes_everything),
		TEST(an_endstop_that_is_never_reached_is_a_fault),
		TEST(an_endstop_that_stays_pressed_is_a_fault),
		TEST(an_endstop_at_the_wrong_angle_reports_lost_steps),
		TEST(an_interrupted_homing_can_be_repeated),
		TEST(an_emergency_stop_ends_everything_and_stays),
		TEST(after_an_emergency_stop_the_rotor_homes_first),
		TEST(a_light_keeps_its_brightness_while_off),
		TEST(a_trigger_reports_the_time_of_its_pulse),
		TEST(a_trigger_interrupted_before_its_pulse_has_not_fired),
		TEST(each_exposure_is_one_line_of_the_shutter_log),
		TEST(a_photo_is_as_the_settings_say),
		TEST(a_photo_of_a_camera_on_its_side_is_upright_when_turned),
		TEST(camera_settings_change_all_or_none),
		TEST(an_interrupted_exposure_is_no_photo),
		TEST(an_exposing_camera_is_busy_until_stopped),
		TEST(calibrating_gives_the_same_from_a_dark_and_a_bright_start),
		TEST(calibrating_in_the_dark_is_refused),
		TEST(white_balance_tints_the_photo),
		TEST(a_preview_has_its_own_size),
		TEST(a_camera_fails_every_nth_time),
		TEST(a_camera_fails_at_a_photo_and_those_after_it),
		TEST(a_torn_photo_is_no_photo),
		TEST(waiting_for_a_camera_that_hangs_ends),
		TEST(a_slow_camera_is_waited_for),
		TEST(a_camera_that_is_gone_does_not_answer),
		TEST(an_invalid_fault_is_refused),
		TEST(a_photo_is_read_out_after_the_next_one_is_taken),
		TEST(a_discarded_exposure_gives_no_photo),
		TEST(a_picture_can_be_held_before_the_camera),
		TEST(a_kill_in_mid_move_costs_at_most_one_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
