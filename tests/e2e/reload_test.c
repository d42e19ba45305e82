/* device/reload: reading the device config again while the agent runs. */
#include "tests/support/world.h"

#include <stdio.h>
#include <string.h>

#define HELLO "hello_world_async_task"
#define LONG_WALK "{'steps':10000,'delay':0.05}"

#define ROTOR                                                                            \
	"'rotor':{'acceleration':20000,'max_speed':5000,'steps_per_rotation':42667,"     \
	"'min_angle':0,'max_angle':140,'home_angle':90}"
#define TABLE                                                                            \
	"'turntable':{'acceleration':5000,'max_speed':5000,'steps_per_rotation':3200}"
#define CAMERA(name)                                                                     \
	"'" name "':{'settings':{'shutter':5,'orientation_flag':1,'crop_width':0,"       \
	"'crop_height':0,'photo_resolution':[164,122]}}"
#define RIG(motors, lights, cameras)                                                     \
	"{'name':'Rig','backend':'simulated','scan_radius_mm':130,'motors':{" motors     \
	"},'lights':{" lights "},'cameras':{" cameras "}}"

#define LAMP(name) "'" name "':{'pwm_support':true}"

static const char first_rig[] = RIG(ROTOR "," TABLE, LAMP("ringlight"), CAMERA("sim"));
static const char other_rig[] = RIG(TABLE ",'arm':{'steps_per_rotation':1000}",
				    LAMP("ringlight") "," LAMP("back"), CAMERA("top"));

static const struct world_options first = {.rig = first_rig};
static const struct world_options first_slow = {.rig = first_rig, .sim_speed = "0.2"};

static void write_rig(struct world *w, const char *rig)
{
	const char *text = quoted(w, "%s", rig);

	assert_int_equal(file_write(w->device.rig_file, text, strlen(text)), 0);
}

static void a_new_config_applies_and_topics_follow(struct world *w)
{
	ask_ok(w, "camera/capture", "{}");
	wait_message(w, 0, BASE "/camera/sim/image", NULL);
	ask_ok(w, "motor/move", "{'name':'turntable','degrees':45}");
	write_rig(w, other_rig);

	const cJSON *reply = ask_ok(w, "device/reload", "{}");

	assert_string_equal(text_at(reply, "data.backend"), "simulated");
	assert_int_equal(count_at(reply, "data.devices"), 5);
	wait_value(w, BASE "/motor/arm", "busy", "false");
	wait_value(w, BASE "/light/back", "state", "OFF");
	wait_value(w, BASE "/camera/top", "busy", "false");
	wait_cleared(w, 0, BASE "/motor/rotor");
	wait_cleared(w, 0, BASE "/camera/sim");
	wait_cleared(w, 0, BASE "/camera/sim/image");
	/* the other device has not moved */
	wait_value(w, BASE "/motor/turntable", "angle", "45");
	ask_ok(w, "motor/override", "{'name':'arm','degrees':90}");
	ask_ok(w, "motor/move", "{'name':'arm','degrees':91}");
	ask_ok(w, "light/set", "{'name':'back','state':'ON'}");
	ask_ok(w, "camera/capture", "{'name':'top'}");
	ask_refused(w, "motor/move", "not_found", "{'name':'rotor','degrees':10}");
}

static void a_bad_config_keeps_the_old_rig(struct world *w)
{
	ask_ok(w, "light/set", "70");
	ask_ok(w, "camera/settings", "{'settings':{'shutter':7}}");
	write_rig(w, "{'name':'Rig','backend':'simulated','motors':{'rotor':{'max_speed':"
		     "9}}}");

	const cJSON *semantic = ask_refused(w, "device/reload", "invalid_args", "{}");

	assert_non_null(strstr(text_at(semantic, "message"), "motors.rotor"));
	write_rig(w, "{'name':");
	const cJSON *syntax = ask_refused(w, "device/reload", "invalid_args", "{}");
	assert_non_null(strstr(text_at(syntax, "message"), w->device.rig_file));
	wait_value(w, BASE "/light/ringlight", "brightness", "70");
	wait_value(w, BASE "/light/ringlight", "state", "ON");
	const cJSON *camera = ask_ok(w, "camera/settings", "{}");
	assert_true(number_at(camera, "data.settings.shutter") == 7);
	ask_ok(w, "motor/move", "{'name':'rotor','degrees':80}");
}

static void a_rig_in_use_is_not_reloaded(struct world *w)
{
	create(w, "walk", "motor_task", LONG_WALK);
	wait_status(w, "walk", "running");

	const cJSON *reply = ask_refused(w, "device/reload", "device_busy", "{}");

	assert_non_null(strstr(text_at(reply, "message"), "walk"));
	assert_true(bool_at(reply, "retryable"));
	ask_ok(w, "task/cancel", "walk");
	wait_status(w, "walk", "cancelled");
	ask_ok(w, "device/reload", "{}");
}

static void a_rig_that_moves_is_not_reloaded(struct world *w)
{
	size_t mark = client_mark(w->client);

	tell(w, "motor/move", "{'name':'rotor','degrees':0,'request':'go'}");
	wait_message(w, mark, BASE "/motor/rotor", "\"busy\":true");

	const cJSON *reply = ask_refused(w, "device/reload", "device_busy", "{}");

	assert_non_null(strstr(text_at(reply, "message"), "motor/move"));
	ask_ok(w, "motor/stop", "{}");
	wait_message(w, mark, BASE "/reply/go", NULL);
	ask_ok(w, "device/reload", "{}");
}

/* Tasks without devices neither delay it nor are affected. */
static void tasks_without_devices_keep_running(struct world *w)
{
	create(w, "hello", HELLO, "{'total_steps':10000,'delay':0.05}");
	wait_status(w, "hello", "running");
	write_rig(w, other_rig);

	ask_ok(w, "device/reload", "{}");

	assert_status(w, "hello", "running");
	ask_ok(w, "task/cancel", "hello");
	wait_status(w, "hello", "cancelled");
}

static void an_emergency_stop_lasts_over_a_reload(struct world *w)
{
	ask_ok(w, "estop", "{}");

	ask_ok(w, "device/reload", "{}");

	ask_refused(w, "motor/move", "estopped", "{'name':'rotor','degrees':80}");
	ask_ok(w, "queue/resume", "{}");
	ask_ok(w, "light/set", "ON");
}

/* The list of devices survives the process. */
static void devices_removed_before_a_restart_are_cleared(struct world *w)
{
	wait_value(w, BASE "/motor/rotor", "busy", "false");
	world_stop_agent(w);
	write_rig(w, other_rig);

	world_start_agent(w);

	wait_value(w, BASE "/motor/arm", "busy", "false");
	wait_cleared(w, 0, BASE "/motor/rotor");
	wait_cleared(w, 0, BASE "/camera/sim");
}

static const struct test tests[] = {
	TEST_WITH(a_new_config_applies_and_topics_follow, first),
	TEST_WITH(a_bad_config_keeps_the_old_rig, first),
	TEST_WITH(a_rig_in_use_is_not_reloaded, first),
	TEST_WITH(a_rig_that_moves_is_not_reloaded, first_slow),
	TEST_WITH(tasks_without_devices_keep_running, first),
	TEST_WITH(an_emergency_stop_lasts_over_a_reload, first),
	TEST_WITH(devices_removed_before_a_restart_are_cleared, first),
};

int main(int argc, char **argv)
{
	return world_run("reload", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
