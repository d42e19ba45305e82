/* Tests the backend for real GPIO lines with simulated ones. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"
#include "hal/linux/gpio.h"
#include "hal/position.h"
#include "hal/rig.h"

#define LINES 64
#define EDGES 64
#define TURN 3200

/* ---- lines, in memory that a killed process leaves behind ---- */

struct axis_lines {
	unsigned step, direction;
	int64_t count; /* of the driver: up while the direction line is high */
};

static struct world {
	bool taken[LINES], output[LINES], level[LINES], safe[LINES];
	char consumer[LINES][GPIO_NAME];
	const char *holder[LINES]; /* another program */
	int requests[LINES];
	bool broken[LINES]; /* it cannot be set */
	int crash;	    /* this signal comes when the trigger fires */
	struct axis_lines axes[2];
	int64_t high_since[LINES], shortest_high_ns, shortest_setup_ns, turned_ns[2];

	/* A switch that is pressed (low) from this count of the first axis upwards. */
	unsigned input;
	int64_t pressed_from;
	int bounces; /* more edges at each change */
	bool stuck;  /* it never changes */
	bool edges[EDGES];
	int first_edge, edge_count;
	atomic_int readers, most_readers; /* of the edges, at a time */

	/* The process kills itself at this pulse of the first axis, counted from its next
	 * one: before (even) or after (odd) the line rises or falls. */
	int death_pulse; /* 0: never */
	enum death { BEFORE_RISE, AFTER_RISE, BEFORE_FALL, AFTER_FALL, DEATHS } death;
} * world;

struct gpio_line {
	unsigned offset;
};

struct gpio_chip {
	int open;
};

int gpio_open(struct gpio_chip **out, const char *name, struct err *err)
{
	if (strcmp(name, "pinctrl-bcm2711") != 0 && strcmp(name, "gpiochip7") != 0)
		return err_code(err, -ENODEV, "hal_unavailable",
				"there is no GPIO chip '%s'", name);
	*out = calloc(1, sizeof(**out));
	return 0;
}

void gpio_close(struct gpio_chip *chip)
{
	free(chip);
}

static int world_take(struct gpio_line **out, unsigned offset, const char *consumer,
		      struct err *err)
{
	if (world->holder[offset])
		return err_code(err, -EBUSY, "device_busy", "GPIO %u is in use by %s",
				offset, world->holder[offset]);
	if (world->taken[offset])
		return err_code(err, -EBUSY, "device_busy", "GPIO %u is in use by %s",
				offset, world->consumer[offset]);
	world->taken[offset] = true;
	world->requests[offset]++;
	snprintf(world->consumer[offset], GPIO_NAME, "%s", consumer);
	*out = calloc(1, sizeof(**out));
	(*out)->offset = offset;
	return 0;
}

int gpio_output(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
		const char *consumer, bool safe, struct err *err)
{
	int ret = world_take(out, offset, consumer, err);

	(void)chip;
	if (ret < 0)
		return ret;
	world->output[offset] = true;
	world->safe[offset] = safe;
	world->level[offset] = safe;
	return 0;
}

int gpio_input(struct gpio_line **out, struct gpio_chip *chip, unsigned offset,
	       const char *consumer, enum gpio_pull pull, unsigned debounce_us,
	       bool *debounced, struct err *err)
{
	(void)chip;
	(void)pull;
	(void)debounce_us;
	*debounced = false;
	return world_take(out, offset, consumer, err);
}

void gpio_release(struct gpio_line *line)
{
	if (!line)
		return;
	if (world->output[line->offset])
		world->level[line->offset] = world->safe[line->offset];
	world->taken[line->offset] = false;
	free(line);
}

static void world_edge(bool rising)
{
	if (world->edge_count < EDGES)
		world->edges[(world->first_edge + world->edge_count++) % EDGES] = rising;
}

/* The switch follows the axis. */
static void world_press(void)
{
	bool low = world->axes[0].count >= world->pressed_from;

	if (!world->input || world->stuck || low == !world->level[world->input])
		return;
	for (int i = 0; i < world->bounces; i++) {
		world_edge(!low);
		world_edge(low);
	}
	world->level[world->input] = !low;
	world_edge(!low);
}

static void world_step(size_t axis, bool level)
{
	struct axis_lines *lines = &world->axes[axis];
	int64_t now = clock_monotonic_ns();

	if (!level) {
		int64_t high = now - world->high_since[lines->step];

		if (high < world->shortest_high_ns)
			world->shortest_high_ns = high;
		return;
	}
	world->high_since[lines->step] = now;
	if (now - world->turned_ns[axis] < world->shortest_setup_ns)
		world->shortest_setup_ns = now - world->turned_ns[axis];
	lines->count += world->level[lines->direction] ? 1 : -1;
	if (axis == 0)
		world_press();
}

static void world_die(bool level, bool after)
{
	enum death here = (level ? BEFORE_RISE : BEFORE_FALL) + after;

	if (world->death_pulse == 0)
		return;
	if (world->death_pulse == 1 && here == world->death)
		kill(getpid(), SIGKILL);
	if (here == AFTER_FALL)
		world->death_pulse--;
}

static int world_set(struct gpio_line *line, bool level)
{
	bool changed = world->level[line->offset] != level;

	world->level[line->offset] = level;
	for (size_t i = 0; i < 2; i++) {
		if (world->axes[i].step == line->offset && changed)
			world_step(i, level);
		if (world->axes[i].direction == line->offset && changed)
			world->turned_ns[i] = clock_monotonic_ns();
	}
	return 0;
}

int gpio_set(struct gpio_line *line, bool level)
{
	bool steps = line->offset == world->axes[0].step;
	int ret;

	if (world->broken[line->offset])
		return -EIO;
	if (steps)
		world_die(level, false);
	ret = world_set(line, level);
	if (world->crash && line->offset == 10 && !level)
		raise(world->crash);
	if (steps)
		world_die(level, true);
	return ret;
}

int gpio_get(struct gpio_line *line)
{
	return world->level[line->offset];
}

static int world_take_edge(struct gpio_line *line, bool *rising, int64_t *at_ns)
{
	if (line->offset != world->input || world->edge_count == 0)
		return 0;
	*rising = world->edges[world->first_edge];
	*at_ns = clock_monotonic_ns();
	world->first_edge = (world->first_edge + 1) % EDGES;
	world->edge_count--;
	return 1;
}

/* Only one caller at a time: of two that see one edge, the second would wait for the
 * next. */
int gpio_edge(struct gpio_line *line, bool *rising, int64_t *at_ns)
{
	int readers = atomic_fetch_add(&world->readers, 1) + 1;
	int ret;

	if (readers > atomic_load(&world->most_readers))
		atomic_store(&world->most_readers, readers);
	usleep(1);
	ret = world_take_edge(line, rising, at_ns);
	atomic_fetch_sub(&world->readers, 1);
	return ret;
}

/* ---- a rig on them ---- */

static const char config_text[] =
	"{\"gpio_chip\":\"gpiochip7\",\"free_lines\":[4,9],\"motors\":{"
	"\"rotor\":{\"direction_pin\":23,\"enable_pin\":22,\"step_pin\":27,"
	"\"acceleration\":80000,\"max_speed\":20000,\"steps_per_rotation\":3200,"
	"\"max_angle\":140},"
	"\"turntable\":{\"direction_pin\":6,\"enable_pin\":22,\"step_pin\":16,"
	"\"acceleration\":80000,\"max_speed\":20000,\"steps_per_rotation\":3200}},"
	"\"lights\":{\"ring\":{\"pins\":[24,26],\"pin\":24}},"
	"\"triggers\":{\"external\":{\"pin\":10,\"active_level\":\"active_low\","
	"\"pulse_width_ms\":5}}}";

struct bench {
	char dir[64];
	cJSON *config;
	struct rig *rig;
	struct err err;
};

static void world_clear(void)
{
	memset(world, 0, sizeof(*world));
	world->shortest_high_ns = world->shortest_setup_ns = INT64_MAX;
	world->axes[0] = (struct axis_lines){.step = 27, .direction = 23};
	world->axes[1] = (struct axis_lines){.step = 16, .direction = 6};
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	world_clear();
	bench->config = json_parse(config_text, strlen(config_text), NULL);
	snprintf(bench->dir, sizeof(bench->dir), "/tmp/linux_testXXXXXX");
	*state = bench;
	return bench->config && mkdtemp(bench->dir) ? 0 : -1;
}

static void close_rig(struct bench *bench)
{
	rig_close(bench->rig);
	bench->rig = NULL;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	char path[PATH_MAX];

	close_rig(bench);
	snprintf(path, sizeof(path), "%s/positions", bench->dir);
	unlink(path);
	rmdir(bench->dir);
	cJSON_Delete(bench->config);
	munmap(world, sizeof(*world));
	free(bench);
	return 0;
}

static void open_rig(struct bench *bench)
{
	struct rig_options options = {.state_dir = bench->dir, .sim_speed = 1};

	if (rig_open(&bench->rig, bench->config, &options, &bench->err) < 0)
		fail_msg("%s", bench->err.text);
}

/* Opens a rig with an endstop at 140 degrees and the axes at home. */
static void open_rig_at_home(struct bench *bench)
{
	open_rig(bench);
	assert_int_equal(rig_override(bench->rig, "rotor", 90, NULL), 0);
	assert_int_equal(rig_override(bench->rig, "turntable", 90, NULL), 0);
	world->axes[0].count = world->axes[1].count = TURN / 4;
}

static void give_endstop(struct bench *bench)
{
	static const char text[] =
		"{\"end\":{\"settings\":{\"pin\":17,\"angular_position\":140,"
		"\"motor_name\":\"rotor\",\"bounce_time\":0.002}}}";

	cJSON_AddItemToObject(bench->config, "endstops",
			      json_parse(text, strlen(text), NULL));
	world->input = 17;
	world->level[17] = true;
	world->pressed_from = 140 * TURN / 360;
}

static int go(struct bench *bench, const char *motor, double degrees)
{
	struct rig_target target = {.motor = motor, .degrees = degrees};

	return rig_move(bench->rig, &target, 1, NULL, &bench->err);
}

static struct rig_axis axis_of(struct bench *bench, const char *motor)
{
	struct rig_axis axis;

	assert_int_equal(rig_axis(bench->rig, motor, &axis, NULL), 0);
	return axis;
}

static int64_t count_of(struct bench *bench, const char *motor)
{
	struct rig_axis axis = axis_of(bench, motor);

	return llround(axis.angle * axis.steps_per_degree);
}

static bool flag_of(struct bench *bench, enum device_kind kind, size_t i, const char *key)
{
	cJSON *state = rig_state(bench->rig, kind, i);
	bool flag = cJSON_IsTrue(cJSON_GetObjectItem(state, key));

	cJSON_Delete(state);
	return flag;
}

static const char *problem(const struct bench *bench, int i)
{
	const cJSON *item = cJSON_GetArrayItem(rig_problems(bench->rig), i);

	return item ? item->valuestring : "";
}

/* Whether a problem contains these words. */
static bool complains(const struct bench *bench, const char *words)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, rig_problems(bench->rig)) {
		if (strstr(item->valuestring, words))
			return true;
	}
	return false;
}

/* ---- a move on its own thread ---- */

struct mover {
	struct bench *bench;
	struct rig_target targets[2];
	size_t n;
	struct cancel cancel;
	int ret;
};

static void *mover_main(void *context)
{
	struct mover *mover = context;

	mover->ret = rig_move(mover->bench->rig, mover->targets, mover->n, &mover->cancel,
			      NULL);
	return NULL;
}

/* ---- lines ---- */

static void the_driver_agrees_with_the_stored_position(void **state)
{
	struct bench *bench = *state;

	open_rig_at_home(bench);

	assert_int_equal(go(bench, "rotor", 100), 0);
	assert_int_equal(go(bench, "turntable", 350), 0);

	assert_int_equal(world->axes[0].count, llround(100 * TURN / 360.0));
	/* The shorter way, over 0. */
	assert_int_equal(world->axes[1].count, llround(-10 * TURN / 360.0));
	assert_int_equal(count_of(bench, "rotor"), world->axes[0].count);
}

static void moves_of_different_axes_overlap(void **state)
{
	struct bench *bench = *state;
	struct mover slow = {.bench = bench, .n = 1};
	pthread_t thread;

	cJSON_ReplaceItemInObject(
		cJSON_GetObjectItem(cJSON_GetObjectItem(bench->config, "motors"),
				    "turntable"),
		"max_speed", cJSON_CreateNumber(400));
	open_rig_at_home(bench);
	cancel_init(&slow.cancel);
	/* Ten turns at 400 steps/s: more than a minute. */
	slow.targets[0] = (struct rig_target){
		.motor = "turntable", .degrees = 3600, .relative = true};
	pthread_create(&thread, NULL, mover_main, &slow);
	while (!axis_of(bench, "turntable").moving)
		usleep(1000);

	assert_int_equal(go(bench, "rotor", 100), 0);

	assert_true(axis_of(bench, "turntable").moving);
	assert_int_equal(world->axes[0].count, llround(100 * TURN / 360.0));
	cancel_request(&slow.cancel);
	pthread_join(thread, NULL);
	assert_int_equal(slow.ret, -EINTR);
	assert_true(world->axes[1].count > TURN / 4);
	cancel_destroy(&slow.cancel);
}

static void pulses_and_direction_changes_keep_their_minimum_times(void **state)
{
	struct bench *bench = *state;
	cJSON *rotor = cJSON_GetObjectItem(cJSON_GetObjectItem(bench->config, "motors"),
					   "rotor");

	cJSON_AddNumberToObject(rotor, "pulse_width_us", 20);
	cJSON_AddNumberToObject(rotor, "direction_setup_us", 300);
	open_rig_at_home(bench);

	assert_int_equal(go(bench, "rotor", 91), 0);
	assert_int_equal(go(bench, "rotor", 90), 0);

	assert_true(world->shortest_high_ns >= 20000);
	assert_true(world->shortest_setup_ns >= 300000);
}

static void a_shared_enable_line_is_taken_once(void **state)
{
	struct bench *bench = *state;

	open_rig(bench);

	assert_int_equal(world->requests[22], 1);
	assert_false(world->level[22]); /* low: both are enabled */
	assert_true(flag_of(bench, DEVICE_MOTOR, 0, "enabled"));
	assert_true(flag_of(bench, DEVICE_MOTOR, 1, "enabled"));
}

static void all_lines_are_inactive_after_close(void **state)
{
	struct bench *bench = *state;

	open_rig_at_home(bench);
	assert_int_equal(rig_light_set(bench->rig, "ring", true, -1, NULL), 0);
	assert_true(world->level[24] && world->level[26]);
	assert_int_equal(rig_line_set(bench->rig, 4, true, NULL), 0);
	close_rig(bench);

	for (unsigned i = 0; i < LINES; i++) {
		assert_false(world->taken[i]);
		assert_int_equal(world->level[i], world->output[i] && world->safe[i]);
	}
	assert_true(world->level[22]); /* no current */
	assert_true(world->level[10]); /* a trigger that fires low */
}

static void a_line_in_use_costs_only_its_device(void **state)
{
	struct bench *bench = *state;

	world->holder[27] = "w1-gpio";
	open_rig(bench);

	assert_string_equal(problem(bench, 0),
			    "motors.rotor: GPIO 27 is in use by w1-gpio");
	assert_int_equal(rig_count(bench->rig, DEVICE_MOTOR), 1);
	assert_int_equal(rig_override(bench->rig, "turntable", 0, NULL), 0);
	assert_int_equal(go(bench, "turntable", 10), 0);
}

static void a_line_has_one_owner(void **state)
{
	struct bench *bench = *state;
	cJSON *ring =
		cJSON_GetObjectItem(cJSON_GetObjectItem(bench->config, "lights"), "ring");

	cJSON_ReplaceItemInObject(ring, "pins",
				  cJSON_CreateIntArray((const int[]){22}, 1));
	cJSON_AddItemToArray(cJSON_GetObjectItem(bench->config, "free_lines"),
			     cJSON_CreateNumber(16));
	open_rig(bench);

	assert_string_equal(problem(bench, 0),
			    "lights.ring: pin 22 is taken by motors.rotor "
			    "enable_pin already");
	assert_string_equal(
		problem(bench, 1),
		"free_lines: 16 is not free: motors.turntable step_pin has it");
	assert_int_equal(rig_count(bench->rig, DEVICE_LIGHT), 0);
}

static void without_a_gpio_chip_each_device_has_its_problem(void **state)
{
	struct bench *bench = *state;

	cJSON_ReplaceItemInObject(bench->config, "gpio_chip",
				  cJSON_CreateString("gpiochip9"));
	open_rig(bench);

	assert_string_equal(problem(bench, 0), "there is no GPIO chip 'gpiochip9'");
	assert_int_equal(rig_count(bench->rig, DEVICE_MOTOR), 0);
	assert_int_equal(rig_count(bench->rig, DEVICE_LIGHT), 0);
	assert_int_equal(rig_line_get(bench->rig, 9, &bench->err), -ENODEV);
	assert_int_equal(rig_line_set(bench->rig, 4, true, &bench->err), -ENODEV);
	assert_string_equal(bench->err.code, "hal_unavailable");
}

static void a_light_without_pwm_is_on_or_off(void **state)
{
	struct bench *bench = *state;

	open_rig(bench);

	assert_int_equal(rig_light_set(bench->rig, "ring", true, 60, &bench->err),
			 -ENOTSUP);
	assert_string_equal(bench->err.code, "not_supported");
	assert_false(world->level[24]);
	assert_int_equal(rig_light_set(bench->rig, "ring", true, 100, NULL), 0);
	assert_true(world->level[24] && world->level[26]);
}

static void a_line_that_fails_keeps_no_other_from_going_off(void **state)
{
	struct bench *bench = *state;

	open_rig(bench);
	assert_int_equal(rig_light_set(bench->rig, "ring", true, -1, NULL), 0);
	world->broken[24] = true;

	assert_int_equal(rig_light_set(bench->rig, "ring", false, -1, &bench->err), -EIO);

	assert_false(world->level[26]);
}

static void a_light_that_fails_halfway_is_switched_off_again(void **state)
{
	struct bench *bench = *state;

	open_rig(bench);
	world->broken[26] = true;

	assert_int_equal(rig_light_set(bench->rig, "ring", true, -1, &bench->err), -EIO);

	assert_false(world->level[24]);
}

static void no_light_goes_on_after_an_emergency_stop(void **state)
{
	struct bench *bench = *state;

	json_put_string(bench->config, "startup_mode", "startup_idle");
	open_rig(bench);
	rig_estop(bench->rig);

	assert_int_equal(rig_light_set(bench->rig, "ring", true, -1, &bench->err),
			 -EPERM);
	assert_string_equal(bench->err.code, "estopped");
	assert_false(world->level[24]);
	assert_true(world->level[22]); /* nothing was woken */
	assert_int_equal(rig_light_set(bench->rig, NULL, false, -1, NULL), 0);

	rig_release_estop(bench->rig);
	assert_int_equal(rig_light_set(bench->rig, "ring", true, -1, NULL), 0);
}

static void a_trigger_fires_at_its_level(void **state)
{
	struct bench *bench = *state;

	open_rig(bench);
	assert_true(world->level[10]);

	assert_int_equal(rig_trigger(bench->rig, "external", 0, 0, NULL, NULL), 0);

	assert_true(world->level[10]);
}

static void only_free_lines_can_be_read_and_set(void **state)
{
	struct bench *bench = *state;

	open_rig(bench);

	world->level[9] = true;
	assert_int_equal(rig_line_get(bench->rig, 9, NULL), 1);
	assert_false(world->taken[9]);
	assert_int_equal(rig_line_set(bench->rig, 4, true, NULL), 0);
	assert_true(world->level[4]);
	assert_int_equal(rig_line_get(bench->rig, 4, NULL), 1);
	assert_int_equal(rig_line_set(bench->rig, 27, true, &bench->err), -EINVAL);
	assert_string_equal(
		bench->err.text,
		"line 27 is not free for this (the device config frees: 4, 9)");
}

static void shipped_configs_use_only_lines_that_exist(void **state)
{
	static const char *const names[] = {"classic_greenshield", "mini_greenshield",
					    "mini_blackshield", "midi_blackshield",
					    "example_custom"};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128], *text;
		FILE *file;
		size_t size;

		world_clear();
		snprintf(path, sizeof(path), "settings/device/%s.json", names[i]);
		file = fopen(path, "r");
		assert_non_null(file);
		text = calloc(1, 16384);
		size = fread(text, 1, 16383, file);
		fclose(file);
		cJSON_Delete(bench->config);
		bench->config = json_parse(text, size, NULL);
		free(text);
		open_rig(bench);

		if (complains(bench, "GPIO") || complains(bench, "must"))
			fail_msg("%s: %s", names[i], problem(bench, 0));
		assert_int_equal(rig_count(bench->rig, DEVICE_MOTOR), 2);
		assert_int_equal(rig_count(bench->rig, DEVICE_LIGHT), 1);
		close_rig(bench);
	}
}

/* As OpenScan3 writes it: no backend, null for missing members. */
static const char original_text[] =
	"{\"name\":\"Mini\",\"model\":\"mini\",\"shield\":\"blackshield\",\"cameras\":{"
	"\"imx519\":{"
	"\"type\":\"picamera2\",\"path\":\"/base/soc/i2c0mux/i2c@1/"
	"imx519@1a\",\"settings\":{"
	"\"shutter\":50.0,\"awbg_red\":null,\"AF\":true,\"AF_window\":null,"
	"\"orientation_flag\":8}}},\"motors\":{\"rotor\":{\"direction_pin\":23,\"enable_"
	"pin\":22,"
	"\"step_pin\":27,\"acceleration\":10000,\"max_speed\":5000,\"direction\":-1,"
	"\"steps_per_rotation\":10240,\"min_angle\":0.0,\"max_angle\":145.0,"
	"\"home_angle\":90.0},\"turntable\":{\"direction_pin\":6,\"enable_pin\":22,"
	"\"step_pin\":16,\"acceleration\":900,\"max_speed\":5000,\"direction\":1,"
	"\"steps_per_rotation\":800}},\"lights\":{\"ring\":{\"pin\":null,"
	"\"pins\":[24,26],\"pwm_support\":false}},\"triggers\":null,\"endstops\":null,"
	"\"motors_timeout\":0.0,\"initialized\":true}";

static void a_config_of_the_original_software_is_accepted(void **state)
{
	struct rig_options options = {.sim_speed = 1, .dry = true};
	struct bench *bench = *state;
	char text[512];

	cJSON_Delete(bench->config);
	bench->config = json_parse(original_text, strlen(original_text), NULL);

	assert_int_equal(rig_open(&bench->rig, bench->config, &options, &bench->err), 0);

	assert_string_equal(rig_backend(bench->rig), "linux");
	assert_int_equal(cJSON_GetArraySize(rig_problems(bench->rig)), 1);
	assert_string_equal(
		problem(bench, 0),
		"motors.turntable: acceleration must be 1000 to 80000, not 900");
	rig_describe(bench->rig, DEVICE_MOTOR, 0, text, sizeof(text));
	assert_string_equal(text,
			    "0 to 145 degrees, home 90, 10240 steps a turn, at most 5000 "
			    "steps/s, 10000 steps/s2; step GPIO 27, direction 23, enable "
			    "22, pulses of 2 us, set-up 1 us");
	assert_int_equal(rig_count(bench->rig, DEVICE_CAMERA), 1);
	assert_false(world->taken[27]);
}

/* ---- homing ---- */

static void assert_homed(struct bench *bench)
{
	struct rig_axis axis = axis_of(bench, "rotor");

	assert_true(axis.known);
	assert_true(flag_of(bench, DEVICE_MOTOR, 0, "calibrated"));
	/* It moved home from there: the driver's count is exact. */
	assert_true(llabs(world->axes[0].count - count_of(bench, "rotor")) <= 1);
	assert_true(fabs(axis.angle - 90) < .2);
}

static void an_edge_ends_the_homing(void **state)
{
	struct bench *bench = *state;

	give_endstop(bench);
	world->axes[0].count = 300;
	world->bounces = 3;
	open_rig(bench);
	assert_false(axis_of(bench, "rotor").known);

	if (rig_home(bench->rig, "rotor", NULL, &bench->err) < 0)
		fail_msg("%s", bench->err.text);

	assert_homed(bench);
}

static void homing_leaves_a_pressed_endstop_first(void **state)
{
	struct bench *bench = *state;

	give_endstop(bench);
	world->axes[0].count = world->pressed_from + 20;
	world->level[17] = false;
	open_rig(bench);

	if (rig_home(bench->rig, "rotor", NULL, &bench->err) < 0)
		fail_msg("%s", bench->err.text);

	assert_homed(bench);
}

static void an_endstop_that_never_comes_is_a_fault(void **state)
{
	struct bench *bench = *state;

	give_endstop(bench);
	world->stuck = true;
	open_rig(bench);

	assert_int_equal(rig_home(bench->rig, "rotor", NULL, &bench->err), -EIO);

	assert_string_equal(bench->err.code, "hardware_fault");
	assert_false(axis_of(bench, "rotor").known);
	assert_false(flag_of(bench, DEVICE_MOTOR, 0, "calibrated"));
}

/* The edges are those of the move. */
static void reading_an_endstop_during_a_move_does_not_touch_its_line(void **state)
{
	struct bench *bench = *state;
	struct mover mover = {.bench = bench, .n = 1};
	pthread_t thread;

	give_endstop(bench);
	open_rig_at_home(bench);
	cancel_init(&mover.cancel);
	mover.targets[0] = (struct rig_target){.motor = "rotor", .degrees = 20};
	pthread_create(&thread, NULL, mover_main, &mover);
	while (!axis_of(bench, "rotor").moving)
		usleep(100);

	do
		assert_false(flag_of(bench, DEVICE_ENDSTOP, 0, "pressed"));
	while (axis_of(bench, "rotor").moving);

	pthread_join(thread, NULL);
	assert_int_equal(mover.ret, 0);
	assert_int_equal(atomic_load(&world->most_readers), 1);
	cancel_destroy(&mover.cancel);
}

/* ---- rest ---- */

static void set_mode(struct bench *bench, const char *calibrate, double timeout_s)
{
	json_put_string(bench->config, "calibrate_mode", calibrate);
	cJSON_AddNumberToObject(bench->config, "motors_timeout", timeout_s);
}

static void wait_for_rest(struct bench *bench)
{
	int64_t until = clock_monotonic_ms() + 60000;

	while (flag_of(bench, DEVICE_MOTOR, 0, "enabled")) {
		assert_true(clock_monotonic_ms() < until);
		usleep(2000);
	}
}

static void after_a_while_motors_and_lights_go_off(void **state)
{
	struct bench *bench = *state;
	cJSON *light;

	set_mode(bench, "calibrate_manual", .05);
	open_rig_at_home(bench);
	assert_int_equal(rig_light_set(bench->rig, "ring", true, -1, NULL), 0);

	wait_for_rest(bench);

	assert_true(world->level[22]);
	assert_false(world->level[24]);
	light = rig_state(bench->rig, DEVICE_LIGHT, 0);
	assert_string_equal(json_string(light, "state"), "OFF");
	cJSON_Delete(light);
	assert_true(axis_of(bench, "rotor").known);

	rig_keep_awake(bench->rig, true);
	assert_int_equal(go(bench, "rotor", 92), 0);
	assert_false(world->level[22]);
	assert_true(world->level[24]); /* as it was set */
	rig_keep_awake(bench->rig, false);
}

static void a_rig_that_fails_to_wake_stays_asleep(void **state)
{
	struct bench *bench = *state;

	set_mode(bench, "calibrate_manual", .05);
	open_rig_at_home(bench);
	assert_int_equal(rig_light_set(bench->rig, "ring", true, -1, NULL), 0);
	wait_for_rest(bench);
	world->broken[26] = true;

	assert_int_equal(go(bench, "rotor", 92), -EIO);

	assert_true(world->level[22]);
	assert_false(world->level[24]);
	assert_false(flag_of(bench, DEVICE_MOTOR, 0, "enabled"));
	world->broken[26] = false;
	assert_int_equal(go(bench, "rotor", 92), 0);
}

static void a_rig_does_not_sleep_while_it_is_kept_awake(void **state)
{
	struct bench *bench = *state;

	set_mode(bench, "calibrate_manual", .02);
	open_rig_at_home(bench);
	rig_keep_awake(bench->rig, true);
	assert_int_equal(go(bench, "rotor", 92), 0);
	usleep(100000);
	assert_false(world->level[22]);

	rig_keep_awake(bench->rig, false);

	wait_for_rest(bench);
}

static void a_rig_can_start_asleep(void **state)
{
	struct bench *bench = *state;

	json_put_string(bench->config, "startup_mode", "startup_idle");
	open_rig_at_home(bench);
	assert_true(world->level[22]);
	assert_false(flag_of(bench, DEVICE_MOTOR, 0, "enabled"));

	assert_int_equal(rig_light_set(bench->rig, "ring", true, -1, NULL), 0);

	assert_false(world->level[22]);
	assert_true(world->level[24]);
}

static void idling_does_not_restore_a_position_lost_in_an_emergency_stop(void **state)
{
	struct bench *bench = *state;

	give_endstop(bench);
	set_mode(bench, "calibrate_manual", .05);
	open_rig_at_home(bench);
	assert_int_equal(rig_home(bench->rig, "rotor", NULL, NULL), 0);
	rig_estop(bench->rig);
	rig_release_estop(bench->rig);
	wait_for_rest(bench);

	assert_int_equal(go(bench, "rotor", 92), 0);

	assert_true(flag_of(bench, DEVICE_MOTOR, 0, "calibrated")); /* it has homed */
}

/* Whether the axis homes while that is done. */
static bool homes_while(struct bench *bench, int (*act)(struct bench *bench))
{
	if (act(bench) < 0)
		fail_msg("%s", bench->err.text);
	return flag_of(bench, DEVICE_MOTOR, 0, "calibrated");
}

static int home_it(struct bench *bench)
{
	return rig_home(bench->rig, "rotor", NULL, &bench->err);
}

static int move_it(struct bench *bench)
{
	return go(bench, "rotor", 88);
}

static int scan_it(struct bench *bench)
{
	rig_expect_scan(bench->rig, true);
	return move_it(bench);
}

static void calibrate_on_wake_homes_before_the_next_motion(void **state)
{
	struct bench *bench = *state;

	give_endstop(bench);
	set_mode(bench, "calibrate_on_wake", .05);
	open_rig_at_home(bench);
	assert_true(homes_while(bench, home_it));
	wait_for_rest(bench);
	assert_false(flag_of(bench, DEVICE_MOTOR, 0, "calibrated"));

	assert_true(homes_while(bench, move_it));
}

static void calibrate_manual_homes_only_when_asked(void **state)
{
	struct bench *bench = *state;

	give_endstop(bench);
	set_mode(bench, "calibrate_manual", 0);
	open_rig_at_home(bench);

	assert_false(homes_while(bench, move_it));
	assert_false(homes_while(bench, scan_it));
	assert_true(homes_while(bench, home_it));
}

static void calibrate_on_scan_homes_before_a_scan(void **state)
{
	struct bench *bench = *state;

	give_endstop(bench);
	set_mode(bench, "calibrate_on_scan", 0);
	open_rig_at_home(bench);

	assert_false(homes_while(bench, move_it));
	assert_true(homes_while(bench, scan_it));
}

static void calibrate_on_home_homes_uncalibrated_axes(void **state)
{
	struct bench *bench = *state;
	int64_t edges;

	give_endstop(bench);
	set_mode(bench, "calibrate_on_home", 0);
	open_rig_at_home(bench);
	assert_true(homes_while(bench, home_it));

	/* A missing switch would now be a fault if the axis tried to home. */
	edges = world->edge_count;
	world->stuck = true;
	assert_int_equal(move_it(bench), 0);
	assert_int_equal(home_it(bench), 0);

	assert_int_equal(world->edge_count, edges);
	assert_true(fabs(axis_of(bench, "rotor").angle - 90) < .2);
}

/* ---- many moves ---- */

static unsigned prng = 20261125;

static unsigned roll(unsigned below)
{
	prng = prng * 1664525u + 1013904223u;
	return (prng >> 8) % below;
}

/* OPENSCAN_MOVES=10000 for the long form. */
static int rounds(int otherwise)
{
	const char *text = getenv("OPENSCAN_MOVES");

	return text ? atoi(text) : otherwise;
}

/* One move, and an event that may come during it. */
static void disturb(struct bench *bench)
{
	struct mover mover = {.bench = bench, .n = 1 + roll(2)};
	pthread_t thread;

	cancel_init(&mover.cancel);
	mover.targets[0] =
		(struct rig_target){.motor = "rotor", .degrees = 80 + roll(200) / 10.0};
	mover.targets[1] = (struct rig_target){
		.motor = "turntable", .degrees = roll(80) / 10.0 - 4, .relative = true};
	pthread_create(&thread, NULL, mover_main, &mover);
	usleep(roll(30000));
	switch (roll(4)) {
	case 0:
		cancel_request(&mover.cancel);
		break;
	case 1:
		rig_stop_motion(bench->rig);
		break;
	case 2:
		rig_estop(bench->rig);
		break;
	}
	pthread_join(thread, NULL);
	rig_release_estop(bench->rig);
	cancel_destroy(&mover.cancel);
	if (mover.ret < 0 && mover.ret != -EINTR && mover.ret != -ECANCELED &&
	    mover.ret != -EPERM)
		fail_msg("the move failed: %s", strerror(-mover.ret));
}

static void the_driver_agrees_after_any_move_however_it_ended(void **state)
{
	struct bench *bench = *state;

	open_rig_at_home(bench);
	for (int i = 0; i < rounds(1000); i++) {
		disturb(bench);

		assert_int_equal(count_of(bench, "rotor"), world->axes[0].count);
		assert_int_equal(count_of(bench, "turntable"),
				 ((world->axes[1].count % TURN) + TURN) % TURN);
	}
}

/* Opens the file that a killed process left. */
static struct position_file *open_positions(const struct bench *bench)
{
	char boot_id[POSITION_BOOT_ID], path[PATH_MAX];
	struct position_file *file;

	snprintf(path, sizeof(path), "%s/positions", bench->dir);
	assert_int_equal(position_boot_id(boot_id, NULL), 0);
	assert_int_equal(position_open(&file, path, boot_id, false, NULL), 0);
	return file;
}

/* Checks that the driver's count equals the file's, within the uncertainty that the file
 * states; returns that uncertainty and corrects the file. */
static uint32_t assert_agrees(struct position_file *file, const char *axis, size_t i)
{
	struct position *position;
	uint32_t unsure;
	int64_t ahead;

	assert_int_equal(position_find(file, axis, TURN, &position, NULL), 0);
	assert_true(position_known(position));
	unsure = position_uncertainty(position);
	ahead = position_count(position) - world->axes[i].count;
	if (unsure > 1 || llabs(ahead) > unsure)
		fail_msg("%s: the position is %lld ahead of the driver and unsure by %u",
			 axis, (long long)ahead, unsure);
	position_declare(position, world->axes[i].count, false);
	return unsure;
}

/* Libcamera's threads live on in the parent. */
static void need_children_with_threads(void)
{
#ifdef __SANITIZE_THREAD__
	print_message("the thread sanitizer lets no child of a process with threads "
		      "have threads\n");
	skip();
#endif
}

/* The lines of a killed process are free again. */
static void bury(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	memset(world->taken, 0, sizeof(world->taken));
}

static void run_until_killed(struct bench *bench)
{
	open_rig(bench);
	for (;;) {
		struct rig_target targets[] = {
			{.motor = "rotor", .degrees = 20 + roll(1000) / 10.0},
			{.motor = "turntable",
			 .degrees = roll(600) / 10.0,
			 .relative = true}};

		rig_move(bench->rig, targets, 2, NULL, NULL);
	}
}

static void a_kill_in_mid_move_loses_no_step(void **state)
{
	struct bench *bench = *state;
	int kills = rounds(1000) / 50;
	unsigned unsure = 0;

	need_children_with_threads();
	open_rig_at_home(bench);
	close_rig(bench);
	for (int i = 0; i < kills; i++) {
		struct position_file *file;
		pid_t child = fork();

		if (child == 0)
			run_until_killed(bench);
		roll(2);
		usleep(20000 + roll(60000));
		kill(child, SIGKILL);
		bury(child);

		file = open_positions(bench);
		unsure += assert_agrees(file, "rotor", 0);
		unsure += assert_agrees(file, "turntable", 1);
		position_close(file);
	}
	print_message("%u of %d kills came within a pulse, and were told\n", unsure,
		      kills);
}

static void a_kill_within_a_pulse_is_reported(void **state)
{
	struct bench *bench = *state;

	need_children_with_threads();
	open_rig_at_home(bench);
	close_rig(bench);
	for (enum death death = BEFORE_RISE; death < DEATHS; death++) {
		struct position_file *file;
		pid_t child;

		world->death = death;
		world->death_pulse = 5;
		child = fork();
		if (child == 0)
			run_until_killed(bench);
		bury(child);

		world->death_pulse = 0;
		world->level[world->axes[0].step] = false;
		file = open_positions(bench);
		assert_int_equal(assert_agrees(file, "rotor", 0), 1);
		position_close(file);
	}
}

/* A light is on, a trigger is active and the axes move when the signal comes. */
static void crash_in_mid_move(struct bench *bench, int number)
{
	struct mover mover = {.bench = bench, .n = 1};
	pthread_t thread;

	signal(number, SIG_DFL); /* not the test's */
	cancel_init(&mover.cancel);
	mover.targets[0] = (struct rig_target){
		.motor = "turntable", .degrees = 3600, .relative = true};
	open_rig_at_home(bench);
	rig_light_set(bench->rig, "ring", true, -1, NULL);
	pthread_create(&thread, NULL, mover_main, &mover);
	while (world->axes[1].count == TURN / 4)
		usleep(100);
	world->crash = number;
	rig_trigger(bench->rig, "external", 0, 0, NULL, NULL);
	_exit(1);
}

static void a_crash_leaves_light_and_triggers_off(void **state)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGHUP};
	struct bench *bench = *state;

	need_children_with_threads();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			crash_in_mid_move(bench, signals[i]);
		waitpid(child, &status, 0);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
		assert_false(world->level[24] || world->level[26]);
		assert_true(world->level[10]); /* it fires low */
		world_clear();
	}
}

static void closing_a_rig_restores_the_signal_handlers(void **state)
{
	struct bench *bench = *state;
	struct sigaction before, after;

	sigaction(SIGSEGV, NULL, &before);
	open_rig(bench);
	sigaction(SIGSEGV, NULL, &after);
	assert_true(after.sa_sigaction != before.sa_sigaction);
	close_rig(bench);

	sigaction(SIGSEGV, NULL, &after);
	assert_true(after.sa_sigaction == before.sa_sigaction);
}

static double uncertainty(struct bench *bench, size_t motor)
{
	cJSON *state = rig_state(bench->rig, DEVICE_MOTOR, motor);
	double degrees = json_number(state, "uncertainty", -1);

	cJSON_Delete(state);
	return degrees;
}

/* A move of the rotor that ends within its fifth pulse. */
static void die_in_the_rotor(struct bench *bench)
{
	pid_t child;

	world->death = AFTER_RISE;
	world->death_pulse = 5;
	child = fork();
	if (child == 0) {
		open_rig(bench);
		go(bench, "rotor", 95);
		_exit(1);
	}
	bury(child);
	world->death_pulse = 0;
	world->level[world->axes[0].step] = false;
}

static void after_a_kill_within_a_pulse_an_axis_homes_where_it_can(void **state)
{
	struct bench *bench = *state;

	need_children_with_threads();
	give_endstop(bench);
	open_rig_at_home(bench);
	close_rig(bench);
	die_in_the_rotor(bench);

	open_rig(bench);
	assert_true(fabs(uncertainty(bench, 0) - 360.0 / TURN) < 1e-4);
	if (go(bench, "rotor", 90) < 0)
		fail_msg("%s", bench->err.text);

	assert_homed(bench);
	assert_true(uncertainty(bench, 0) == 0);
}

static void after_a_kill_within_a_pulse_an_axis_without_endstop_still_moves(void **state)
{
	struct bench *bench = *state;

	need_children_with_threads();
	open_rig_at_home(bench);
	close_rig(bench);
	die_in_the_rotor(bench);

	open_rig(bench);
	assert_int_equal(go(bench, "rotor", 90), 0);

	assert_true(llabs(world->axes[0].count - TURN / 4) <= 1);
	assert_true(uncertainty(bench, 0) > 0);
	assert_int_equal(rig_override(bench->rig, "rotor", 90, NULL), 0);
	assert_true(uncertainty(bench, 0) == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_driver_agrees_with_the_stored_position),
		TEST(moves_of_different_axes_overlap),
		TEST(pulses_and_direction_changes_keep_their_minimum_times),
		TEST(a_shared_enable_line_is_taken_once),
		TEST(all_lines_are_inactive_after_close),
		TEST(a_line_in_use_costs_only_its_device),
		TEST(a_line_has_one_owner),
		TEST(without_a_gpio_chip_each_device_has_its_problem),
		TEST(a_light_without_pwm_is_on_or_off),
		TEST(a_line_that_fails_keeps_no_other_from_going_off),
		TEST(a_light_that_fails_halfway_is_switched_off_again),
		TEST(no_light_goes_on_after_an_emergency_stop),
		TEST(a_trigger_fires_at_its_level),
		TEST(only_free_lines_can_be_read_and_set),
		TEST(shipped_configs_use_only_lines_that_exist),
		TEST(a_config_of_the_original_software_is_accepted),
		TEST(an_edge_ends_the_homing),
		TEST(homing_leaves_a_pressed_endstop_first),
		TEST(an_endstop_that_never_comes_is_a_fault),
		TEST(reading_an_endstop_during_a_move_does_not_touch_its_line),
		TEST(after_a_while_motors_and_lights_go_off),
		TEST(a_rig_that_fails_to_wake_stays_asleep),
		TEST(a_rig_does_not_sleep_while_it_is_kept_awake),
		TEST(a_rig_can_start_asleep),
		TEST(idling_does_not_restore_a_position_lost_in_an_emergency_stop),
		TEST(calibrate_on_wake_homes_before_the_next_motion),
		TEST(calibrate_manual_homes_only_when_asked),
		TEST(calibrate_on_scan_homes_before_a_scan),
		TEST(calibrate_on_home_homes_uncalibrated_axes),
		TEST(the_driver_agrees_after_any_move_however_it_ended),
		TEST(a_kill_in_mid_move_loses_no_step),
		TEST(a_kill_within_a_pulse_is_reported),
		TEST(after_a_kill_within_a_pulse_an_axis_homes_where_it_can),
		TEST(a_crash_leaves_light_and_triggers_off),
		TEST(closing_a_rig_restores_the_signal_handlers),
		TEST(after_a_kill_within_a_pulse_an_axis_without_endstop_still_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
