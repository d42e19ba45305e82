/* Makes the JSON of a reply and puts it into the outbox. */
#include "agent/commands/reply.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/model/error_code.h"

cJSON *reply_head(const struct core *core, const struct response *response)
{
	const struct command *command = response->command;
	cJSON *reply = cJSON_CreateObject();

	cJSON_AddBoolToObject(reply, "ok", !response->refused);
	cJSON_AddStringToObject(reply, "device", core->options.device);
	cJSON_AddStringToObject(reply, "verb", command->name);
	json_put_string(reply, "id",
			response->id[0]	 ? response->id
			: command->id[0] ? command->id
					 : NULL);
	json_put_string(reply, "request", command->request[0] ? command->request : NULL);
	cJSON_AddStringToObject(reply, "code", response->code);
	return reply;
}

static void reply_put_ts(cJSON *reply, int64_t wall)
{
	char stamp[CLOCK_TEXT];

	clock_text(wall, stamp);
	cJSON_AddStringToObject(reply, "ts", stamp);
}

static void reply_put(cJSON *reply, const char *key, cJSON *value)
{
	cJSON_AddItemToObject(reply, key, value ? value : cJSON_CreateNull());
}

static cJSON *reply_accepted(const struct core *core, struct response *response)
{
	cJSON *reply = reply_head(core, response);

	cJSON_AddBoolToObject(reply, "duplicate", response->duplicate);
	reply_put(reply, "rev",
		  response->rev < 0 ? NULL : cJSON_CreateNumber((double)response->rev));
	reply_put(reply, "data", response->data ? response->data : cJSON_CreateObject());
	response->data = NULL;
	reply_put_ts(reply, core->now.wall);
	return reply;
}

static cJSON *reply_refused(struct core *core, struct response *response)
{
	cJSON *reply = reply_head(core, response);
	size_t number = code_number(response->code);

	core->refused[number]++;
	cJSON_AddStringToObject(reply, "message", response->message);
	reply_put(reply, "errors",
		  response->errors ? response->errors : cJSON_CreateArray());
	cJSON_AddBoolToObject(reply, "retryable", code_retryable(number));
	reply_put(reply, "retry_after_s",
		  response->retry_after_s < 0
			  ? NULL
			  : cJSON_CreateNumber(response->retry_after_s));
	reply_put(reply, "current", response->current);
	response->errors = NULL;
	response->current = NULL;
	reply_put_ts(reply, core->now.wall);
	return reply;
}

void reply_topic(const struct core *core, const struct command *command,
		 char topic[TOPIC_MAX])
{
	const char *name = command->request[0] ? command->request
			   : command->id[0]    ? command->id
					       : "_";

	if (command->reply_to[0])
		snprintf(topic, TOPIC_MAX, "%s", command->reply_to);
	else
		topic_make(topic, core->options.root, core->options.device, "reply/%s",
			   name);
}

/* A whole fleet receives a command at the same time; its replies are spread. */
int64_t reply_delay(struct core *core, const struct command *command)
{
	if (command->topic.scope == SCOPE_DEVICE ||
	    core->options.tunables.reply_spread_ms <= 0)
		return 0;
	return (int64_t)(core_random(core) %
			 (uint64_t)core->options.tunables.reply_spread_ms);
}

void reply_send(struct core *core, struct response *response, bool stored)
{
	char topic[TOPIC_MAX];
	/* On a full disk a reply waits for its commit, except for commands that stop
	 * hardware. */
	const struct verb *verb = response->command->verb;
	cJSON *reply = response->refused ? reply_refused(core, response)
					 : reply_accepted(core, response);
	char *text = json_text(reply);
	struct outbox_reply out = {
		.topic = topic,
		.payload = text,
		.correlation = response->command->correlation,
		.correlation_size = response->command->correlation_size,
		.not_before = core->now.ms + reply_delay(core, response->command),
		.age = core_age(core),
		.stored = stored &&
			  !(core->commit_blocked && verb && (verb->flags & VERB_STOPS)),
		.packet = response->packet,
		.message_hash = response->message_hash,
	};

	reply_topic(core, response->command, topic);
	outbox_add_reply(core->outbox, &out);
	free(text);
	cJSON_Delete(reply);
}
