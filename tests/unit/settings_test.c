/* Tests the settings: which source wins, what is refused, and what must not be
 * readable. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/json.h"
#include "settings/host.h"
#include "settings/json_file.h"
#include "settings/settings.h"
#include "settings/table.h"
#include "settings/value.h"

#define VARIABLES 16

/* The test machine: a folder with the contents of /etc and the state directory. */
static struct {
	char root[64];
	char system[96];
	char state[96];
	char names[VARIABLES][64];
	char values[VARIABLES][256];
	size_t variables;
} machine;

static const char *machine_env(const char *name)
{
	for (size_t i = machine.variables; i > 0; i--) {
		if (!strcmp(machine.names[i - 1], name))
			return machine.values[i - 1];
	}
	return NULL;
}

static void set_env(const char *name, const char *value)
{
	size_t i = machine.variables++;

	assert_true(i < VARIABLES);
	snprintf(machine.names[i], sizeof(machine.names[i]), "%s", name);
	snprintf(machine.values[i], sizeof(machine.values[i]), "%s", value);
}

/* A path in the test's folder; valid for the next three calls. */
static const char *in_root(const char *name)
{
	static char paths[4][PATH_MAX];
	static size_t next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", machine.root, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_root(name), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static int new_machine(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	snprintf(machine.root, sizeof(machine.root), "/tmp/settings_test.XXXXXX");
	if (!mkdtemp(machine.root))
		return -1;
	snprintf(machine.system, sizeof(machine.system), "%s/etc", machine.root);
	snprintf(machine.state, sizeof(machine.state), "%s/state", machine.root);
	set_env("OPENSCAN_STATE_DIR", machine.state);
	return mkdir(machine.system, 0700) || mkdir(machine.state, 0700) ||
	       mkdir(in_root("etc/conf.d"), 0700) || mkdir(in_root("etc/device"), 0700) ||
	       mkdir(in_root("state/device"), 0700);
}

static int drop_machine(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", machine.root);
	return system(command);
}

static int load(struct settings **settings, const char *config_file, struct err *err)
{
	const struct settings_source source = {
		.config_file = config_file,
		.system_dir = machine.system,
		.env = machine_env,
	};

	return settings_load(settings, &source, err);
}

static struct settings *loaded(void)
{
	struct settings *settings = NULL;
	struct err err = {0};

	if (load(&settings, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return settings;
}

/* Asserts that loading fails with this sentence, which follows the test's folder. */
static void assert_refused(const char *sentence)
{
	struct settings *settings = NULL;
	struct err err = {0};
	const char *text = err.text;

	assert_true(load(&settings, NULL, &err) < 0);
	assert_null(settings);
	if (!strncmp(text, machine.root, strlen(machine.root)))
		text += strlen(machine.root);
	assert_string_equal(text, sentence);
}

static void refuses_line(int line, const char *agent_json, const char *sentence)
{
	char whole[1024];

	write_file("etc/agent.json", agent_json);
	snprintf(whole, sizeof(whole), "/etc/agent.json:%d: %s", line, sentence);
	assert_refused(whole);
}

static void refuses(const char *agent_json, const char *sentence)
{
	refuses_line(1, agent_json, sentence);
}

static const char *only_problem(const struct settings *settings)
{
	const cJSON *problems = settings_problems(settings);

	assert_int_equal(cJSON_GetArraySize(problems), 1);
	return cJSON_GetArrayItem(problems, 0)->valuestring;
}

static void without_files_every_setting_has_its_default(void **state)
{
	struct settings *settings = loaded();

	(void)state;

	assert_string_equal(settings_string(settings, "mqtt.url"),
			    "mqtt://127.0.0.1:1883");
	assert_string_equal(settings_string(settings, "mqtt.root"), "openscan/v1");
	assert_int_equal(settings_int(settings, "mqtt.session_expiry_s"), 604800);
	assert_int_equal(settings_int(settings, "mqtt.reconnect_max_s"), 10);
	assert_int_equal(settings_int(settings, "scheduler.max_concurrent"), 3);
	assert_int_equal(settings_int(settings, "scheduler.max_pause_s"), 86400);
	assert_int_equal(settings_int(settings, "agent.stop_timeout_s"), 20);
	assert_int_equal(settings_int(settings, "projects.min_free_mb"), 500);
	assert_true(settings_number(settings, "sim_speed") == 1.0);
	assert_true(settings_bool(settings, "task_autodiscovery_enabled"));
	assert_true(settings_bool(settings, "task_autodiscovery_include_subpackages"));
	assert_false(settings_bool(settings, "task_autodiscovery_override_on_conflict"));
	assert_int_equal(cJSON_GetArraySize(settings_list(
				 settings, "task_autodiscovery_namespaces")),
			 3);
	assert_int_equal(cJSON_GetArraySize(settings_list(
				 settings, "task_autodiscovery_ignore_modules")),
			 0);
	assert_int_equal(cJSON_GetArraySize(settings_problems(settings)), 0);
	settings_free(settings);
}

static void every_default_fits_its_own_row(void **state)
{
	(void)state;

	for (size_t i = 0; i < table_size(); i++) {
		const struct setting *setting = table_at(i);
		cJSON *value;
		struct err err;

		assert_true(strlen(setting->key) < TABLE_KEY);
		assert_ptr_equal(table_find(setting->key), setting);
		if (!setting->default_json)
			continue;
		value = json_parse(setting->default_json, strlen(setting->default_json),
				   &err);
		assert_non_null(value);
		if (value_check(setting, setting->key, value, &err) < 0)
			fail_msg("%s", err.text);
		cJSON_Delete(value);
	}
}

/* Removes the values that depend on the machine, and those that the test had to set. */
static void remove_worked_out(cJSON *values)
{
	cJSON_DeleteItemFromObject(values, "device");
	cJSON_DeleteItemFromObject(values, "state_dir");
	cJSON_DeleteItemFromObject(values, "project_dir");
	cJSON_DeleteItemFromObject(cJSON_GetObjectItem(values, "scheduler"),
				   "blocking_threads");
}

static void the_shipped_agent_json_says_exactly_the_defaults(void **state)
{
	struct settings *settings = loaded();
	cJSON *values = settings_values(settings);
	cJSON *shipped;
	struct err err;

	(void)state;

	assert_int_equal(json_file_read(&shipped, "settings/agent.json", &err), 0);
	remove_worked_out(values);

	assert_true(cJSON_Compare(values, shipped, true));
	cJSON_Delete(shipped);
	cJSON_Delete(values);
	settings_free(settings);
}

static void later_sources_win(void **state)
{
	static const char *const key = "scheduler.max_concurrent";
	struct settings *settings;
	struct err err;

	(void)state;
	write_file("etc/agent.json",
		   "{\"scheduler\":{\"max_concurrent\":4},\"sim_speed\":2,"
		   "\"mqtt\":{\"root\":\"a\",\"reconnect_max_s\":11}}");

	settings = loaded();
	assert_int_equal(settings_int(settings, key), 4);
	settings_free(settings);

	write_file("etc/conf.d/20-b.json", "{\"scheduler\":{\"max_concurrent\":6}}");
	write_file("etc/conf.d/10-a.json", "{\"scheduler\":{\"max_concurrent\":5}}");
	write_file("etc/conf.d/30-no.json.bak", "{\"scheduler\":{\"max_concurrent\":7}}");
	settings = loaded();
	assert_int_equal(settings_int(settings, key), 6);
	settings_free(settings);

	write_file("mine", "{\"scheduler\":{\"max_concurrent\":8}}");
	assert_int_equal(load(&settings, in_root("mine"), &err), 0);
	assert_int_equal(settings_int(settings, key), 8);
	settings_free(settings);

	write_file("state/settings.json",
		   "{\"scheduler\":{\"max_concurrent\":9},\"sim_speed\":3}");
	assert_int_equal(load(&settings, in_root("mine"), &err), 0);
	assert_int_equal(settings_int(settings, key), 9);
	assert_true(settings_number(settings, "sim_speed") == 3.0);
	settings_free(settings);

	set_env("OPENSCAN_SIM_SPEED", "4.5");
	assert_int_equal(load(&settings, in_root("mine"), &err), 0);
	assert_true(settings_number(settings, "sim_speed") == 4.5);
	assert_string_equal(settings_string(settings, "mqtt.root"), "a");
	assert_int_equal(settings_int(settings, "mqtt.reconnect_max_s"), 11);
	settings_free(settings);
}

static void all_eight_environment_variables_are_read(void **state)
{
	struct settings *settings;

	(void)state;
	set_env("OPENSCAN_MQTT_URL", "mqtts://broker.local");
	set_env("OPENSCAN_DEVICE_ID", "rig1");
	set_env("OPENSCAN_PROJECT_DIR", "/photos");
	set_env("OPENSCAN_DEVICE_CONFIG", "mini_greenshield");
	set_env("OPENSCAN_COMMUNITY_TASKS_DIR", "/tasks");
	set_env("OPENSCAN_SIM_SPEED", "1000");
	set_env("OPENSCAN_LOG_LEVEL", "debug");

	settings = loaded();

	assert_string_equal(settings_string(settings, "mqtt.url"),
			    "mqtts://broker.local");
	assert_string_equal(settings_string(settings, "device.id"), "rig1");
	assert_string_equal(settings_string(settings, "state_dir"), machine.state);
	assert_string_equal(settings_string(settings, "project_dir"), "/photos");
	assert_string_equal(settings_string(settings, "device_config"),
			    "mini_greenshield");
	assert_string_equal(settings_string(settings, "community_tasks_dir"), "/tasks");
	assert_true(settings_number(settings, "sim_speed") == 1000.0);
	assert_string_equal(settings_string(settings, "log_level"), "debug");
	settings_free(settings);
}

static void an_empty_variable_counts_as_unset(void **state)
{
	struct settings *settings;

	(void)state;
	set_env("OPENSCAN_SIM_SPEED", "");

	settings = loaded();

	assert_true(settings_number(settings, "sim_speed") == 1.0);
	settings_free(settings);
}

static void a_wrong_value_of_a_variable_is_reported_with_its_name(void **state)
{
	(void)state;
	set_env("OPENSCAN_SIM_SPEED", "fast");
	assert_refused("OPENSCAN_SIM_SPEED must be a number, not \"fast\"");

	set_env("OPENSCAN_SIM_SPEED", "0");
	assert_refused("OPENSCAN_SIM_SPEED must be 0.01 to 1000000, not 0");

	set_env("OPENSCAN_SIM_SPEED", "nan");
	assert_refused("OPENSCAN_SIM_SPEED must be 0.01 to 1000000, not nan");

	set_env("OPENSCAN_SIM_SPEED", "1");
	set_env("OPENSCAN_LOG_LEVEL", "loud");
	assert_refused(
		"OPENSCAN_LOG_LEVEL must be error, warn, info or debug, not \"loud\"");
}

static void an_unknown_key_is_reported_with_the_nearest(void **state)
{
	(void)state;
	refuses("{\"mqtt\":{\"reconect_max_s\":5}}",
		"mqtt.reconect_max_s is not a setting (did you mean "
		"mqtt.reconnect_max_s?)");
	refuses("{\"mqqt\":{\"url\":\"mqtt://a\"}}",
		"mqqt is not a setting (did you mean mqtt?)");
	refuses("{\"frobnicate\":true}", "frobnicate is not a setting");
}

static void a_wrong_value_names_its_place_and_what_fits(void **state)
{
	(void)state;
	refuses("{\"scheduler\":{\"max_concurrent\":0}}",
		"scheduler.max_concurrent must be 1 to 64, not 0");
	refuses("{\"scheduler\":{\"max_concurrent\":1.5}}",
		"scheduler.max_concurrent must be a whole number, not 1.5");
	refuses("{\"scheduler\":{\"max_concurrent\":\"3\"}}",
		"scheduler.max_concurrent must be a number, not a string");
	refuses("{\"fleet\":{\"group_motion\":1}}",
		"fleet.group_motion must be true or false, not a number");
	refuses("{\"mqtt\":{\"root\":null}}", "mqtt.root must be a string, not null");
	refuses("{\"mqtt\":5}", "mqtt must be an object { … }");
	refuses("{\"mqtt\":{\"root\":\"a/#\"}}",
		"mqtt.root must be a topic of at most 200 bytes without + # $ or an "
		"empty level, "
		"not \"a/#\"");
	refuses("{\"fleet\":{\"groups\":[\"left\",\"b d\"]}}",
		"fleet.groups[1] must be 1 to 64 of A-Z a-z 0-9 _ -, not \"b d\"");
	refuses("{\"fleet\":{\"groups\":\"left\"}}",
		"fleet.groups must be a list of strings, not a string");
}

static void a_wrong_value_names_file_and_line(void **state)
{
	(void)state;
	refuses_line(4,
		     "{\n \"log_level\": \"debug\",\n \"scheduler\":\n "
		     "{\"max_concurrent\": 0}}",
		     "scheduler.max_concurrent must be 1 to 64, not 0");
	refuses_line(4, "{\"mqtt\": {\n\"user\": \"a, \\\"b}\\\"\",\n\n\"root\": 5}}",
		     "mqtt.root must be a string, not a number");
	refuses_line(3, "{\"fleet\": {\"groups\": [\"a\",\n\"b\"]},\n\"mqqt\": {}}",
		     "mqqt is not a setting (did you mean mqtt?)");
}

static void a_users_broken_file_is_refused_and_not_moved(void **state)
{
	struct settings *settings;
	struct err err = {0};

	(void)state;
	write_file("etc/agent.json", "{\"mqtt\":");

	assert_int_equal(load(&settings, NULL, &err), -EBADMSG);

	assert_non_null(strstr(err.text, "/etc/agent.json: "));
	assert_int_equal(access(in_root("etc/agent.json"), F_OK), 0);
}

static void a_config_file_given_by_option_must_exist(void **state)
{
	struct settings *settings;
	struct err err = {0};

	(void)state;

	assert_int_equal(load(&settings, in_root("nowhere.json"), &err), -ENOENT);

	assert_non_null(strstr(err.text, "/nowhere.json: No such file or directory"));
}

static void a_damaged_file_of_the_agent_is_moved_aside(void **state)
{
	struct settings *settings;

	(void)state;
	write_file("state/settings.json", "{\"sim_");
	write_file("state/settings.json.damaged-1", "an earlier one");

	settings = loaded();

	assert_non_null(strstr(only_problem(settings), "settings.json.damaged-2"));
	assert_int_equal(access(in_root("state/settings.json"), F_OK), -1);
	assert_int_equal(access(in_root("state/settings.json.damaged-1"), F_OK), 0);
	assert_int_equal(access(in_root("state/settings.json.damaged-2"), F_OK), 0);
	settings_free(settings);
}

static void bad_values_in_the_agents_file_are_left_out(void **state)
{
	struct settings *settings;
	const cJSON *problems;

	(void)state;
	write_file("state/settings.json",
		   "{\"scheduler\":{\"max_concurrent\":0},\"old\":1,"
		   "\"state_dir\":\"/elsewhere\",\"sim_speed\":7}");

	settings = loaded();

	problems = settings_problems(settings);
	assert_int_equal(cJSON_GetArraySize(problems), 3);
	assert_non_null(strstr(
		cJSON_GetArrayItem(problems, 0)->valuestring,
		"scheduler.max_concurrent must be 1 to 64, not 0; it was left out"));
	assert_non_null(strstr(cJSON_GetArrayItem(problems, 2)->valuestring,
			       "state_dir cannot be set here; it was left out"));
	assert_int_equal(settings_int(settings, "scheduler.max_concurrent"), 3);
	assert_string_equal(settings_string(settings, "state_dir"), machine.state);
	assert_true(settings_number(settings, "sim_speed") == 7.0);
	settings_free(settings);
}

static void a_stored_value_hidden_by_the_environment_is_reported(void **state)
{
	struct settings *settings;

	(void)state;
	write_file("state/settings.json", "{\"sim_speed\":7}");
	set_env("OPENSCAN_SIM_SPEED", "9");

	settings = loaded();

	assert_true(settings_number(settings, "sim_speed") == 9.0);
	assert_non_null(strstr(only_problem(settings),
			       "sim_speed has no effect, as OPENSCAN_SIM_SPEED is set"));
	settings_free(settings);
}

static void a_password_is_never_shown(void **state)
{
	struct settings *settings;
	struct err err = {0};
	cJSON *values;

	(void)state;
	set_env("OPENSCAN_MQTT_URL", "mqtt://me:p@ss:word@host:1884");
	settings = loaded();

	values = settings_values(settings);

	assert_string_equal(json_string(cJSON_GetObjectItem(values, "mqtt"), "url"),
			    "mqtt://me:***@host:1884");
	assert_string_equal(settings_string(settings, "mqtt.url"),
			    "mqtt://me:p@ss:word@host:1884");
	cJSON_Delete(values);
	settings_free(settings);

	set_env("OPENSCAN_MQTT_URL", "mqtt://me:secret@host:99999");
	assert_true(load(&settings, NULL, &err) < 0);
	assert_null(strstr(err.text, "secret"));
	set_env("OPENSCAN_MQTT_URL", "me:secret@host");
	assert_true(load(&settings, NULL, &err) < 0);
	assert_null(strstr(err.text, "secret"));
}

static void a_broker_url_is_checked_up_to_its_port(void **state)
{
	static const char *const good[] = {
		"mqtt://host",	    "mqtt://host:1",	 "mqtt://u@host:65535",
		"mqtt://u:p@host/", "mqtts://[::1]",	 "mqtt://[::1]:18",
		"ws://host:80/",    "wss://h-1.example",
	};
	static const char *const bad[] = {
		"host",		"http://host",	 "mqtt://",	   "mqtt://:1883",
		"mqtt://host:", "mqtt://host:0", "mqtt://host:1x", "mqtt://[::1",
		"mqtt://u:p@",	"mqtt://host/a", "mqtt://h:65536", "mqtt://[]:18",
	};
	const struct setting *url = table_find("mqtt.url");
	cJSON *value;

	(void)state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (value_parse(&value, url, url->key, good[i], NULL) < 0)
			fail_msg("%s was refused", good[i]);
		cJSON_Delete(value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (value_parse(&value, url, url->key, bad[i], NULL) == 0)
			fail_msg("%s was taken", bad[i]);
	}
}

static void a_device_id_must_be_a_valid_level_of_a_topic(void **state)
{
	static const char *const bad[] = {"_rig", "a/b", "a b", "rig+", "ü"};
	struct settings *settings;
	struct err err;

	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_env("OPENSCAN_DEVICE_ID", bad[i]);
		assert_true(load(&settings, NULL, &err) < 0);
	}
	set_env("OPENSCAN_DEVICE_ID", "Rig_1-b");
	settings_free(loaded());
}

static void the_default_device_id_is_a_hash_of_machine_id_and_board(void **state)
{
	char first[HOST_DEVICE_ID], again[HOST_DEVICE_ID], other[HOST_DEVICE_ID],
		bare[HOST_DEVICE_ID];

	(void)state;
	write_file("id", "b08dfa6083e7567a1921a715000001fb\n");
	write_file("serial", "10000000abcdef01");
	write_file("serial2", "10000000abcdef02");
	write_file("empty", "uninitialized\n");

	assert_true(host_device_id(first, in_root("id"), in_root("serial")));
	assert_true(host_device_id(again, in_root("id"), in_root("serial")));
	assert_true(host_device_id(other, in_root("id"), in_root("serial2")));
	assert_true(host_device_id(bare, in_root("id"), in_root("nowhere")));

	assert_int_equal(strlen(first), 16);
	assert_memory_equal(first, "rig-", 4);
	assert_int_equal(strspn(first + 4, "0123456789abcdef"), 12);
	assert_string_equal(first, again);
	assert_string_not_equal(first, other);
	assert_string_not_equal(first, bare);
	assert_false(host_device_id(bare, in_root("empty"), in_root("nowhere")));
	assert_int_equal(strlen(bare), 16);
}

static void a_user_without_privileges_keeps_state_in_the_home_folder(void **state)
{
	char path[PATH_MAX];
	struct err err;

	(void)state;

	assert_int_equal(host_state_dir(path, sizeof(path), 0, machine_env, &err), 0);
	assert_string_equal(path, "/var/lib/openscan-agent");

	assert_true(host_state_dir(path, sizeof(path), 1000, machine_env, &err) < 0);
	assert_non_null(strstr(err.text, "set OPENSCAN_STATE_DIR"));

	set_env("HOME", "/home/me");
	assert_int_equal(host_state_dir(path, sizeof(path), 1000, machine_env, &err), 0);
	assert_string_equal(path, "/home/me/.local/state/openscan-agent");

	set_env("XDG_STATE_HOME", "/home/me/state");
	assert_int_equal(host_state_dir(path, sizeof(path), 1000, machine_env, &err), 0);
	assert_string_equal(path, "/home/me/state/openscan-agent");
}

static void defaults_that_depend_on_the_machine_are_filled_in(void **state)
{
	struct settings *settings = loaded();
	char projects[PATH_MAX];

	(void)state;
	snprintf(projects, sizeof(projects), "%s/projects", machine.state);

	assert_string_equal(settings_string(settings, "project_dir"), projects);
	assert_int_equal(strlen(settings_string(settings, "device.id")), 16);
	assert_int_equal(settings_int(settings, "scheduler.blocking_threads"),
			 sysconf(_SC_NPROCESSORS_ONLN) + 4);
	settings_free(settings);
}

static int device(cJSON **config, const char *name, struct err *err)
{
	struct settings *settings;
	int ret;

	set_env("OPENSCAN_DEVICE_CONFIG", name);
	settings = loaded();
	ret = settings_device(settings, config, err);
	settings_free(settings);
	return ret;
}

static void the_simulated_rig_is_what_the_contract_says(void **state)
{
	const cJSON *motors, *rotor, *camera;
	cJSON *config;
	struct err err;

	(void)state;

	assert_int_equal(device(&config, "simulated", &err), 0);

	motors = cJSON_GetObjectItem(config, "motors");
	rotor = cJSON_GetObjectItem(motors, "rotor");
	camera = cJSON_GetObjectItem(
		cJSON_GetObjectItem(cJSON_GetObjectItem(config, "cameras"), "sim"),
		"settings");
	assert_string_equal(json_string(config, "backend"), "simulated");
	assert_true(json_number(rotor, "max_angle", 0) == 140);
	assert_true(json_number(rotor, "home_angle", 0) == 90);
	assert_true(json_number(rotor, "steps_per_rotation", 0) == 42667);
	assert_true(cJSON_HasObjectItem(motors, "turntable"));
	assert_true(json_number(camera, "shutter", 0) == 50);
	assert_true(json_number(camera, "orientation_flag", 0) == 1);
	assert_true(json_number(camera, "crop_width", 1) == 0);
	assert_true(json_number(config, "scan_radius_mm", 0) == 130);
	cJSON_Delete(config);
}

static void every_shipped_config_is_found_and_has_both_motors(void **state)
{
	static const char *const names[] = {
		"simulated",	    "classic_greenshield", "mini_greenshield",
		"mini_blackshield", "midi_blackshield",	   "example_custom",
	};

	(void)state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const cJSON *motors;
		cJSON *config;
		struct err err;

		if (device(&config, names[i], &err) < 0)
			fail_msg("%s", err.text);
		motors = cJSON_GetObjectItem(config, "motors");
		assert_true(cJSON_HasObjectItem(motors, "rotor"));
		assert_true(cJSON_HasObjectItem(motors, "turntable"));
		cJSON_Delete(config);
		machine.variables--;
	}
}

static void a_users_config_hides_the_shipped_one(void **state)
{
	cJSON *config;
	struct err err;

	(void)state;
	write_file("etc/device/simulated.json", "{\"name\":\"of /etc\",\"mine\":1}");
	assert_int_equal(device(&config, "simulated", &err), 0);
	assert_string_equal(json_string(config, "name"), "of /etc");
	assert_true(cJSON_HasObjectItem(config, "mine"));
	cJSON_Delete(config);

	write_file("state/device/simulated.json", "{\"name\":\"of the state\"}");
	assert_int_equal(device(&config, "simulated", &err), 0);
	assert_string_equal(json_string(config, "name"), "of the state");
	cJSON_Delete(config);

	write_file("mine.json", "{\"name\":\"of a path\"}");
	assert_int_equal(device(&config, in_root("mine.json"), &err), 0);
	assert_string_equal(json_string(config, "name"), "of a path");
	cJSON_Delete(config);
}

static void a_missing_config_is_reported_with_the_existing_ones(void **state)
{
	cJSON *config;
	struct err err;

	(void)state;
	write_file("etc/device/bench.json", "{}");

	assert_int_equal(device(&config, "maxi", &err), -ENOENT);

	assert_non_null(strstr(err.text, "there is no device config 'maxi'"));
	assert_non_null(strstr(err.text, "bench"));
	assert_non_null(strstr(err.text, "mini_greenshield"));
}

static void a_broken_config_is_an_error(void **state)
{
	cJSON *config;
	struct err err;

	(void)state;
	write_file("etc/device/simulated.json", "[1]");

	assert_int_equal(device(&config, "simulated", &err), -EBADMSG);

	assert_non_null(strstr(err.text, "etc/device/simulated.json: must be an object"));
}

static int set(struct settings *settings, const char *changes, struct err *err)
{
	cJSON *object = cJSON_Parse(changes);
	int ret = settings_set(settings, object, err);

	cJSON_Delete(object);
	return ret;
}

static void a_change_takes_effect_immediately_and_after_a_restart(void **state)
{
	struct settings *settings = loaded();
	struct err err;
	struct stat st;

	(void)state;

	assert_int_equal(set(settings, "{\"agent.keep_tasks\":50,\"sim_speed\":2}", &err),
			 0);
	assert_int_equal(settings_int(settings, "agent.keep_tasks"), 50);
	settings_free(settings);

	settings = loaded();
	assert_int_equal(settings_int(settings, "agent.keep_tasks"), 50);
	assert_true(settings_number(settings, "sim_speed") == 2.0);
	assert_int_equal(stat(in_root("state/settings.json"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	settings_free(settings);
}

static void null_restores_the_lower_value(void **state)
{
	struct settings *settings;
	struct err err;
	int64_t threads;

	(void)state;
	write_file("etc/agent.json", "{\"agent\":{\"keep_tasks\":77}}");
	write_file("state/settings.json", "{\"agent\":{\"keep_tasks\":88},"
					  "\"scheduler\":{\"blocking_threads\":1},"
					  "\"sim_speed\":3}");
	threads = sysconf(_SC_NPROCESSORS_ONLN) + 4;
	settings = loaded();
	assert_int_equal(settings_int(settings, "scheduler.blocking_threads"), 1);

	assert_int_equal(
		set(settings,
		    "{\"agent.keep_tasks\":null,\"scheduler.blocking_threads\":null,"
		    "\"mqtt.root\":null}",
		    &err),
		0);

	assert_int_equal(settings_int(settings, "agent.keep_tasks"), 77);
	assert_int_equal(settings_int(settings, "scheduler.blocking_threads"), threads);
	settings_free(settings);
	settings = loaded();
	assert_int_equal(settings_int(settings, "agent.keep_tasks"), 77);
	assert_int_equal(settings_int(settings, "scheduler.blocking_threads"), threads);
	assert_true(settings_number(settings, "sim_speed") == 3.0);
	settings_free(settings);
}

static void one_bad_change_rejects_all(void **state)
{
	struct settings *settings = loaded();
	struct err err;

	(void)state;

	assert_int_equal(set(settings, "{\"sim_speed\":5,\"agent.keep_tasks\":0}", &err),
			 -EINVAL);
	assert_string_equal(err.text, "agent.keep_tasks must be 1 to 1000, not 0");
	assert_string_equal(err.code, "invalid_args");
	assert_int_equal(set(settings, "{\"sim_speed\":5,\"agent.keep_task\":9}", &err),
			 -EINVAL);
	assert_string_equal(err.text, "agent.keep_task is not a setting "
				      "(did you mean agent.keep_tasks?)");
	assert_int_equal(set(settings, "{\"device.id\":\"x\"}", &err), -EINVAL);
	assert_string_equal(err.text, "device.id can only be set on the machine itself");
	assert_int_equal(set(settings, "{\"community_tasks_dir\":\"/tmp\"}", &err),
			 -EINVAL);
	assert_int_equal(set(settings, "{\"mqtt.url\":\"mqtt://me:***@host\"}", &err),
			 -EINVAL);
	assert_string_equal(err.text, "mqtt.url must hold the password itself, not ***");

	assert_true(settings_number(settings, "sim_speed") == 1.0);
	assert_int_equal(access(in_root("state/settings.json"), F_OK), -1);
	settings_free(settings);
}

static void a_value_of_the_environment_cannot_be_changed_remotely(void **state)
{
	struct settings *settings;
	struct err err;

	(void)state;
	set_env("OPENSCAN_SIM_SPEED", "9");
	settings = loaded();

	assert_int_equal(set(settings, "{\"sim_speed\":5}", &err), 0);
	assert_int_equal(set(settings, "{\"sim_speed\":5}", &err), 0);

	assert_true(settings_number(settings, "sim_speed") == 9.0);
	assert_non_null(strstr(only_problem(settings), "sim_speed has no effect"));
	assert_int_equal(set(settings, "{\"sim_speed\":null}", &err), 0);
	assert_int_equal(cJSON_GetArraySize(settings_problems(settings)), 0);
	settings_free(settings);
}

static void a_mistyped_variable_is_reported_with_the_nearest(void **state)
{
	char *environment[] = {(char[]){"OPENSCAN_DEVCE_ID=rig1"},
			       (char[]){"OPENSCAN_DEVICE_ID=rig1"},
			       (char[]){"OPENSCAN_BUILD=/x"}, (char[]){"HOME=/h"}, NULL};
	struct settings *settings = loaded();

	(void)state;
	settings_check_environment(settings, environment);

	assert_string_equal(
		only_problem(settings),
		"OPENSCAN_DEVCE_ID has no effect (did you mean OPENSCAN_DEVICE_ID?)");
	settings_free(settings);
}

static void a_remote_change_that_fails_falls_back(void **state)
{
	struct settings *settings = loaded();
	struct err err;
	cJSON *keys;

	(void)state;
	assert_false(settings_fall_back(settings, "device_config", "there is no 'nope'"));
	assert_int_equal(
		set(settings, "{\"device_config\":\"nope\",\"sim_speed\":5}", &err), 0);

	assert_true(settings_fall_back(settings, "device_config", "there is no 'nope'"));

	assert_string_equal(settings_string(settings, "device_config"), "simulated");
	assert_true(settings_number(settings, "sim_speed") == 5);
	assert_non_null(strstr(only_problem(settings),
			       "device_config has no effect: there is no 'nope'"));
	assert_false(settings_fall_back(settings, "device_config", "there is no 'nope'"));
	keys = settings_restart_needed(settings);
	assert_int_equal(cJSON_GetArraySize(keys), 1);
	cJSON_Delete(keys);
	settings_free(settings);
}

static void some_changes_wait_for_a_restart(void **state)
{
	struct settings *settings = loaded();
	struct err err;
	cJSON *keys;

	(void)state;

	assert_int_equal(
		set(settings, "{\"mqtt.root\":\"a/b\",\"agent.keep_tasks\":9}", &err), 0);
	keys = settings_restart_needed(settings);
	assert_int_equal(cJSON_GetArraySize(keys), 1);
	assert_string_equal(cJSON_GetArrayItem(keys, 0)->valuestring, "mqtt.root");
	assert_true(settings_immediate("agent.keep_tasks"));
	assert_false(settings_immediate("mqtt.root"));
	cJSON_Delete(keys);

	settings_applied(settings, "mqtt.root");
	keys = settings_restart_needed(settings);
	assert_int_equal(cJSON_GetArraySize(keys), 0);
	cJSON_Delete(keys);

	assert_int_equal(set(settings, "{\"mqtt.root\":null}", &err), 0);
	settings_applied(settings, "mqtt.root");
	keys = settings_restart_needed(settings);
	assert_int_equal(cJSON_GetArraySize(keys), 0);
	cJSON_Delete(keys);
	settings_free(settings);
}

static void every_setting_is_in_the_readme(void **state)
{
	char *text = calloc(1, 65536);
	FILE *file = fopen("settings/README.md", "re");

	(void)state;
	assert_non_null(text);
	assert_non_null(file);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);

	for (size_t i = 0; i < table_size(); i++) {
		char quoted[TABLE_KEY + 2];

		snprintf(quoted, sizeof(quoted), "`%s`", table_at(i)->key);
		if (!strstr(text, quoted))
			fail_msg("settings/README.md does not name %s", quoted);
	}
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_machine, drop_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_files_every_setting_has_its_default),
		TEST(every_default_fits_its_own_row),
		TEST(the_shipped_agent_json_says_exactly_the_defaults),
		TEST(later_sources_win),
		TEST(all_eight_environment_variables_are_read),
		TEST(an_empty_variable_counts_as_unset),
		TEST(a_wrong_value_of_a_variable_is_reported_with_its_name),
		TEST(an_unknown_key_is_reported_with_the_nearest),
		TEST(a_wrong_value_names_its_place_and_what_fits),
		TEST(a_wrong_value_names_file_and_line),
		TEST(a_users_broken_file_is_refused_and_not_moved),
		TEST(a_config_file_given_by_option_must_exist),
		TEST(a_damaged_file_of_the_agent_is_moved_aside),
		TEST(bad_values_in_the_agents_file_are_left_out),
		TEST(a_stored_value_hidden_by_the_environment_is_reported),
		TEST(a_password_is_never_shown),
		TEST(a_broker_url_is_checked_up_to_its_port),
		TEST(a_device_id_must_be_a_valid_level_of_a_topic),
		TEST(the_default_device_id_is_a_hash_of_machine_id_and_board),
		TEST(a_user_without_privileges_keeps_state_in_the_home_folder),
		TEST(defaults_that_depend_on_the_machine_are_filled_in),
		TEST(the_simulated_rig_is_what_the_contract_says),
		TEST(every_shipped_config_is_found_and_has_both_motors),
		TEST(a_users_config_hides_the_shipped_one),
		TEST(a_missing_config_is_reported_with_the_existing_ones),
		TEST(a_broken_config_is_an_error),
		TEST(a_change_takes_effect_immediately_and_after_a_restart),
		TEST(null_restores_the_lower_value),
		TEST(one_bad_change_rejects_all),
		TEST(a_value_of_the_environment_cannot_be_changed_remotely),
		TEST(a_mistyped_variable_is_reported_with_the_nearest),
		TEST(a_remote_change_that_fails_falls_back),
		TEST(some_changes_wait_for_a_restart),
		TEST(every_setting_is_in_the_readme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
