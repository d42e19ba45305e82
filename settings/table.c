#include "settings/table.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/suggest.h"
#include "settings/validate.h"

#define YEAR_S 31536000

/* Grouped as README.md lists them; a row that is added here is added there and in
 * agent.json. */
static const struct setting table[] = {
	{.key = "device.id",
	 .type = SETTING_STRING,
	 .rule = &rule_device_id,
	 .env = "OPENSCAN_DEVICE_ID",
	 .fixed = true},
	{.key = "device_config",
	 .type = SETTING_STRING,
	 .fallback = "\"simulated\"",
	 .rule = &rule_device_config,
	 .env = "OPENSCAN_DEVICE_CONFIG"},
	{.key = "state_dir",
	 .type = SETTING_STRING,
	 .rule = &rule_filled,
	 .env = "OPENSCAN_STATE_DIR",
	 .fixed = true},
	{.key = "project_dir",
	 .type = SETTING_STRING,
	 .rule = &rule_filled,
	 .env = "OPENSCAN_PROJECT_DIR"},
	{.key = "community_tasks_dir",
	 .type = SETTING_STRING,
	 .fallback = "\"/var/openscan3/community-tasks\"",
	 .rule = &rule_filled,
	 .env = "OPENSCAN_COMMUNITY_TASKS_DIR",
	 .fixed = true},
	{.key = "sim_speed",
	 .type = SETTING_NUMBER,
	 .fallback = "1",
	 .min = 0.01,
	 .max = 1e6,
	 .env = "OPENSCAN_SIM_SPEED"},
	{.key = "log_level",
	 .type = SETTING_STRING,
	 .fallback = "\"info\"",
	 .rule = &rule_log_level,
	 .env = "OPENSCAN_LOG_LEVEL",
	 .at_once = true},

	{.key = "qr_wifi_scan_enabled",
	 .type = SETTING_BOOL,
	 .fallback = "false",
	 .at_once = true},

	{.key = "mqtt.url",
	 .type = SETTING_STRING,
	 .fallback = "\"mqtt://127.0.0.1:1883\"",
	 .rule = &rule_mqtt_url,
	 .env = "OPENSCAN_MQTT_URL",
	 .secret = true},
	{.key = "mqtt.root",
	 .type = SETTING_STRING,
	 .fallback = "\"openscan/v1\"",
	 .rule = &rule_topic},
	{.key = "mqtt.ca_file", .type = SETTING_STRING, .fallback = "\"\""},
	{.key = "mqtt.cert_file", .type = SETTING_STRING, .fallback = "\"\""},
	{.key = "mqtt.key_file", .type = SETTING_STRING, .fallback = "\"\""},
	{.key = "mqtt.user", .type = SETTING_STRING, .fallback = "\"\""},
	{.key = "mqtt.password_file", .type = SETTING_STRING, .fallback = "\"\""},
	{.key = "mqtt.session_expiry_s",
	 .type = SETTING_INT,
	 .fallback = "604800",
	 .min = 0,
	 .max = YEAR_S},
	{.key = "mqtt.reconnect_max_s",
	 .type = SETTING_INT,
	 .fallback = "10",
	 .min = 1,
	 .max = 3600},

	{.key = "scheduler.max_concurrent",
	 .type = SETTING_INT,
	 .fallback = "3",
	 .min = 1,
	 .max = 64,
	 .at_once = true},
	{.key = "scheduler.blocking_threads", .type = SETTING_INT, .min = 1, .max = 256},
	{.key = "scheduler.max_pause_s",
	 .type = SETTING_INT,
	 .fallback = "86400",
	 .min = 0,
	 .max = YEAR_S,
	 .at_once = true},

	{.key = "agent.stop_timeout_s",
	 .type = SETTING_INT,
	 .fallback = "20",
	 .min = 1,
	 .max = 3600,
	 .at_once = true},
	{.key = "agent.keep_tasks",
	 .type = SETTING_INT,
	 .fallback = "200",
	 .min = 1,
	 .max = 1000,
	 .at_once = true},
	{.key = "agent.keep_days",
	 .type = SETTING_INT,
	 .fallback = "30",
	 .min = 1,
	 .max = 3650,
	 .at_once = true},

	{.key = "tasks.kill_after_s",
	 .type = SETTING_INT,
	 .fallback = "10",
	 .min = 1,
	 .max = 3600,
	 .at_once = true},
	{.key = "tasks.memory_mb",
	 .type = SETTING_INT,
	 .fallback = "512",
	 .min = 16,
	 .max = 65536},
	{.key = "tasks.processes",
	 .type = SETTING_INT,
	 .fallback = "64",
	 .min = 1,
	 .max = 4000},
	{.key = "tasks.files",
	 .type = SETTING_INT,
	 .fallback = "256",
	 .min = 16,
	 .max = 65536},
	{.key = "tasks.folder_mb",
	 .type = SETTING_INT,
	 .fallback = "1000",
	 .min = 1,
	 .max = 1000000},
	{.key = "task_autodiscovery_enabled", .type = SETTING_BOOL, .fallback = "true"},
	{.key = "task_autodiscovery_namespaces",
	 .type = SETTING_LIST,
	 .fallback = "[\"core\",\"examples\",\"community\"]",
	 .rule = &rule_namespace},
	{.key = "task_autodiscovery_include_subpackages",
	 .type = SETTING_BOOL,
	 .fallback = "true"},
	{.key = "task_autodiscovery_ignore_modules",
	 .type = SETTING_LIST,
	 .fallback = "[]",
	 .rule = &rule_filled},
	{.key = "task_autodiscovery_override_on_conflict",
	 .type = SETTING_BOOL,
	 .fallback = "false"},

	{.key = "fleet.groups",
	 .type = SETTING_LIST,
	 .fallback = "[]",
	 .rule = &rule_name},
	{.key = "fleet.pools",
	 .type = SETTING_LIST,
	 .fallback = "[]",
	 .rule = &rule_name},
	{.key = "fleet.reply_spread_ms",
	 .type = SETTING_INT,
	 .fallback = "500",
	 .min = 0,
	 .max = 60000,
	 .at_once = true},
	{.key = "fleet.group_motion",
	 .type = SETTING_BOOL,
	 .fallback = "false",
	 .at_once = true},

	{.key = "homeassistant.discovery", .type = SETTING_BOOL, .fallback = "true"},
	{.key = "homeassistant.prefix",
	 .type = SETTING_STRING,
	 .fallback = "\"homeassistant\"",
	 .rule = &rule_topic},

	{.key = "scan_preset.project",
	 .type = SETTING_STRING,
	 .fallback = "\"scan\"",
	 .rule = &rule_filled},
	{.key = "scan_preset.points",
	 .type = SETTING_INT,
	 .fallback = "130",
	 .min = 1,
	 .max = 999},
	{.key = "scan_preset.focus_stacks",
	 .type = SETTING_INT,
	 .fallback = "1",
	 .min = 1,
	 .max = 99},

	{.key = "projects.min_free_mb",
	 .type = SETTING_INT,
	 .fallback = "500",
	 .min = 0,
	 .max = 1e9},

	{.key = "export.roots",
	 .type = SETTING_LIST,
	 .fallback = "[]",
	 .rule = &rule_folder,
	 .fixed = true},

	{.key = "motion.assume_position_after_power_cut",
	 .type = SETTING_BOOL,
	 .fallback = "false"},

	{.key = "cloud.host",
	 .type = SETTING_STRING,
	 .fallback = "\"\"",
	 .rule = &rule_http_url_or_none,
	 .secret = true,
	 .fixed = true},
	{.key = "cloud.user",
	 .type = SETTING_STRING,
	 .fallback = "\"openscan\"",
	 .fixed = true},
	{.key = "cloud.password_file",
	 .type = SETTING_STRING,
	 .fallback = "\"\"",
	 .fixed = true},
	{.key = "cloud.token_file",
	 .type = SETTING_STRING,
	 .fallback = "\"\"",
	 .fixed = true},
	{.key = "cloud.directory",
	 .type = SETTING_STRING,
	 .fallback = "\"\"",
	 .rule = &rule_folder_or_none,
	 .fixed = true},
	{.key = "cloud.webdav_url",
	 .type = SETTING_STRING,
	 .fallback = "\"\"",
	 .rule = &rule_http_url_or_none,
	 .secret = true,
	 .fixed = true},
	{.key = "cloud.webdav_user",
	 .type = SETTING_STRING,
	 .fallback = "\"\"",
	 .fixed = true},
	{.key = "cloud.webdav_password_file",
	 .type = SETTING_STRING,
	 .fallback = "\"\"",
	 .fixed = true},
	{.key = "cloud.ca_file",
	 .type = SETTING_STRING,
	 .fallback = "\"\"",
	 .fixed = true},
	{.key = "cloud.allow_http",
	 .type = SETTING_BOOL,
	 .fallback = "false",
	 .fixed = true},
	{.key = "cloud.split_size",
	 .type = SETTING_INT,
	 .fallback = "200000000",
	 .min = 1,
	 .max = 1e12},
	{.key = "cloud.timeout_s",
	 .type = SETTING_INT,
	 .fallback = "60",
	 .min = 1,
	 .max = 3600},
};

#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

size_t table_size(void)
{
	return TABLE_SIZE;
}

const struct setting *table_at(size_t i)
{
	return &table[i];
}

const struct setting *table_find(const char *key)
{
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		if (!strcmp(table[i].key, key))
			return &table[i];
	}
	return NULL;
}

bool table_section(const char *key)
{
	size_t length = strlen(key);

	for (size_t i = 0; i < TABLE_SIZE; i++) {
		if (!strncmp(table[i].key, key, length) && table[i].key[length] == '.')
			return true;
	}
	return false;
}

const char *table_nearest(const char *name, char suggest[TABLE_KEY])
{
	char sections[TABLE_SIZE][TABLE_KEY];
	struct suggest search;

	suggest_init(&search, name);
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		const char *key = table[i].key;

		snprintf(sections[i], TABLE_KEY, "%.*s", (int)strcspn(key, "."), key);
		suggest_offer(&search, key);
		suggest_offer(&search, sections[i]);
	}
	if (!search.name)
		return NULL;

	snprintf(suggest, TABLE_KEY, "%s", search.name);
	return suggest;
}
