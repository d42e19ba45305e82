/* Fuzzes the parsing of commands.  Input: a topic, NUL, a Response Topic (empty: none),
 * NUL, the payload. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "agent/commands/parse.h"

#define ROOT "openscan/v1"

/* The canonical form must parse to itself. */
static void check_spelling(const struct input *payload)
{
	cJSON *value = json_parse((const char *)payload->bytes, payload->size, NULL),
	      *again;
	char *text, *text_again;

	if (!value)
		return;
	text = json_canonical(value);
	again = json_parse(text, strlen(text), NULL);
	must(again != NULL, "what we write can be read");
	text_again = json_canonical(again);
	must(!strcmp(text, text_again), "equal values have equal text");
	free(text_again);
	free(text);
	cJSON_Delete(again);
	cJSON_Delete(value);
}

static void check(const struct command *command)
{
	must(!command->id[0] || topic_name_valid(command->id), "an id is a name");
	must(!command->request[0] || topic_request_valid(command->request),
	     "a request is a name");
	must(strlen(command->reply_to) < TOPIC_MAX, "a reply's topic has its bound");
}

static void check_taken(const struct command *command)
{
	must(cJSON_IsObject(command->body), "a body is an object");
	must(strlen(command->hash) == SHA256_HEX - 1, "a command has a hash");
	must(command->name[0] != '\0', "a command has a verb");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	char *topic_text = input_part(&input, NULL), *response = input_part(&input, NULL);
	struct command command;
	struct topic topic;
	struct err err = {.number = 0};
	int ret;

	topic_parse(ROOT, "rig1", topic_text, &topic);
	ret = command_parse(&command, &topic, input.bytes, input.size,
			    response[0] ? response : NULL, "7", response[0] ? 1 : 0,
			    &err);
	check(&command);
	if (ret == 0)
		check_taken(&command);
	else
		must_be_told(&err, true);
	if (topic.kind == TOPIC_COMMAND && !strcmp(topic.noun, "estop") && !topic.verb[0])
		must(ret == 0 || !strcmp(err.code, "reply_to_denied"),
		     "an emergency stop is never refused for its form");
	command_clear(&command);
	check_spelling(&input);
	free(response);
	free(topic_text);
	return 0;
}
