#include "settings/validate.h"

#include <string.h>

#include "agent/base/log.h"
#include "mqtt/url.h"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
#define PLAIN_MAX 64
#define TOPIC_MAX 200 /* leaves room for the rest of a topic below it */

bool rule_plain(const char *text)
{
	size_t length = strlen(text);

	return length >= 1 && length <= PLAIN_MAX && strspn(text, PLAIN) == length;
}

bool rule_path(const char *text)
{
	size_t length = strlen(text);

	return strchr(text, '/') || (length > 5 && !strcmp(text + length - 5, ".json"));
}

static bool fits_device_id(const char *text)
{
	return rule_plain(text) && text[0] != '_';
}

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

	return length >= 1 && length <= TOPIC_MAX && !strpbrk(text, "+#") &&
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
	return rule_plain(text) || rule_path(text);
}

static bool fits_mqtt_url(const char *text)
{
	struct url url;
	bool fits = url_parse(&url, text, NULL) == 0;

	url_clear(&url);
	return fits;
}

/* What stands behind "http://" or "https://", else "". */
static const char *behind_scheme(const char *text)
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
	const char *rest = behind_scheme(text);
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

const struct setting_rule rule_device_id = {
	fits_device_id, "1 to 64 of A-Z a-z 0-9 _ - and must not begin with _"};
const struct setting_rule rule_name = {rule_plain, "1 to 64 of A-Z a-z 0-9 _ -"};
const struct setting_rule rule_filled = {fits_filled, "filled in"};
const struct setting_rule rule_folder = {fits_folder, "an absolute path"};
const struct setting_rule rule_topic = {
	fits_topic, "a topic of at most 200 bytes without + # $ or an empty level"};
const struct setting_rule rule_mqtt_url = {
	fits_mqtt_url, "mqtt://[user[:password]@]host[:port] (or mqtts, ws, wss)"};
const struct setting_rule rule_http_url_or_none = {
	fits_http_url_or_none, "http://host or https://host, or empty"};
const struct setting_rule rule_folder_or_none = {fits_folder_or_none,
						 "an absolute path, or empty"};
const struct setting_rule rule_log_level = {fits_log_level, "error, warn, info or debug"};
const struct setting_rule rule_namespace = {fits_namespace,
					    "core, examples or community"};
const struct setting_rule rule_device_config = {
	fits_device_config,
	"the name of a shipped device config, or a path with a / or .json"};
