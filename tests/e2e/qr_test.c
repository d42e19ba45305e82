/* A QR code in front of the camera connects the machine to a Wi-Fi network. */
#include "tests/support/child.h"
#include "tests/support/script.h"
#include "tests/support/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWORD "dark;matter\\7"
#define CODE "WIFI:T:WPA;S:Studio 7;P:dark\\;matter\\\\7;;"

static const struct world_options later = {.agent_later = true};
static const struct world_options joining = {.agent_later = true,
					     .settings = "{'qr_wifi_scan_enabled':true}"};

static struct child networks;

/* Starts a NetworkManager on a private bus; how: "refuse" and other modes of networks.py,
 * or NULL. */
static void start_networks(struct world *w, const char *how)
{
	const char *program = OPENSCAN_SOURCE_DIR "/tests/support/networks.py";
	const char *argv[] = {"/usr/bin/python3", program, below(w, "nm"), how, NULL};

	child_kill(&networks);
	assert_int_equal(mkdir(below(w, "nm"), 0755), 0);
	assert_int_equal(child_start(&networks, argv, NULL, below(w, "nm/log")), 0);
	char *bus = quoted(w, "%s", wait_file(w, below(w, "nm/bus"), "\n"));
	bus[strcspn(bus, "\n")] = '\0';
	w->device.more[0] = quoted(w, "DBUS_SYSTEM_BUS_ADDRESS=%s", bus);
}

/* Sets the picture of the next agent's camera: a code with this text. */
static void show(struct world *w, const char *text, const char *how)
{
	static const char rig[] =
		"{'name':'Poster','backend':'simulated','cameras':{'sim':{'settings':"
		"{'shutter':50,'orientation_flag':1,'crop_width':0,'crop_height':0,"
		"'photo_resolution':[1640,1232]}}},'motors':{"
		"'rotor':{'acceleration':20000,'max_speed':5000,"
		"'steps_per_rotation':42667,'min_angle':0,'max_angle':140},"
		"'turntable':{'acceleration':5000,'max_speed':5000,"
		"'steps_per_rotation':3200}},'lights':{'ringlight':{}},"
		"'sim':{'scene':{'room_lit':true},'show_image':'%s'}}";
	const char *json = quoted(w, rig, below(w, "code.jpg"));

	assert_int_equal(file_write(below(w, "code.txt"), text, strlen(text)), 0);
	run_script(w, quoted(w,
			     "/usr/bin/python3 '%s/tests/support/qr_picture.py' code.txt "
			     "code.jpg %s",
			     OPENSCAN_SOURCE_DIR, how));
	assert_int_equal(file_write(w->device.rig_file, json, strlen(json)), 0);
}

static void scan_code(struct world *w, const char *args)
{
	ask_ok(w, "task/create", "{'id':'q','type':'qr_scan_task','args':%s}", args);
}

static const char *connections(struct world *w)
{
	return wait_file(w, below(w, "nm/connections"), "802-11");
}

static void behaviour_41_a_code_is_read_and_its_network_joined(struct world *w)
{
	start_networks(w, NULL);
	show(w, CODE, "");
	world_start_agent(w);

	scan_code(w, "{'camera':'sim'}");
	const cJSON *task = wait_status(w, "q", "completed");

	assert_string_equal(text_at(task, "result.ssid"), "Studio 7");
	assert_string_equal(text_at(task, "result.security"), "WPA");
	assert_false(bool_at(task, "result.hidden"));
	const char *made = connections(w);
	assert_non_null(strstr(made, "\"ssid\": \"Studio 7\""));
	assert_non_null(strstr(made, "\"key-mgmt\": \"wpa-psk\""));
	assert_non_null(strstr(made, "dark;matter\\\\7"));
}

static void the_password_appears_nowhere(struct world *w)
{
	start_networks(w, NULL);
	show(w, CODE, "");
	world_start_agent(w);

	scan_code(w, "{}");
	wait_status(w, "q", "completed");
	ask_ok(w, "task/log", "{'id':'q'}");
	world_stop_agent(w);

	assert_nowhere(w->device.log, "matter");
	assert_nowhere(quoted(w, "%s/agent.sqlite", w->device.state_dir), "matter");
	for (size_t i = 0; i < client_mark(w->client); i++) {
		const struct message *message = client_at(w->client, i);

		assert_null(memmem(message->payload, message->size, "matter", 6));
		assert_null(strstr(message->topic, "/image"));
	}
}

static void an_open_network_needs_no_password(struct world *w)
{
	start_networks(w, NULL);
	show(w, "WIFI:S:Caf\xc3\xa9 offen;T:nopass;P:;;", "inverted");
	world_start_agent(w);

	scan_code(w, "{}");
	const cJSON *task = wait_status(w, "q", "completed");

	assert_string_equal(text_at(task, "result.ssid"), "Caf\xc3\xa9 offen");
	assert_string_equal(text_at(task, "result.security"), "nopass");
	assert_null(strstr(connections(w), "security"));
}

static void a_hidden_network_is_joined_by_its_name(struct world *w)
{
	start_networks(w, NULL);
	show(w, "WIFI:H:true;S:nobody sees me;T:SAE;P:12345678;;", "");
	world_start_agent(w);

	scan_code(w, "{}");
	const cJSON *task = wait_status(w, "q", "completed");

	assert_true(bool_at(task, "result.hidden"));
	assert_string_equal(text_at(task, "result.security"), "SAE");
	assert_non_null(strstr(connections(w), "\"hidden\": true"));
}

static void a_network_that_refuses_leaves_nothing_behind(struct world *w)
{
	start_networks(w, "refuse");
	show(w, CODE, "");
	world_start_agent(w);

	scan_code(w, "{}");
	const cJSON *task = wait_status(w, "q", "error");

	assert_non_null(strstr(text_at(task, "error.message"), "password of the code"));
	wait_file(w, below(w, "nm/connections"), "end");
	wait_gone(below(w, "nm/connections"), "802-11");
}

static void plugging_in_a_cable_ends_the_onboarding(struct world *w)
{
	start_networks(w, NULL);
	show(w, "https://example.org/", "");
	world_start_agent(w);
	scan_code(w, "{}");
	size_t mark = 0;
	wait_message(w, mark, BASE "/task/q/progress", "not one of a Wi-Fi");

	child_signal(&networks, SIGUSR1);
	const cJSON *task = wait_status(w, "q", "completed");

	assert_string_equal(text_at(task, "result.reason"), "network_already_connected");
}

static void a_qr_scan_can_be_paused_cancelled_and_survives_a_kill(struct world *w)
{
	start_networks(w, NULL);
	show(w, "WIFI:T:WPA;S:Studio 7;P:short;;", "");
	world_start_agent(w);
	scan_code(w, "{}");
	wait_message(w, 0, BASE "/task/q/progress", "8 to 63");

	world_restart_agent(w);
	const cJSON *task = wait_status(w, "q", "running");
	ask_ok(w, "task/pause", "{'id':'q'}");
	wait_status(w, "q", "paused");
	ask_ok(w, "task/resume", "{'id':'q'}");
	wait_status(w, "q", "running");
	ask_ok(w, "task/cancel", "{'id':'q'}");
	wait_status(w, "q", "cancelled");

	assert_non_null(task);
}

static void a_missing_code_or_networkmanager_is_reported_with_advice(struct world *w)
{
	start_networks(w, NULL);
	world_start_agent(w);
	scan_code(w, "{'timeout_s':5}");
	const cJSON *blind = wait_status(w, "q", "error");
	world_stop_agent(w);
	w->device.more[0] =
		quoted(w, "DBUS_SYSTEM_BUS_ADDRESS=unix:path=%s", below(w, "no-bus"));
	world_start_agent(w);

	ask_ok(w, "task/create", "{'id':'r','type':'qr_scan_task'}");
	const cJSON *task = wait_status(w, "r", "error");
	const cJSON *dry =
		ask_ok(w, "task/create", "{'type':'qr_scan_task','dry_run':true}");

	assert_string_equal(text_at(blind, "error.code"), "timeout");
	assert_non_null(strstr(text_at(task, "error.message"), "NetworkManager"));
	assert_int_equal(count_at(dry, "data.problems"), 1);
}

/* Whether this module is loaded in the agent. */
static bool has_loaded(struct world *w, const char *module)
{
	char *maps =
		file_read(quoted(w, "/proc/%d/maps", (int)w->device.child.pid), NULL);
	bool has = strstr(maps, quoted(w, "/%s.so", module)) != NULL;

	free(maps);
	return has;
}

static void without_a_network_the_agent_scans_for_a_code(struct world *w)
{
	start_networks(w, NULL);
	show(w, CODE, "");
	world_start_agent(w);

	const char *id = text_at(wait_event(w, 0, "task.completed", NULL), "id");
	const cJSON *task = task_now(w, id);

	assert_string_equal(text_at(task, "type"), "qr_scan_task");
	assert_string_equal(text_at(task, "labels.started_by"), "agent");
	assert_string_equal(text_at(task, "result.ssid"), "Studio 7");
	assert_non_null(strstr(connections(w), "Studio 7"));
}

static void a_cancelled_onboarding_does_not_start_again(struct world *w)
{
	start_networks(w, NULL);
	show(w, "https://example.org/", "");
	world_start_agent(w);
	const char *id = text_at(wait_event(w, 0, "task.started", NULL), "id");

	ask_ok(w, "task/cancel", "{'id':'%s'}", id);
	wait_status(w, id, "cancelled");
	wait_message(w, 0, BASE "/settings", "\"qr_wifi_scan_enabled\":false");
	world_restart_agent(w);

	assert_int_equal(count_at(ask_ok(w, "task/list", "{}"), "data.tasks"), 1);
	assert_false(has_loaded(w, "wifi"));
}

static void a_network_that_is_still_connecting_is_waited_for(struct world *w)
{
	start_networks(w, "starting");
	world_start_agent(w);

	child_signal(&networks, SIGUSR1);

	wait_file(w, w->device.log, "a network is there: no Wi-Fi code is looked for");
	assert_int_equal(count_at(ask_ok(w, "task/list", "{}"), "data.tasks"), 0);
	assert_true(has_loaded(w, "wifi"));
	assert_false(has_loaded(w, "qr"));
}

static const struct test tests[] = {
	TEST_WITH(behaviour_41_a_code_is_read_and_its_network_joined, later),
	TEST_WITH(the_password_appears_nowhere, later),
	TEST_WITH(an_open_network_needs_no_password, later),
	TEST_WITH(a_hidden_network_is_joined_by_its_name, later),
	TEST_WITH(a_network_that_refuses_leaves_nothing_behind, later),
	TEST_WITH(plugging_in_a_cable_ends_the_onboarding, later),
	TEST_WITH(a_qr_scan_can_be_paused_cancelled_and_survives_a_kill, later),
	TEST_WITH(a_missing_code_or_networkmanager_is_reported_with_advice, later),
	TEST_WITH(without_a_network_the_agent_scans_for_a_code, joining),
	TEST_WITH(a_cancelled_onboarding_does_not_start_again, joining),
	TEST_WITH(a_network_that_is_still_connecting_is_waited_for, joining),
};

int main(int argc, char **argv)
{
	return world_run("qr", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
