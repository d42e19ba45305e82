#include "agent/commands/parse.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/suggest.h"
#include "agent/base/utf8.h"

#define TEXT_MAX 64 /* bytes of a short form */

/* What a verb takes besides a JSON object. */
enum short_form {
	SHORT_NONE,  /* nothing: it has arguments that are required */
	SHORT_EMPTY, /* nothing at all, or PRESS */
	SHORT_TYPE,  /* a task type */
	SHORT_TASK,  /* a task id, current or PRESS */
	SHORT_LIGHT, /* ON, OFF or 0 to 100 */
};

static const struct verb {
	const char *name;
	enum short_form form;
} verbs[] = {
	{"task/create", SHORT_TYPE},	   {"task/pause", SHORT_TASK},
	{"task/resume", SHORT_TASK},	   {"task/cancel", SHORT_TASK},
	{"task/restart", SHORT_TASK},	   {"task/delete", SHORT_TASK},
	{"task/get", SHORT_TASK},	   {"task/update", SHORT_TASK},
	{"task/log", SHORT_TASK},	   {"task/list", SHORT_EMPTY},
	{"task/events", SHORT_EMPTY},	   {"queue/pause", SHORT_EMPTY},
	{"queue/resume", SHORT_EMPTY},	   {"queue/clear", SHORT_EMPTY},
	{"project/create", SHORT_NONE},	   {"project/list", SHORT_EMPTY},
	{"project/get", SHORT_NONE},	   {"project/delete", SHORT_NONE},
	{"motor/move", SHORT_NONE},	   {"motor/home", SHORT_EMPTY},
	{"motor/stop", SHORT_EMPTY},	   {"motor/override", SHORT_NONE},
	{"light/set", SHORT_LIGHT},	   {"light/toggle", SHORT_EMPTY},
	{"camera/capture", SHORT_EMPTY},   {"camera/preview", SHORT_EMPTY},
	{"camera/calibrate", SHORT_EMPTY}, {"camera/settings", SHORT_EMPTY},
	{"trigger/fire", SHORT_EMPTY},	   {"settings/get", SHORT_EMPTY},
	{"settings/set", SHORT_NONE},	   {"device/reload", SHORT_EMPTY},
	{"gpio/read", SHORT_NONE},	   {"gpio/set", SHORT_NONE},
	{"agent/ping", SHORT_EMPTY},	   {"agent/sync", SHORT_EMPTY},
	{"agent/drain", SHORT_EMPTY},	   {"agent/undrain", SHORT_EMPTY},
	{"agent/prune", SHORT_EMPTY},	   {"estop", SHORT_EMPTY},
};

/* Names that mean something else where an id stands: two short forms, and the level of
 * the barrier below reply/. */
static const char *const reserved[] = {"current", "PRESS", "_barrier"};

/* A piece of the payload, without the space around it. */
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
	static const char mark[] =
		"\xef\xbb\xbf"; /* what editors put before a file's first letter */
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

/* A short form as a string; false when it is none: too long, or not UTF-8. */
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

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int unknown_verb(const char *name, struct err *err)
{
	struct suggest suggest;

	if (!*name)
		return err_code(
			err, -EINVAL, "unknown_verb",
			"a command's topic ends in cmd/<noun>/<verb> or cmd/estop");
	suggest_init(&suggest, name);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		suggest_offer(&suggest, verbs[i].name);
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

/* Whatever is no short form has to be JSON; says which of the two it fails to be. */
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

static int take_short_form(struct command *command, const struct verb *verb,
			   const struct text *text, struct err *err)
{
	command->body = cJSON_CreateObject();
	if (!command->body)
		return no_memory(err);
	if (looks_like_json(text))
		return not_an_object(text, err);

	switch (verb->form) {
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

static int take_payload(struct command *command, const struct verb *verb,
			const struct text *text, struct err *err)
{
	if (text->size && text->start[0] == '{') {
		command->body = parse_json(text, err);
		return command->body ? 0 : -EINVAL;
	}
	return take_short_form(command, verb, text, err);
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

/* A topic that is too long to keep cannot be judged later, so it is refused here. */
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

/* Takes the envelope out of the body: all of it, so that the refusal of one field still
 * finds its way by the others.  The first field that is wrong makes the sentence.  null
 * is none. */
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

/* Contract section 6: the id of a task that shall be made names it and is not part of
 * what is asked for; that of any other command is. */
static cJSON *hashed_body(const struct command *command)
{
	cJSON *body = cJSON_Duplicate(command->body, true);

	if (body && *command->id && strcmp(command->verb, "task/create") != 0)
		json_put_string(body, "id", command->id);
	return body;
}

/* {"body":…,"verb":…} in its one spelling, or NULL. */
static char *hashed_text(const struct command *command)
{
	cJSON *whole = cJSON_CreateObject();
	cJSON *body = hashed_body(command);
	char *text = NULL;

	if (!cJSON_AddItemToObject(whole, "body", body))
		cJSON_Delete(body);
	else if (cJSON_AddStringToObject(whole, "verb", command->verb))
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

static int parse_body(struct command *command, const void *payload, size_t size,
		      struct err *err)
{
	static const struct verb anything = {"", SHORT_EMPTY};
	const struct verb *verb = find_verb(command->verb);
	struct text text;
	int ret;

	if (size > COMMAND_MAX_PAYLOAD)
		return err_code(err, -EMSGSIZE, "payload_too_large",
				"the payload must be at most %d bytes, not %zu",
				COMMAND_MAX_PAYLOAD, size);
	text = trimmed(payload, size);
	ret = take_payload(command, verb ? verb : &anything, &text, verb ? err : NULL);
	if (ret == 0)
		ret = take_envelope(command, verb ? err : NULL);
	if (!verb) /* read all the same: the envelope tells where to say so */
		return unknown_verb(command->verb, err);
	if (ret == 0 && verb->form == SHORT_TASK && !command->current && !*command->id)
		return bad_request(err, "id is required");
	return ret;
}

static int parse_message(struct command *command, const void *payload, size_t size,
			 const char *response_topic, struct err *err)
{
	int ret = response_topic ? keep_reply_to(command, response_topic, err) : 0;

	return ret < 0 ? ret : parse_body(command, payload, size, err);
}

/* Whoever asks for an emergency stop gets it, whatever the message looks like. */
static int parse_estop(struct command *command, const void *payload, size_t size,
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
	snprintf(command->verb, sizeof(command->verb), "%s%s%s", topic->noun,
		 *topic->verb ? "/" : "", topic->verb);
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
	if (!strcmp(command->verb, "estop"))
		ret = parse_estop(command, payload, size, response_topic, err);
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
