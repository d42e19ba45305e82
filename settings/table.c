/* The table of all settings, with the rules for their texts. */
#include "settings/table.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/base/suggest.h"
#include "mqtt/topic.h"
#include "mqtt/url.h"
#include "settings/device.h"

#define YEAR_S 31536000
#define ROOT_MAX 200 /* bytes; leaves room for the rest of a topic */

/* ---- The rules for texts ---- */

static bool fits_filled(const char *text)
{
	return text[0] != '\0';
}

static bool fits_folder(const char *text)
{
	return text[0] == '/' && !strstr(text, "/../") && !strstr(text, "//");
}

static bool fits_topic(const char *text)
{
	size_t length = strlen(text);

	return length >= 1 && length <= ROOT_MAX && !strpbrk(text, "+#") &&
	       text[0] != '$' && text[0] != '/' && text[length - 1] != '/' &&
	       !strstr(text, "//");
}

static bool fits_log_level(const char *text)
{
	return log_level_parse(text) >= 0;
}

static bool fits_namespace(const char *text)
{
	return !strcmp(text, "core") || !strcmp(text, "examples") ||
	       !strcmp(text, "community");
}

static bool fits_device_config(const char *text)
{
	return topic_name_valid(text) || device_is_path(text);
}

static bool fits_mqtt_url(const char *text)
{
	struct url url;
	bool fits = url_parse(&url, text, NULL) == 0;

	url_clear(&url);
	return fits;
}

/* The part after "http://" or "https://", else "". */
static const char *after_scheme(const char *text)
{
	const char *rest = strstr(text, "://");
	size_t length = rest ? (size_t)(rest - text) : 0;

	if ((length == 4 && !strncmp(text, "http", length)) ||
	    (length == 5 && !strncmp(text, "https", length)))
		return rest + 3;
	return "";
}

static bool fits_http_url(const char *text)
{
	const char *rest = after_scheme(text);
	const char *at = strrchr(rest, '@'); /* the last: a password may hold others */
	const char *host = at ? at + 1 : rest;

	return host[0] != '\0' && !strchr("/:?# ", host[0]);
}

static bool fits_http_url_or_none(const char *text)
{
	return !*text || fits_http_url(text);
}

static bool fits_folder_or_none(const char *text)
{
	return !*text || fits_folder(text);
}

static const struct setting_rule rule_device_id = {
	topic_device_valid, "1 to 64 of A-Z a-z 0-9 _ - and must not begin with _"};
static const struct setting_rule rule_name = {topic_name_valid,
					      "1 to 64 of A-Z a-z 0-9 _ -"};
static const struct setting_rule rule_filled = {fits_filled, "filled in"};
static const struct setting_rule rule_folder = {fits_folder, "an absolute path"};
static const struct setting_rule rule_topic = {
	fits_topic, "a topic of at most 200 bytes without + # $ or an empty level"};
static const struct setting_rule rule_mqtt_url = {
	fits_mqtt_url, "mqtt://[user[:password]@]host[:port] (or mqtts, ws, wss)"};
static const struct setting_rule rule_http_url_or_none = {
	fits_http_url_or_none, "http://host or https://host, or empty"};
static const struct setting_rule rule_folder_or_none = {fits_folder_or_none,
							"an absolute path, or empty"};
static const struct setting_rule rule_log_level = {fits_log_level,
						   "error, warn, info or debug"};
static const struct setting_rule rule_namespace = {fits_namespace,
						   "core, examples or community"};
static const struct setting_rule rule_device_config = {
	fits_device_config,
	"the name of a shipped device config, or a path with a / or .json"};

/* ---- The rows ---- */

#define ROW(type_, key_, ...)                                                            \
	{                                                                                \
		.type = type_, .key = key_, __VA_ARGS__                                  \
	}
#define STRING(...) ROW(SETTING_STRING, __VA_ARGS__)
#define INT(...) ROW(SETTING_INT, __VA_ARGS__)
#define NUMBER(...) ROW(SETTING_NUMBER, __VA_ARGS__)
#define BOOL(...) ROW(SETTING_BOOL, __VA_ARGS__)
#define LIST(...) ROW(SETTING_LIST, __VA_ARGS__)

/* Grouped as in README.md.  A row added here must be added there and to agent.json. */
static const struct setting table[] = {
	STRING("device.id", .rule = &rule_device_id, .env = "OPENSCAN_DEVICE_ID",
	       .local_only = true),
	STRING("device_config", .default_json = "\"simulated\"",
	       .rule = &rule_device_config, .env = "OPENSCAN_DEVICE_CONFIG"),
	STRING("state_dir", .rule = &rule_filled, .env = "OPENSCAN_STATE_DIR",
	       .local_only = true),
	STRING("project_dir", .rule = &rule_filled, .env = "OPENSCAN_PROJECT_DIR"),
	STRING("community_tasks_dir",
	       .default_json = "\"/var/openscan3/community-tasks\"", .rule = &rule_filled,
	       .env = "OPENSCAN_COMMUNITY_TASKS_DIR", .local_only = true),
	NUMBER("sim_speed", .default_json = "1", .min = 0.01, .max = 1e6,
	       .env = "OPENSCAN_SIM_SPEED"),
	STRING("log_level", .default_json = "\"info\"", .rule = &rule_log_level,
	       .env = "OPENSCAN_LOG_LEVEL", .immediate = true),

	BOOL("qr_wifi_scan_enabled", .default_json = "false", .immediate = true),

	STRING("mqtt.url", .default_json = "\"mqtt://127.0.0.1:1883\"",
	       .rule = &rule_mqtt_url, .env = "OPENSCAN_MQTT_URL", .secret = true),
	STRING("mqtt.root", .default_json = "\"openscan/v1\"", .rule = &rule_topic),
	STRING("mqtt.ca_file", .default_json = "\"\""),
	STRING("mqtt.cert_file", .default_json = "\"\""),
	STRING("mqtt.key_file", .default_json = "\"\""),
	STRING("mqtt.user", .default_json = "\"\""),
	STRING("mqtt.password_file", .default_json = "\"\""),
	INT("mqtt.session_expiry_s", .default_json = "604800", .min = 0, .max = YEAR_S),
	INT("mqtt.reconnect_max_s", .default_json = "10", .min = 1, .max = 3600),

	INT("scheduler.max_concurrent", .default_json = "3", .min = 1, .max = 64,
	    .immediate = true),
	INT("scheduler.blocking_threads", .min = 1, .max = 256),
	INT("scheduler.max_pause_s", .default_json = "86400", .min = 0, .max = YEAR_S,
	    .immediate = true),

	INT("agent.stop_timeout_s", .default_json = "20", .min = 1, .max = 3600,
	    .immediate = true),
	INT("agent.keep_tasks", .default_json = "200", .min = 1, .max = 1000,
	    .immediate = true),
	INT("agent.keep_days", .default_json = "30", .min = 1, .max = 3650,
	    .immediate = true),

	INT("tasks.kill_after_s", .default_json = "10", .min = 1, .max = 3600,
	    .immediate = true),
	INT("tasks.memory_mb", .default_json = "512", .min = 16, .max = 65536),
	INT("tasks.processes", .default_json = "64", .min = 1, .max = 4000),
	INT("tasks.files", .default_json = "256", .min = 16, .max = 65536),
	INT("tasks.folder_mb", .default_json = "1000", .min = 1, .max = 1000000),
	BOOL("task_autodiscovery_enabled", .default_json = "true"),
	LIST("task_autodiscovery_namespaces",
	     .default_json = "[\"core\",\"examples\",\"community\"]",
	     .rule = &rule_namespace),
	BOOL("task_autodiscovery_include_subpackages", .default_json = "true"),
	LIST("task_autodiscovery_ignore_modules", .default_json = "[]",
	     .rule = &rule_filled),
	BOOL("task_autodiscovery_override_on_conflict", .default_json = "false"),

	LIST("fleet.groups", .default_json = "[]", .rule = &rule_name),
	LIST("fleet.pools", .default_json = "[]", .rule = &rule_name),
	INT("fleet.reply_spread_ms", .default_json = "500", .min = 0, .max = 60000,
	    .immediate = true),
	BOOL("fleet.group_motion", .default_json = "false", .immediate = true),

	BOOL("homeassistant.discovery", .default_json = "true"),
	STRING("homeassistant.prefix", .default_json = "\"homeassistant\"",
	       .rule = &rule_topic),

	STRING("scan_preset.project", .default_json = "\"scan\"", .rule = &rule_filled),
	INT("scan_preset.points", .default_json = "130", .min = 1, .max = 999),
	INT("scan_preset.focus_stacks", .default_json = "1", .min = 1, .max = 99),

	INT("projects.min_free_mb", .default_json = "500", .min = 0, .max = 1e9),

	LIST("export.roots", .default_json = "[]", .rule = &rule_folder,
	     .local_only = true),

	BOOL("motion.assume_position_after_power_cut", .default_json = "false"),

	STRING("cloud.host", .default_json = "\"\"", .rule = &rule_http_url_or_none,
	       .secret = true, .local_only = true),
	STRING("cloud.user", .default_json = "\"openscan\"", .local_only = true),
	STRING("cloud.password_file", .default_json = "\"\"", .local_only = true),
	STRING("cloud.token_file", .default_json = "\"\"", .local_only = true),
	STRING("cloud.directory", .default_json = "\"\"", .rule = &rule_folder_or_none,
	       .local_only = true),
	STRING("cloud.webdav_url", .default_json = "\"\"", .rule = &rule_http_url_or_none,
	       .secret = true, .local_only = true),
	STRING("cloud.webdav_user", .default_json = "\"\"", .local_only = true),
	STRING("cloud.webdav_password_file", .default_json = "\"\"", .local_only = true),
	STRING("cloud.ca_file", .default_json = "\"\"", .local_only = true),
	BOOL("cloud.allow_http", .default_json = "false", .local_only = true),
	INT("cloud.split_size", .default_json = "200000000", .min = 1, .max = 1e12),
	INT("cloud.timeout_s", .default_json = "60", .min = 1, .max = 3600),
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

const char *table_suggest(const char *name, char suggestion[TABLE_KEY])
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

	snprintf(suggestion, TABLE_KEY, "%s", search.name);
	return suggestion;
}
