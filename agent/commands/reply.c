#include "agent/commands/reply.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/model/error_code.h"

/* The part of a reply that is remembered: everything but its data. */
cJSON *reply_head(const struct core *core, const struct answer *answer)
{
	const struct command *command = answer->command;
	cJSON *reply = cJSON_CreateObject();

	cJSON_AddBoolToObject(reply, "ok", !answer->refused);
	cJSON_AddStringToObject(reply, "device", core->options.device);
	cJSON_AddStringToObject(reply, "verb", command->name);
	json_put_string(reply, "id",
			answer->id[0]	 ? answer->id
			: command->id[0] ? command->id
					 : NULL);
	json_put_string(reply, "request", command->request[0] ? command->request : NULL);
	cJSON_AddStringToObject(reply, "code", answer->code);
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

static cJSON *reply_accepted(const struct core *core, struct answer *answer)
{
	cJSON *reply = reply_head(core, answer);

	cJSON_AddBoolToObject(reply, "duplicate", answer->duplicate);
	reply_put(reply, "rev",
		  answer->rev < 0 ? NULL : cJSON_CreateNumber((double)answer->rev));
	reply_put(reply, "data", answer->data ? answer->data : cJSON_CreateObject());
	answer->data = NULL;
	reply_put_ts(reply, core->now.wall);
	return reply;
}

static cJSON *reply_refused(struct core *core, struct answer *answer)
{
	cJSON *reply = reply_head(core, answer);
	size_t number = code_number(answer->code);

	core->refused[number]++;
	cJSON_AddStringToObject(reply, "message", answer->message);
	reply_put(reply, "errors", answer->errors ? answer->errors : cJSON_CreateArray());
	cJSON_AddBoolToObject(reply, "retryable", code_retryable(number));
	reply_put(reply, "retry_after_s",
		  answer->retry_after_s < 0 ? NULL
					    : cJSON_CreateNumber(answer->retry_after_s));
	reply_put(reply, "current", answer->current);
	answer->errors = NULL;
	answer->current = NULL;
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

/* In a fleet everybody hears the command at once; not everybody shall answer at once. */
int64_t reply_delay(struct core *core, const struct command *command)
{
	if (command->topic.scope == SCOPE_DEVICE ||
	    core->options.tunables.reply_spread_ms <= 0)
		return 0;
	return (int64_t)(core_random(core) %
			 (uint64_t)core->options.tunables.reply_spread_ms);
}

void reply_send(struct core *core, struct answer *answer, bool stored)
{
	char topic[TOPIC_MAX];
	/* On a full disk an answer waits for its commit, but for those of what stops
	 * hardware. */
	const struct verb *verb = answer->command->verb;
	cJSON *reply = answer->refused ? reply_refused(core, answer)
				       : reply_accepted(core, answer);
	char *text = json_text(reply);
	struct outbox_reply out = {
		.topic = topic,
		.payload = text,
		.correlation = answer->command->correlation,
		.correlation_size = answer->command->correlation_size,
		.not_before = core->now.ms + reply_delay(core, answer->command),
		.age = core_age(core),
		.stored = stored && !(core->held && verb && (verb->flags & VERB_STOPS)),
		.packet = answer->packet,
		.message = answer->message_hash,
	};

	reply_topic(core, answer->command, topic);
	outbox_reply(core->outbox, &out);
	free(text);
	cJSON_Delete(reply);
}
