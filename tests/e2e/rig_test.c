/* A rig and its config: errors in it, sleeping, free lines, and the check to run first on
 * a new rig. */
#include "tests/support/world.h"

#include <stdio.h>
#include <string.h>

#define RIG(more)                                                                        \
	"{'backend':'simulated','cameras':{'sim':{'type':'simulated','settings':{"       \
	"'orientation_flag':1,'crop_width':0,'crop_height':0,"                           \
	"'photo_resolution':[320,240]}}},"                                               \
	"'lights':{'ringlight':{'pin':17}},'endstops':{'end':{'settings':{'pin':26,"     \
	"'angular_position':140,'motor_name':'rotor'}}},'scan_radius_mm':130,"           \
	"'free_lines':[4,25]," more "}"

#define ROTOR "'rotor':{'steps_per_rotation':42667,'max_angle':140}"
#define TABLE "'turntable':{'steps_per_rotation':3200,'acceleration':5000}"

static const struct world_options plain = {.rig = RIG("'motors':{" ROTOR "," TABLE "}")};
static const struct world_options no_camera = {.rig = RIG("'motors':{" ROTOR "," TABLE
							  "},'sim':{'faults':["
							  "{'kind':'gone','photo':1}]}")};
static const struct world_options bad_table = {
	.rig = RIG("'motors':{" ROTOR
		   ",'turntable':{'steps_per_rotation':3200,'max_speed':'quick'}}")};
static const struct world_options sleepy = {
	.rig = RIG("'motors_timeout':3000,'motors':{" ROTOR "," TABLE "}")};

/* The check of one device. */
static const cJSON *check_of(const cJSON *task, const char *device)
{
	const cJSON *check;

	cJSON_ArrayForEach(check, at(task, "result.checks")) {
		if (strcmp(text_at(check, "device"), device) == 0)
			return check;
	}
	fail_msg("nobody checked %s", device);
	return NULL;
}

static void the_rig_check_reports_on_each_device(struct world *w)
{
	create(w, "check", "rig_check_task", "{}");
	const cJSON *task = wait_status(w, "check", "completed");

	assert_true(bool_at(task, "result.ok"));
	assert_int_equal(count_at(task, "result.checks"), 5);
	assert_non_null(strstr(text_at(check_of(task, "rotor"), "sentence"),
			       "from 90.0 to 100.0 degrees and back"));
	assert_non_null(
		strstr(text_at(check_of(task, "turntable"), "sentence"), "89 pulses"));
	assert_string_equal(text_at(check_of(task, "end"), "sentence"),
			    "rotor met the endstop end, left it, and went home");
	assert_non_null(
		strstr(text_at(check_of(task, "sim"), "sentence"), "320 by 240 pixels"));
	assert_true(bool_at(check_of(task, "ringlight"), "ok"));
	wait_value(w, BASE "/light/ringlight", "state", "OFF");
}

static void a_broken_device_is_named_and_the_rest_is_checked(struct world *w)
{
	create(w, "check", "rig_check_task", "{}");
	const cJSON *task = wait_status(w, "check", "completed");

	assert_false(bool_at(task, "result.ok"));
	assert_false(bool_at(check_of(task, "sim"), "ok"));
	assert_true(bool_at(check_of(task, "rotor"), "ok"));
	assert_true(bool_at(check_of(task, "turntable"), "ok"));
}

static void a_bad_value_costs_its_device_and_is_reported(struct world *w)
{
	const cJSON *info = parsed(w, retained(w, BASE "/info"));

	assert_string_equal(text_at(info, "problems.0"),
			    "motors.turntable: max_speed must be a number, not a string");
	ask_ok(w, "motor/move", "{'name':'rotor','degrees':80}");
	ask_refused(w, "motor/move", "not_found", "{'name':'turntable','degrees':80}");
}

static void free_lines_can_be_read_and_set(struct world *w)
{
	const cJSON *set = ask_ok(w, "gpio/set", "{'line':4,'value':1}");

	assert_true(number_at(set, "data.value") == 1);
	assert_true(number_at(ask_ok(w, "gpio/read", "{'line':4}"), "data.value") == 1);
	assert_true(number_at(ask_ok(w, "gpio/read", "{'line':25}"), "data.value") == 0);
	const cJSON *refused =
		ask_refused(w, "gpio/set", "invalid_args", "{'line':17,'value':1}");
	assert_non_null(strstr(text_at(refused, "message"), "4, 25"));
	ask_refused(w, "gpio/set", "invalid_args", "{'line':4,'value':2}");
	ask_ok(w, "estop", "{}");
	ask_refused(w, "gpio/set", "estopped", "{'line':4,'value':0}");
}

static void a_rig_sleeps_and_wakes_with_the_next_motion(struct world *w)
{
	ask_ok(w, "light/set", "{'name':'ringlight','state':'ON'}");
	wait_value(w, BASE "/motor/rotor", "enabled", "false");
	wait_value(w, BASE "/light/ringlight", "state", "OFF");

	size_t mark = client_mark(w->client);
	ask_ok(w, "motor/move", "{'name':'rotor','degrees':80}");

	wait_message(w, mark, BASE "/motor/rotor", "\"enabled\":true");
	wait_message(w, mark, BASE "/light/ringlight", "\"state\":\"ON\"");
}

static const struct test tests[] = {
	TEST_WITH(the_rig_check_reports_on_each_device, plain),
	TEST_WITH(a_broken_device_is_named_and_the_rest_is_checked, no_camera),
	TEST_WITH(a_bad_value_costs_its_device_and_is_reported, bad_table),
	TEST_WITH(free_lines_can_be_read_and_set, plain),
	TEST_WITH(a_rig_sleeps_and_wakes_with_the_next_motion, sleepy),
};

int main(int argc, char **argv)
{
	return world_run("rig", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
