/* The checks that are the same for all verbs, and the call of decide(). */
#include "agent/commands/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/commands/dedup.h"
#include "agent/commands/parse.h"
#include "agent/commands/pending.h"
#include "agent/commands/reply.h"
#include "agent/model/error_code.h"

#define PROBLEMS_MAX 8
#define MQTT_5 5
#define VERBS_MAX 64
#define NO_ARGUMENTS "{\"type\":\"object\",\"additionalProperties\":false}"

static bool has_flag(const struct command *command, enum verb_flag flag)
{
	return command->verb && command->verb->flags & flag;
}

static void message_hash(const struct event *event, char hash[SHA256_HEX])
{
	size_t topic = strlen(event->topic) + 1;
	char *bytes = malloc(topic + event->size);

	if (!bytes)
		abort(); /* see effects_add() */
	memcpy(bytes, event->topic, topic);
	if (event->size)
		memcpy(bytes + topic, event->data, event->size);
	json_sha256(bytes, topic + event->size, hash);
	free(bytes);
}

/* True for the redelivery of a command that was carried out: the PUBACK did not reach the
 * broker, and the reply is queued or will be. */
static bool is_redelivery(const struct core *core, const struct event *event,
			  const char *hash)
{
	if (!event->duplicate || !event->number)
		return false;
	for (const struct pending *pending = core->pending; pending;
	     pending = pending->next)
		if (pending->packet == event->number && !strcmp(pending->message, hash))
			return true;
	return outbox_is_redelivery(core->outbox, (int)event->number, hash);
}

/* On a full disk commands that free room or stop hardware are carried out as long as they
 * can be stored. */
static bool check_storage(const struct core *core, struct response *response,
			  const struct verb *verb)
{
	bool stops = verb->flags & VERB_STOPS;
	bool writes = verb->flags & VERB_WRITES;

	if (stops || (!core->commit_blocked &&
		      (!core->disk_low || !writes || (verb->flags & VERB_FREES))))
		return true;
	response_refuse(response, "storage_full", "the disk of the agent is full");
	response->retry_after_s = 10;
	return false;
}

/* Over 3.1.1 the broker sends the clearing back as an empty command, which
 * is_own_clearing() drops.  An emergency stop must never be dropped by mistake, so its
 * topic is not cleared. */
static void clear_retained(struct core *core, const struct command *command,
			   const char *topic)
{
	bool comes_back = core->session.version != MQTT_5;

	if (comes_back && has_flag(command, VERB_NEVER_REFUSED))
		return;
	outbox_add_clearing(core->outbox, topic, core_age(core));
	if (comes_back)
		snprintf(core->cleared[core->cleared_next++ % CORE_CLEARED_MAX],
			 TOPIC_MAX, "%s", topic);
}

/* A retained command would be carried out again at every connect.  It is refused, and
 * cleared on the broker if the topic is the device's own. */
static void refuse_retained(struct core *core, struct response *response,
			    const char *topic)
{
	cJSON *data = cJSON_CreateObject();

	response_refuse(
		response, "retained_command",
		"a command must not be retained: publish it without the retain flag");
	if (response->command->topic.scope == SCOPE_DEVICE)
		clear_retained(core, response->command, topic);
	cJSON_AddStringToObject(data, "topic", topic);
	core_emit_event(core, "retained.refused", NULL, data);
}

static bool check_scope(struct core *core, struct response *response,
			const struct verb *verb)
{
	enum topic_scope scope = response->command->topic.scope;

	if (scope == SCOPE_ALL && !(verb->flags & VERB_BROADCAST)) {
		response_refuse(response, "not_broadcast",
				"%s is not for the whole fleet at once", verb->name);
		return false;
	}
	if (scope == SCOPE_GROUP && (verb->flags & VERB_MOTION) &&
	    !core->options.tunables.group_motion) {
		response_refuse(
			response, "not_broadcast",
			"%s is for groups only with the setting fleet.group_motion",
			verb->name);
		return false;
	}
	return true;
}

static bool check_fresh(struct response *response, const struct verb *verb)
{
	if (!response->stale ||
	    !((verb->flags & VERB_FRESH) || response->command->current))
		return true;
	response_refuse(
		response, "stale",
		"%s has waited at the broker while the agent was away; send it again",
		verb->name);
	return false;
}

/* MQTT 3.1.1 cannot tell a clearing from an empty command, so an empty command changes
 * nothing. */
static bool check_empty(const struct core *core, struct response *response,
			const struct verb *verb)
{
	if (!response->command->empty || core->session.version == MQTT_5 ||
	    !(verb->flags & VERB_WRITES) || (verb->flags & VERB_NEVER_REFUSED))
		return true;
	response_refuse(response, "bad_request",
			"an empty payload changes nothing over MQTT 3.1.1: send {}");
	return false;
}

/* MQTT 3.1.1 has no No Local: the clearing of a retained command comes back, once. */
static bool is_own_clearing(struct core *core, const struct event *event)
{
	if (event->size || core->session.version == MQTT_5)
		return false;
	for (size_t i = 0; i < CORE_CLEARED_MAX; i++) {
		if (strcmp(core->cleared[i], event->topic) != 0)
			continue;
		core->cleared[i][0] = '\0';
		return true;
	}
	return false;
}

/* The compiled schema of a verb's arguments. */
struct verb_schema {
	const struct verb *verb; /* NULL: the end */
	struct schema *schema;
};

/* Compiled at the first use, and kept. */
static struct schema *verb_schema(struct core *core, const struct verb *verb)
{
	struct verb_schema *known = core->verb_schemas;
	struct err err;

	if (!known)
		known = core->verb_schemas = calloc(VERBS_MAX + 1, sizeof(*known));
	if (!known)
		abort(); /* see effects_add() */
	for (; known->verb; known++)
		if (known->verb == verb)
			return known->schema;
	if (known == core->verb_schemas + VERBS_MAX ||
	    schema_compile(&known->schema, verb->schema ? verb->schema : NO_ARGUMENTS,
			   &err) < 0)
		abort(); /* a schema in a row is wrong: every test of that verb finds it
			  */
	known->verb = verb;
	return known->schema;
}

void dispatch_close(struct core *core)
{
	struct verb_schema *known = core->verb_schemas;

	for (; known && known->verb; known++)
		schema_free(known->schema);
	free(core->verb_schemas);
}

static bool check_body(struct core *core, struct response *response,
		       const struct verb *verb)
{
	struct schema_problem problems[PROBLEMS_MAX];
	struct schema *schema = verb_schema(core, verb);
	size_t n;
	const char *code = "invalid_args";

	schema_fill(schema, response->command->body);
	n = schema_check(schema, response->command->body, "", problems, PROBLEMS_MAX);
	if (!n)
		return true;
	if (!strcmp(problems[0].message, "is required"))
		code = "bad_request";
	response_problems(response, code, problems, n < PROBLEMS_MAX ? n : PROBLEMS_MAX);
	return false;
}

/* Replaces "current" by the id of the current task. */
static bool resolve_current(struct core *core, struct response *response)
{
	struct command *command = response->command;
	const struct task *task;

	if (!command->current)
		return true;
	task = scheduler_current(&core->scheduler);
	if (!task) {
		response_refuse(response, "not_found", "no task is running or paused");
		return false;
	}
	snprintf(command->id, sizeof(command->id), "%s", task->id);
	return true;
}

static void dispatch_verb(struct core *core, struct response *response,
			  const struct verb *verb)
{
	const struct command *command = response->command;
	bool creates = verb->flags & VERB_CREATES;
	bool writes = verb->flags & VERB_WRITES;
	/* An emergency stop has stopped the rig already, even a repeated one, so the
	 * tasks must stop, too. */
	bool repeats = writes && !(verb->flags & VERB_NEVER_REFUSED);

	if (!check_scope(core, response, verb) || !check_empty(core, response, verb) ||
	    !check_storage(core, response, verb))
		return;
	if (repeats && (dedup_answers(core, response, DEDUP_REQUEST) ||
			pending_answers(core, response) ||
			(creates && dedup_answers(core, response, DEDUP_ID))))
		return;
	if (!check_fresh(response, verb) || !check_body(core, response, verb) ||
	    !resolve_current(core, response))
		return;
	core->hardware_stopped = core->commit_blocked && (verb->flags & VERB_STOPS);
	verb->decide(core, response);
	if (response->refused || response->later || !writes || !response->code)
		return;
	if (command->request[0])
		dedup_remember(core, response, DEDUP_REQUEST);
	if (creates && response->rev >= 0)
		dedup_remember(core, response, DEDUP_ID);
}

/* The refusal goes to the default topic, where it can do no harm. */
static void refuse_reply_topic(const struct core *core, struct response *response)
{
	struct command *command = response->command;

	command->reply_to[0] = '\0';
	command->request[0] = '\0';
	command->id[0] = '\0';
	response_refuse(response, "reply_to_denied",
			"replies go to %s/%s/reply/… or %s/_reply/… only",
			core->options.root, core->options.device, core->options.root);
}

static void dispatch_command(struct core *core, struct response *response,
			     const struct event *event, const struct err *err)
{
	struct command *command = response->command;
	bool denied = err->number && !strcmp(err->code, "reply_to_denied");

	if (command->reply_to[0] &&
	    !topic_reply_allowed(core->options.root, core->options.device,
				 command->reply_to))
		denied = true;
	/* First of all, so that no reply below goes there. */
	if (denied)
		refuse_reply_topic(core, response);
	if (event->retained) {
		refuse_retained(core, response, event->topic);
		return;
	}
	if (denied && !has_flag(command, VERB_NEVER_REFUSED))
		return;
	response->refused = false;
	if (err->number) {
		response_refuse(response, code_name(code_number(err->code)), "%s",
				err->text);
		return;
	}
	dispatch_verb(core, response, command->verb);
}

void dispatch_message(struct core *core, const struct event *event,
		      const struct topic *topic)
{
	struct command command;
	struct err err = {.number = 0};
	struct response response = {
		.command = &command,
		.stale = core->session.phase != SESSION_READY,
		.rev = -1,
		.retry_after_s = -1,
	};

	/* An empty retained message clears a topic. */
	if ((event->retained && !event->size) || is_own_clearing(core, event))
		return;
	if (command_parse(&command, topic, event->data, event->size,
			  event->response_topic, event->correlation,
			  event->correlation_size, &err) == 0)
		err.number = 0;
	message_hash(event, response.message_hash);
	response.packet = (int)event->number;
	/* A repeated emergency stop has stopped the rig again: it is carried out. */
	if (has_flag(&command, VERB_NEVER_REFUSED) ||
	    !is_redelivery(core, event, response.message_hash)) {
		dispatch_command(core, &response, event, &err);
		if (!response.later)
			reply_send(core, &response,
				   !response.refused && has_flag(&command, VERB_WRITES));
	}
	cJSON_Delete(response.data);
	cJSON_Delete(response.errors);
	cJSON_Delete(response.current);
	command_clear(&command);
}
