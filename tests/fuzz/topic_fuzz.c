/* Fuzzes topics: their meaning, and where a reply may go.  Input: a topic, NUL, a device
 * id. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/topic.h"

#define ROOT "openscan/v1"

static void check_command(const struct topic *topic, const char *text, const char *device)
{
	char again[TOPIC_MAX];

	must(!topic->noun[0] || topic_name_valid(topic->noun), "a noun is a name");
	must(!topic->verb[0] || topic_name_valid(topic->verb), "a verb is a name");
	must(topic->noun[0] || !topic->verb[0], "a verb has a noun");
	must(topic->scope != SCOPE_GROUP || topic_name_valid(topic->name),
	     "a group has a name");
	if (topic->scope != SCOPE_DEVICE || !topic->noun[0])
		return;
	topic_make(again, ROOT, device, topic->verb[0] ? "cmd/%s/%s" : "cmd/%s%s",
		   topic->noun, topic->verb);
	must(!strcmp(again, text), "what was understood is what was said");
}

static void check_reply(const char *text, const struct topic *topic, const char *device)
{
	char ours[TOPIC_MAX];
	size_t length;

	if (!topic_reply_allowed(ROOT, device, text))
		return;
	must(topic->kind != TOPIC_COMMAND, "a reply can never become a command");
	must(topic->kind != TOPIC_BARRIER, "a reply is never the barrier");
	must(!strpbrk(text, "+#"), "a reply's topic has no wildcard");
	must(strlen(text) < TOPIC_MAX, "a reply's topic has its bound");
	topic_make(ours, ROOT, device, "reply/%s", "");
	length = strlen(ours);
	must(!strncmp(text, ours, length) ||
		     !strncmp(text, ROOT "/_reply/", strlen(ROOT "/_reply/")),
	     "a reply goes to a reply topic");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	char *text = input_part(&input, NULL), *device = input_part(&input, NULL);
	const char *name = topic_device_valid(device) ? device : "rig1";
	struct topic topic;

	topic_parse(ROOT, name, text, &topic);
	if (topic.kind == TOPIC_COMMAND)
		check_command(&topic, text, name);
	if (topic.kind == TOPIC_TASK)
		must(topic_name_valid(topic.name), "a task has a name");
	check_reply(text, &topic, name);
	free(device);
	free(text);
	return 0;
}
