/* Parses the topics of the contract and makes them. */
#include "mqtt/topic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/utf8.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define MAX_LEVELS 4

/* The levels of a topic below its root. */
struct levels {
	char text[MAX_LEVELS][NAME_MAX_LENGTH + 1];
	size_t count;
};

static bool spans(const char *text, const char *allowed)
{
	size_t length = strlen(text);

	return length >= 1 && length <= NAME_MAX_LENGTH &&
	       strspn(text, allowed) == length;
}

bool topic_name_valid(const char *name)
{
	return spans(name, LETTERS DIGITS "_-");
}

bool topic_request_valid(const char *request)
{
	return spans(request, LETTERS DIGITS "._:-");
}

bool topic_device_valid(const char *name)
{
	return topic_name_valid(name) && name[0] != '_';
}

/* The part of text after "prefix/", or NULL. */
static const char *after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(text, prefix, length) != 0 || text[length] != '/')
		return NULL;
	return text + length + 1;
}

/* Splits text into levels; false if there are too many or one is not a name. */
static bool split(const char *text, struct levels *levels)
{
	levels->count = 0;
	while (text) {
		const char *end = strchrnul(text, '/');
		size_t size = (size_t)(end - text);
		char *level;

		if (levels->count == MAX_LEVELS || size > NAME_MAX_LENGTH)
			return false;
		level = levels->text[levels->count++];
		memcpy(level, text, size);
		level[size] = '\0';
		if (!topic_name_valid(level))
			return false;
		text = *end ? end + 1 : NULL;
	}
	return true;
}

/* Parses the part after cmd/: noun/verb, or just estop. */
static void parse_command(const char *text, struct topic *topic)
{
	struct levels levels;
	bool named = split(text, &levels);

	topic->kind = TOPIC_COMMAND;
	if (named && levels.count == 1 && !strcmp(levels.text[0], "estop"))
		strcpy(topic->noun, "estop");
	if (named && levels.count == 2) {
		strcpy(topic->noun, levels.text[0]);
		strcpy(topic->verb, levels.text[1]);
	}
}

/* Parses the part after R/<d>/. */
static void parse_own(const char *text, struct topic *topic)
{
	const char *command = after(text, "cmd");
	const char *task = after(text, "task"), *type = after(text, "types");

	if (command) {
		parse_command(command, topic);
	} else if (!strcmp(text, "reply/_barrier")) {
		topic->kind = TOPIC_BARRIER;
	} else if (!strcmp(text, "info")) {
		topic->kind = TOPIC_INFO;
	} else if (task && topic_name_valid(task)) {
		topic->kind = TOPIC_TASK;
		strcpy(topic->name, task);
	} else if (type && topic_name_valid(type)) {
		topic->kind = TOPIC_TYPE;
		strcpy(topic->name, type);
	}
}

/* Parses the part after R/_group/: the group and cmd/. */
static void parse_group(const char *text, struct topic *topic)
{
	size_t size = strcspn(text, "/");
	char group[NAME_MAX_LENGTH + 1];
	const char *command;

	if (size > NAME_MAX_LENGTH)
		return;
	memcpy(group, text, size);
	group[size] = '\0';
	command = after(text, group);
	if (!topic_name_valid(group) || !command || !after(command, "cmd"))
		return;

	strcpy(topic->name, group);
	topic->scope = SCOPE_GROUP;
	parse_command(after(command, "cmd"), topic);
}

static void parse_below_root(const char *device, const char *text, struct topic *topic)
{
	const char *own = after(text, device);
	const char *group = after(text, "_group");
	const char *all = after(text, "_all/cmd");

	if (own) {
		parse_own(own, topic);
	} else if (group) {
		parse_group(group, topic);
	} else if (all) {
		topic->scope = SCOPE_ALL;
		parse_command(all, topic);
	}
}

/* Home Assistant's prefix is a setting that is not known here; the agent subscribes to no
 * other topic outside of its root that ends like this. */
static bool is_birth(const char *text)
{
	static const char end[] = "/status";
	size_t length = strlen(text), size = sizeof(end) - 1;

	return length > size && !strcmp(text + length - size, end);
}

void topic_parse(const char *root, const char *device, const char *text,
		 struct topic *topic)
{
	const char *rest = after(text, root);

	*topic = (struct topic){.kind = TOPIC_OTHER, .scope = SCOPE_DEVICE};
	if (rest)
		parse_below_root(device, rest, topic);
	else if (is_birth(text))
		topic->kind = TOPIC_BIRTH;
}

char *topic_make(char out[TOPIC_MAX], const char *root, const char *device,
		 const char *fmt, ...)
{
	int used = snprintf(out, TOPIC_MAX, "%s/%s/", root, device);
	va_list args;
	int more;

	if (used < 0 || used >= TOPIC_MAX) {
		*out = '\0';
		return out;
	}
	va_start(args, fmt);
	more = vsnprintf(out + used, (size_t)(TOPIC_MAX - used), fmt, args);
	va_end(args);
	if (more < 0 || more >= TOPIC_MAX - used)
		*out = '\0';
	return out;
}

/* Can topic be published to?  No wildcard, no empty level, no control character. */
static bool is_publishable(const char *topic)
{
	size_t length = strlen(topic);

	if (length == 0 || length >= TOPIC_MAX || !utf8_valid(topic, length))
		return false;
	if (topic[0] == '/' || topic[length - 1] == '/' || strstr(topic, "//"))
		return false;
	for (; *topic; topic++)
		if ((unsigned char)*topic < 0x20 || strchr("+#\x7f", *topic))
			return false;
	return true;
}

bool topic_reply_allowed(const char *root, const char *device, const char *topic)
{
	const char *rest = after(topic, root);
	const char *own = rest ? after(rest, device) : NULL;

	if (!rest || !is_publishable(topic))
		return false;
	if (after(rest, "_reply"))
		return true;
	/* The barrier marks what had waited at the broker: no command may forge it. */
	return own && after(own, "reply") && strcmp(own, "reply/_barrier") != 0;
}
