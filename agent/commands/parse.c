/* Reads the payload of a command: JSON or a short form, then the envelope. */
#include "agent/commands/parse.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/suggest.h"
#include "agent/base/utf8.h"
#include "agent/commands/verbs.h"

#define TEXT_MAX 64 /* bytes of a short form */

/* Names with another meaning in the place of an id: two short forms, and the barrier's
 * level below reply/. */
static const char *const reserved[] = {"current", "PRESS", "_barrier"};

/* The payload without the space around it. */
struct text {
	const char *start;
	size_t size;
};

static int bad_request(struct err *err, const char *sentence)
{
	return err_code(err, -EINVAL, "bad_request", "%s", sentence);
}

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static struct text trimmed(const char *payload, size_t size)
{
	/* The byte order mark that editors put at the start of a file. */
	static const char mark[] = "\xef\xbb\xbf";
	struct text text = {payload ? payload : "", size};

	if (text.size >= 3 && !memcmp(text.start, mark, 3)) {
		text.start += 3;
		text.size -= 3;
	}
	while (text.size && isspace((unsigned char)text.start[text.size - 1]))
		text.size--;
	while (text.size && isspace((unsigned char)text.start[0])) {
		text.start++;
		text.size--;
	}
	return text;
}

static bool text_is(const struct text *text, const char *word)
{
	return text->size == strlen(word) && !memcmp(text->start, word, text->size);
}

/* Copies a short form; false when it is too long or not UTF-8. */
static bool text_copy(const struct text *text, char copy[TEXT_MAX + 1])
{
	if (text->size > TEXT_MAX || !utf8_valid(text->start, text->size))
		return false;
	memcpy(copy, text->start, text->size);
	copy[text->size] = '\0';
	return true;
}

static bool is_reserved(const char *name)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (!strcmp(reserved[i], name))
			return true;
	return false;
}

static int unknown_verb(const char *name, struct err *err)
{
	struct suggest suggest;

	if (!*name)
		return err_code(
			err, -EINVAL, "unknown_verb",
			"a command's topic ends in cmd/<noun>/<verb> or cmd/estop");
	suggest_init(&suggest, name);
	verb_suggest(&suggest);
	if (suggest.name)
		return err_code(err, -EINVAL, "unknown_verb",
				"there is no command %s (did you mean %s?)", name,
				suggest.name);
	return err_code(err, -EINVAL, "unknown_verb", "there is no command %s", name);
}

static int take_type(struct command *command, const struct text *text, struct err *err)
{
	char type[TEXT_MAX + 1];

	if (!text->size)
		return bad_request(err,
				   "type is required: send a task type or a JSON object");
	if (!text_copy(text, type))
		return bad_request(err,
				   "the payload must be a task type or a JSON object");
	json_put_string(command->body, "type", type);
	return 0;
}

static int take_task(struct command *command, const struct text *text, struct err *err)
{
	char id[TEXT_MAX + 1];

	if (text_is(text, "current") || text_is(text, "PRESS")) {
		command->current = true;
		return 0;
	}
	if (!text->size)
		return bad_request(err,
				   "id is required: send a task id, or current for the "
				   "current task");
	if (!text_copy(text, id) || !topic_name_valid(id))
		return bad_request(
			err, "the payload must be a task id (1 to 64 letters, digits, "
			     "_ or -), current or a JSON object");
	json_put_string(command->body, "id", id);
	return 0;
}

static int take_brightness(struct command *command, const char *text, struct err *err)
{
	cJSON *number = json_parse(text, strlen(text), NULL);
	double value = cJSON_IsNumber(number) ? number->valuedouble : -1;

	cJSON_Delete(number);
	if (value < 0 || value > 100 || trunc(value) < value)
		return bad_request(
			err, "the payload must be ON, OFF, 0 to 100 or a JSON object");
	json_put_string(command->body, "state", value > 0 ? "ON" : "OFF");
	if (value > 0 && !cJSON_AddNumberToObject(command->body, "brightness", value))
		return no_memory(err);
	return 0;
}

static int take_light(struct command *command, const struct text *text, struct err *err)
{
	char state[TEXT_MAX + 1];

	if (!text_copy(text, state))
		*state = '\0';
	if (!text_is(text, "ON") && !text_is(text, "OFF"))
		return take_brightness(command, state, err);
	json_put_string(command->body, "state", state);
	return 0;
}

static cJSON *parse_json(const struct text *text, struct err *err)
{
	cJSON *value = json_parse(text->start, text->size, err);

	if (!value)
		err_prefix(err, "the payload is not JSON");
	return value;
}

/* A payload that is not a short form must be JSON; says which of the two is wrong. */
static int not_an_object(const struct text *text, struct err *err)
{
	cJSON *value;

	if (!text->size)
		return bad_request(err, "the payload must be a JSON object, not empty");
	value = parse_json(text, err);
	if (!value)
		return -EINVAL;
	cJSON_Delete(value);
	return bad_request(err, "the payload must be a JSON object");
}

static bool looks_like_json(const struct text *text)
{
	return text->size && strchr("{[\"", text->start[0]);
}

static int take_short_form(struct command *command, enum short_form form,
			   const struct text *text, struct err *err)
{
	command->body = cJSON_CreateObject();
	if (!command->body)
		return no_memory(err);
	if (looks_like_json(text))
		return not_an_object(text, err);

	switch (form) {
	case SHORT_TYPE:
		return take_type(command, text, err);
	case SHORT_TASK:
		return take_task(command, text, err);
	case SHORT_LIGHT:
		return take_light(command, text, err);
	case SHORT_EMPTY:
		if (!text->size || text_is(text, "PRESS"))
			return 0;
		break;
	case SHORT_NONE:
		break;
	}
	return not_an_object(text, err);
}

static int take_payload(struct command *command, enum short_form form,
			const struct text *text, struct err *err)
{
	if (text->size && text->start[0] == '{') {
		command->body = parse_json(text, err);
		return command->body ? 0 : -EINVAL;
	}
	return take_short_form(command, form, text, err);
}

static int take_id(struct command *command, const cJSON *value, struct err *err)
{
	const char *id = cJSON_GetStringValue(value);

	if (!id || !topic_name_valid(id))
		return bad_request(err, "id must be 1 to 64 letters, digits, _ or -");
	if (is_reserved(id))
		return err_code(err, -EINVAL, "bad_request", "id must not be %s", id);
	strcpy(command->id, id);
	return 0;
}

static int take_request(struct command *command, const cJSON *value, struct err *err)
{
	const char *request = cJSON_GetStringValue(value);

	if (!request || !topic_request_valid(request))
		return bad_request(
			err,
			"request must be 1 to 64 letters, digits, '.', '_', ':' or -");
	if (is_reserved(request))
		return err_code(err, -EINVAL, "bad_request", "request must not be %s",
				request);
	strcpy(command->request, request);
	return 0;
}

/* A topic that is too long to keep cannot be checked later, so it is refused here. */
static int keep_reply_to(struct command *command, const char *topic, struct err *err)
{
	if (strlen(topic) >= TOPIC_MAX)
		return err_code(err, -EINVAL, "reply_to_denied",
				"a reply topic must be at most 256 bytes long");
	strcpy(command->reply_to, topic);
	return 0;
}

static int take_reply_to(struct command *command, const cJSON *value, struct err *err)
{
	const char *topic = cJSON_GetStringValue(value);

	if (!topic || !*topic)
		return bad_request(err, "reply_to must be a topic");
	if (*command->reply_to) /* the Response Topic wins */
		return 0;
	return keep_reply_to(command, topic, err);
}

static int take_if_rev(struct command *command, const cJSON *value, struct err *err)
{
	double rev = cJSON_IsNumber(value) ? value->valuedouble : -1;

	if (rev < 0 || rev > 9007199254740991.0 || trunc(rev) < rev)
		return bad_request(err, "if_rev must be a whole number from 0 on");
	command->if_rev = (int64_t)rev;
	return 0;
}

/* Moves the envelope out of the body, all fields of it, so that the refusal of one field
 * still reaches its sender by the others.  The first wrong field makes the sentence.  A
 * field that is null counts as left out. */
static int take_envelope(struct command *command, struct err *err)
{
	static const struct {
		const char *name;
		int (*take)(struct command *command, const cJSON *value, struct err *err);
	} fields[] = {
		{"id", take_id},
		{"request", take_request},
		{"reply_to", take_reply_to},
		{"if_rev", take_if_rev},
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		cJSON *value = cJSON_DetachItemFromObjectCaseSensitive(command->body,
								       fields[i].name);
		struct err first;
		int taken = 0;

		if (value && !cJSON_IsNull(value))
			taken = fields[i].take(command, value, &first);
		if (taken < 0 && ret == 0) {
			ret = taken;
			if (err)
				*err = first;
		}
		cJSON_Delete(value);
	}
	return ret;
}

/* Section 6 of the contract: the id is hashed, unless it names what the command
 * creates. */
static cJSON *hashed_body(const struct command *command)
{
	cJSON *body = cJSON_Duplicate(command->body, true);

	if (body && *command->id && !(command->verb->flags & VERB_CREATES))
		json_put_string(body, "id", command->id);
	return body;
}

/* {"body":…,"verb":…} in canonical JSON, or NULL without memory. */
static char *hashed_text(const struct command *command)
{
	cJSON *whole = cJSON_CreateObject();
	cJSON *body = hashed_body(command);
	char *text = NULL;

	if (!cJSON_AddItemToObject(whole, "body", body))
		cJSON_Delete(body);
	else if (cJSON_AddStringToObject(whole, "verb", command->name))
		text = json_canonical(whole);
	cJSON_Delete(whole);
	return text;
}

static int make_hash(struct command *command, struct err *err)
{
	char *text = hashed_text(command);

	if (!text)
		return no_memory(err);
	json_sha256(text, strlen(text), command->hash);
	free(text);
	return 0;
}

/* Even without a row the payload is read: its envelope says where the refusal goes. */
static int parse_body(struct command *command, const void *payload, size_t size,
		      struct err *err)
{
	const struct verb *verb = command->verb;
	enum short_form form = verb ? verb->short_form : SHORT_EMPTY;
	struct text text;
	int ret;

	if (size > COMMAND_MAX_PAYLOAD)
		return err_code(err, -EMSGSIZE, "payload_too_large",
				"the payload must be at most %d bytes, not %zu",
				COMMAND_MAX_PAYLOAD, size);
	text = trimmed(payload, size);
	ret = take_payload(command, form, &text, verb ? err : NULL);
	if (ret == 0)
		ret = take_envelope(command, verb ? err : NULL);
	if (!verb)
		return unknown_verb(command->name, err);
	if (ret == 0 && form == SHORT_TASK && !command->current && !*command->id)
		return bad_request(err, "id is required");
	return ret;
}

static int parse_message(struct command *command, const void *payload, size_t size,
			 const char *response_topic, struct err *err)
{
	int ret = response_topic ? keep_reply_to(command, response_topic, err) : 0;

	return ret < 0 ? ret : parse_body(command, payload, size, err);
}

/* An emergency stop is carried out, whatever its message looks like. */
static int parse_any_form(struct command *command, const void *payload, size_t size,
			  const char *response_topic, struct err *err)
{
	if (parse_message(command, payload, size, response_topic, NULL) == 0)
		return 0;
	cJSON_Delete(command->body);
	command->body = cJSON_CreateObject();
	return command->body ? 0 : no_memory(err);
}

static int keep_correlation(struct command *command, const void *correlation, size_t size,
			    struct err *err)
{
	if (!correlation || !size)
		return 0;
	command->correlation = malloc(size);
	if (!command->correlation)
		return no_memory(err);
	memcpy(command->correlation, correlation, size);
	command->correlation_size = size;
	return 0;
}

static void keep_verb(struct command *command, const struct topic *topic)
{
	command->topic = *topic;
	verb_name(command->name, topic);
	command->verb = verb_find(command->name);
}

int command_parse(struct command *command, const struct topic *topic, const void *payload,
		  size_t size, const char *response_topic, const void *correlation,
		  size_t correlation_size, struct err *err)
{
	int ret;

	*command = (struct command){.if_rev = -1, .empty = size == 0};
	keep_verb(command, topic);
	ret = keep_correlation(command, correlation, correlation_size, err);
	if (ret < 0)
		return ret;
	if (command->verb && command->verb->flags & VERB_NEVER_REFUSED)
		ret = parse_any_form(command, payload, size, response_topic, err);
	else
		ret = parse_message(command, payload, size, response_topic, err);
	if (ret < 0)
		return ret;
	return make_hash(command, err);
}

void command_clear(struct command *command)
{
	free(command->correlation);
	cJSON_Delete(command->body);
	command->correlation = NULL;
	command->body = NULL;
}
