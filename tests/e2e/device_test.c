/* The rig over MQTT: direct commands, who may use a device at what time, and the
 * emergency stop. */
#include "tests/support/world.h"

#include <stdio.h>
#include <string.h>

#define HELLO "hello_world_async_task"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"
#define LONG_WALK "{'steps':10000,'delay':0.05}"

/* A move of the rotor from 90 to 0 degrees takes ten seconds. */
static const struct world_options slow_rig = {.sim_speed = "0.2"};

static void a_motor_moves_to_its_target(struct world *w)
{
	const cJSON *there = ask_ok(w, "motor/move", "{'name':'rotor','degrees':30}");
	const cJSON *further =
		ask_ok(w, "motor/move", "{'name':'rotor','degrees':-10,'relative':true}");
	const cJSON *round =
		ask_ok(w, "motor/move", "{'name':'turntable','degrees':370}");

	assert_true(number_at(there, "data.angle") > 29.9 &&
		    number_at(there, "data.angle") < 30.1);
	assert_true(number_at(further, "data.angle") > 19.9 &&
		    number_at(further, "data.angle") < 20.1);
	assert_true(number_at(round, "data.angle") > 9.8 &&
		    number_at(round, "data.angle") < 10.2);
	assert_false(bool_at(round, "data.busy"));
	assert_string_equal(text_at(round, "data.position"), "known");
	ask_refused(w, "motor/move", "invalid_args", "{'name':'rotor','degrees':141}");
	ask_refused(w, "motor/move", "invalid_args", "{'name':'rotor','degrees':'far'}");
}

static void a_motor_homes_and_its_position_can_be_set(struct world *w)
{
	ask_ok(w, "motor/override", "{'name':'rotor','degrees':80}");
	wait_value(w, BASE "/motor/rotor", "angle", "80");

	const cJSON *home = ask_ok(w, "motor/home", "{'name':'rotor'}");

	assert_true(bool_at(home, "data.calibrated"));
	assert_true(number_at(home, "data.angle") > 89.9 &&
		    number_at(home, "data.angle") < 90.1);
}

static void a_moving_motor_is_published_and_can_be_stopped(struct world *w)
{
	size_t mark = client_mark(w->client);

	tell(w, "motor/move", "{'name':'rotor','degrees':0,'request':'go'}");
	wait_message(w, mark, BASE "/motor/rotor", "\"busy\":true");
	ask_refused(w, "motor/move", "device_busy", "{'name':'rotor','degrees':100}");
	int64_t asked = deadline_now();
	ask_ok(w, "motor/stop", "{'name':'rotor'}");
	const cJSON *moved = document(w, wait_message(w, mark, BASE "/reply/go", NULL));

	assert_true(deadline_now() - asked < deadline_patient(1000));
	assert_false(bool_at(moved, "ok"));
	const cJSON *still = wait_value(w, BASE "/motor/rotor", "busy", "false");
	assert_true(number_at(still, "angle") > 1);
	assert_string_equal(text_at(still, "position"), "known");
}

static void the_last_of_many_light_commands_wins(struct world *w)
{
	for (int i = 0; i < 10; i++)
		tell(w, "light/set", "%d", 10 * i + 5);
	tell(w, "light/set", "{'state':'OFF','request':'last'}");
	wait_message(w, 0, BASE "/reply/last", "\"ok\":true");

	wait_value(w, BASE "/light/ringlight", "state", "OFF");
	wait_value(w, BASE "/light/ringlight", "brightness", "95");
}

static void lights_are_set_and_toggled(struct world *w)
{
	ask_ok(w, "light/set", "{'name':'ringlight','state':'ON','brightness':60}");
	wait_value(w, BASE "/light/ringlight", "brightness", "60");

	assert_string_equal(text_at(ask_ok(w, "light/toggle", "{}"), "data.state"),
			    "OFF");
	assert_string_equal(text_at(ask_ok(w, "light/toggle", "{}"), "data.state"), "ON");
	wait_value(w, BASE "/light/ringlight", "brightness", "60");
	ask_refused(w, "light/set", "invalid_args", "{'brightness':101}");
	ask_refused(w, "light/set", "not_found", "{'name':'sun','state':'ON'}");
}

static void a_preview_is_a_small_jpeg(struct world *w)
{
	size_t mark = client_mark(w->client);

	ask_ok(w, "light/set", "ON");
	ask_ok(w, "camera/capture", "{}");

	const struct message *image =
		wait_message(w, mark, BASE "/camera/sim/image", NULL);
	assert_in_range(image->size, 200, 100 * 1024);
	assert_memory_equal(image->payload, "\xff\xd8", 2);
	assert_memory_equal(image->payload + image->size - 2, "\xff\xd9", 2);
}

static void a_preview_publishes_pictures_for_a_while(struct world *w)
{
	size_t mark = client_mark(w->client);

	ask_ok(w, "light/set", "ON");
	double seconds = patient_s(1200);
	const cJSON *reply =
		ask_ok(w, "camera/preview", "{'seconds':%g,'fps':2}", seconds);

	assert_true(number_at(reply, "data.frames") >= 2);
	assert_true(number_at(reply, "data.frames") <= 2 * seconds + 2);
	assert_string_equal(text_at(reply, "data.name"), "sim");
	wait_message(w, mark, BASE "/camera/sim/image", NULL);
	ask_refused(w, "camera/preview", "invalid_args", "{'seconds':121}");
	ask_refused(w, "camera/preview", "invalid_args", "{'fps':3}");
}

static void a_preview_keeps_its_camera_until_an_estop(struct world *w)
{
	tell(w, "light/set", "ON");
	tell(w, "camera/preview", "{'request':'p','seconds':60,'fps':2}");
	wait_message(w, 0, BASE "/camera/sim/image", NULL);
	ask_refused(w, "camera/capture", "device_busy", "{}");

	ask_ok(w, "estop", "{}");

	const cJSON *reply = document(w, wait_message(w, 0, BASE "/reply/p", NULL));
	assert_false(bool_at(reply, "ok"));
	assert_string_equal(text_at(reply, "code"), "estopped");
}

static void a_camera_finds_exposure_and_white_balance(struct world *w)
{
	ask_refused(w, "camera/calibrate", "invalid_state", "{}");
	ask_ok(w, "light/set", "ON");

	const cJSON *reply = ask_ok(w, "camera/calibrate", "{}");

	assert_true(number_at(reply, "data.settings.shutter") > 5);
	assert_true(number_at(reply, "data.settings.awbg_blue") != 1.8);
	wait_value(w, BASE "/camera/sim", "busy", "false");
}

static void camera_settings_are_checked_and_stored(struct world *w)
{
	const cJSON *set = ask_ok(w, "camera/settings", "{'settings':{'shutter':12}}");
	const cJSON *asked = ask_ok(w, "camera/settings", "{'name':'sim'}");

	assert_true(number_at(set, "data.settings.shutter") == 12);
	assert_true(number_at(asked, "data.settings.shutter") == 12);
	ask_refused(w, "camera/settings", "invalid_args", "{'settings':{'shutter':-1}}");
}

static void a_trigger_fires(struct world *w)
{
	const cJSON *fired = ask_ok(w, "trigger/fire", "{'name':'external','pre_ms':10}");

	assert_false(bool_at(fired, "data.busy"));
	assert_true(strlen(text_at(fired, "data.fired_at")) > 0);
	ask_refused(w, "trigger/fire", "invalid_args", "{'pre_ms':-1}");
}

static void a_device_in_use_by_a_task_is_busy(struct world *w)
{
	create(w, "m", "motor_task", LONG_WALK);
	create(w, "l", "device_task", LONG_WALK);
	wait_status(w, "m", "running");
	wait_status(w, "l", "running");

	ask_refused(w, "motor/move", "device_busy", "{'name':'rotor','degrees':10}");
	const cJSON *busy = ask_refused(w, "light/set", "device_busy", "ON");
	assert_true(bool_at(busy, "retryable"));
	ask_ok(w, "camera/capture", "{}");
	ask_ok(w, "motor/stop", "{}");
	ask_ok(w, "task/cancel", "l");
	wait_status(w, "l", "cancelled");
	ask_ok(w, "light/set", "ON");
}

static void two_tasks_never_share_a_device(struct world *w)
{
	create(w, "a", "motor_task", LONG_WALK);
	wait_status(w, "a", "running");
	create(w, "b", "motor_task", LONG_WALK);
	create(w, "c", "device_task", LONG_WALK);

	wait_status(w, "c", "running");
	assert_status(w, "b", "pending");
	ask_ok(w, "task/cancel", "a");
	wait_status(w, "b", "running");
}

static void a_task_waits_for_a_direct_command(struct world *w)
{
	size_t mark = client_mark(w->client);

	tell(w, "motor/move", "{'name':'rotor','degrees':75,'request':'go'}");
	wait_message(w, mark, BASE "/motor/rotor", "\"busy\":true");
	create(w, "m", "motor_task", "{'steps':1}");

	assert_status(w, "m", "pending");
	wait_message(w, mark, BASE "/reply/go", "\"ok\":true");
	wait_status(w, "m", "completed");
}

static void an_estop_stops_everything_and_lasts(struct world *w)
{
	ask_ok(w, "light/set", "ON");
	create(w, "m", "device_task", LONG_WALK);
	create(w, "h", HELLO, "{'total_steps':10000,'delay':0.05}");
	wait_status(w, "m", "running");
	wait_status(w, "h", "running");
	size_t mark = client_mark(w->client);
	tell(w, "motor/move", "{'name':'rotor','degrees':0,'request':'go'}");
	wait_message(w, mark, BASE "/motor/rotor", "\"busy\":true");

	ask_ok(w, "estop", "{}");

	assert_false(bool_at(document(w, wait_message(w, mark, BASE "/reply/go", NULL)),
			     "ok"));
	const cJSON *m = wait_status(w, "m", "interrupted");
	assert_non_null(strstr(text_at(m, "error.message"), "emergency stop"));
	assert_status(w, "h", "running");
	wait_value(w, BASE "/queue", "paused", "estop");
	wait_value(w, BASE "/light/ringlight", "state", "OFF");
	wait_value(w, BASE "/motor/rotor", "busy", "false");
	wait_event(w, mark, "estop", NULL);
	ask_refused(w, "motor/move", "estopped", "{'name':'rotor','degrees':10}");
	ask_refused(w, "trigger/fire", "estopped", "{}");
	create(w, "later", HELLO, SHORT_HELLO);
	assert_status(w, "later", "pending");
	world_restart_agent(w);
	wait_value(w, BASE "/queue", "paused", "estop");
	ask_refused(w, "motor/move", "estopped", "{'name':'rotor','degrees':10}");
	assert_status(w, "later", "pending");
}

static void a_lifted_estop_homes_before_the_next_move(struct world *w)
{
	ask_ok(w, "estop", "{}");
	create(w, "later", HELLO, SHORT_HELLO);

	ask_ok(w, "queue/resume", "{}");

	wait_value(w, BASE "/queue", "paused", "false");
	wait_status(w, "later", "completed");
	const cJSON *moved = ask_ok(w, "motor/move", "{'name':'rotor','degrees':20}");
	assert_true(bool_at(moved, "data.calibrated"));
}

static void a_paused_queue_starts_nothing_even_after_a_restart(struct world *w)
{
	ask_ok(w, "queue/pause", "{}");
	create(w, "a", HELLO, SHORT_HELLO);
	wait_value(w, BASE "/queue", "paused", "person");

	world_restart_agent(w);

	wait_value(w, BASE "/queue", "paused", "person");
	assert_status(w, "a", "pending");
	ask_ok(w, "queue/resume", "{}");
	wait_status(w, "a", "completed");
}

static void a_draining_agent_finishes_runs_and_refuses_new_tasks(struct world *w)
{
	create(w, "a", HELLO, quoted(w, "{'total_steps':10,'delay':%g}", patient_s(100)));
	wait_status(w, "a", "running");
	create(w, "x", "exclusive_demo_task", "{'duration':0.1}");

	ask_ok(w, "agent/drain", "{}");

	wait_message(w, 0, BASE "/status", "draining");
	ask_refused(w, "task/create", "draining", HELLO);
	wait_status(w, "a", "completed");
	wait_event(w, 0, "agent.drained", NULL);
	assert_status(w, "x", "pending");
	world_kill_agent(w);
	size_t mark = client_mark(w->client);
	assert_int_equal(device_start(&w->device), 0);
	wait_message(w, mark, BASE "/status", "draining");
	ask_refused(w, "task/create", "draining", HELLO);
	ask_ok(w, "agent/undrain", "{}");
	wait_status(w, "x", "completed");
}

static void all_devices_are_published(struct world *w)
{
	static const char *const topics[] = {
		"/motor/rotor", "/motor/turntable",  "/light/ringlight",
		"/camera/sim",	"/trigger/external", "/endstop/rotor-endstop",
	};

	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		const cJSON *published =
			parsed(w, retained(w, quoted(w, BASE "%s", topics[i])));

		assert_string_equal(text_at(published, "name"),
				    strrchr(topics[i], '/') + 1);
	}
}

static void info_names_the_devices_of_each_kind(struct world *w)
{
	const cJSON *devices =
		at(document(w, client_last(w->client, BASE "/info")), "devices");

	assert_int_equal(count_at(devices, "camera"), 1);
	assert_string_equal(cJSON_GetArrayItem(at(devices, "camera"), 0)->valuestring,
			    "sim");
	assert_int_equal(count_at(devices, "motor"), 2);
	assert_int_equal(count_at(devices, "trigger"), 1);
}

static const struct test tests[] = {
	TEST(info_names_the_devices_of_each_kind),
	TEST(a_motor_moves_to_its_target),
	TEST(a_motor_homes_and_its_position_can_be_set),
	TEST_WITH(a_moving_motor_is_published_and_can_be_stopped, slow_rig),
	TEST(the_last_of_many_light_commands_wins),
	TEST(lights_are_set_and_toggled),
	TEST(a_preview_is_a_small_jpeg),
	TEST(a_preview_publishes_pictures_for_a_while),
	TEST(a_preview_keeps_its_camera_until_an_estop),
	TEST(a_camera_finds_exposure_and_white_balance),
	TEST(camera_settings_are_checked_and_stored),
	TEST(a_trigger_fires),
	TEST(a_device_in_use_by_a_task_is_busy),
	TEST(two_tasks_never_share_a_device),
	TEST_WITH(a_task_waits_for_a_direct_command, slow_rig),
	TEST_WITH(an_estop_stops_everything_and_lasts, slow_rig),
	TEST(a_lifted_estop_homes_before_the_next_move),
	TEST(a_paused_queue_starts_nothing_even_after_a_restart),
	TEST(a_draining_agent_finishes_runs_and_refuses_new_tasks),
	TEST(all_devices_are_published),
};

int main(int argc, char **argv)
{
	return world_run("device", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
