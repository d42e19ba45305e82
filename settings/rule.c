#include "settings/rule.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"

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

/* ":1883", or nothing. */
static bool fits_port(const char *text)
{
	char *end;
	long port;

	if (text[0] == '\0')
		return true;
	if (text[0] != ':' || strspn(text + 1, "0123456789") != strlen(text + 1))
		return false;

	port = strtol(text + 1, &end, 10);
	return end != text + 1 && port >= 1 && port <= 65535;
}

/* "[::1]:1883", "broker.local". */
static bool fits_host_port(const char *text)
{
	size_t host;

	if (text[0] == '[') {
		host = strcspn(text, "]");
		return host > 1 && text[host] == ']' && fits_port(text + host + 1);
	}
	host = strcspn(text, ":");
	return host > 0 && !strpbrk(text, " \t@[]?#") && fits_port(text + host);
}

/* What stands behind "scheme://", or NULL when the scheme is none of schemes. */
static const char *behind_scheme(const char *text, const char *const *schemes)
{
	for (; *schemes; schemes++) {
		size_t length = strlen(*schemes);

		if (!strncmp(text, *schemes, length) && !strncmp(text + length, "://", 3))
			return text + length + 3;
	}
	return NULL;
}

/* A password may hold anything, so the last @ ends it. */
static const char *behind_user(const char *text)
{
	const char *at = strrchr(text, '@');

	return at ? at + 1 : text;
}

static bool fits_mqtt_url(const char *text)
{
	static const char *const schemes[] = {"mqtt", "mqtts", "ws", "wss", NULL};
	const char *rest = behind_scheme(text, schemes);
	char host[256];
	size_t length;

	if (!rest)
		return false;

	rest = behind_user(rest);
	length = strcspn(rest, "/");
	/* A path means something only where HTTP opens the connection. */
	if (rest[length] && rest[length + 1] && text[0] != 'w')
		return false;
	if (length >= sizeof(host))
		return false;

	memcpy(host, rest, length);
	host[length] = '\0';
	return fits_host_port(host);
}

static bool fits_http_url(const char *text)
{
	static const char *const schemes[] = {"http", "https", NULL};
	const char *rest = behind_scheme(text, schemes);

	return rest && behind_user(rest)[0] != '\0' && behind_user(rest)[0] != '/';
}

const struct setting_rule rule_device_id = {
	fits_device_id, "1 to 64 of A-Z a-z 0-9 _ - and must not begin with _"};
const struct setting_rule rule_name = {rule_plain, "1 to 64 of A-Z a-z 0-9 _ -"};
const struct setting_rule rule_filled = {fits_filled, "filled in"};
const struct setting_rule rule_topic = {
	fits_topic, "a topic of at most 200 bytes without + # $ or an empty level"};
const struct setting_rule rule_mqtt_url = {
	fits_mqtt_url, "mqtt://[user[:password]@]host[:port] (or mqtts, ws, wss)"};
const struct setting_rule rule_http_url = {fits_http_url, "http://host or https://host"};
const struct setting_rule rule_log_level = {fits_log_level, "error, warn, info or debug"};
const struct setting_rule rule_namespace = {fits_namespace,
					    "core, examples or community"};
const struct setting_rule rule_device_config = {
	fits_device_config,
	"the name of a shipped device config, or a path with a / or .json"};
