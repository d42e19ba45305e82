#include "agent/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/life.h"
#include "agent/commands/verb.h"

#define REPLY_KEPT_MAX 1024
#define PROBLEMS_MAX 8
#define MQTT_5 5
#define NO_ARGUMENTS "{\"type\":\"object\",\"additionalProperties\":false}"

/* Every code of the contract that refuses, and whether the same command may succeed later. */
static const struct {
	const char *code;
	bool retryable;
} codes[] = {
	{"bad_json", false},	      {"bad_request", false},	   {"unknown_verb", false},
	{"unknown_type", false},      {"invalid_args", false},	   {"schema_mismatch", false},
	{"payload_too_large", false}, {"retained_command", false}, {"stale", true},
	{"id_conflict", false},	      {"not_found", false},	   {"invalid_state", false},
	{"rev_conflict", false},      {"queue_full", true},	   {"draining", true},
	{"estopped", true},	      {"not_broadcast", false},	   {"device_busy", true},
	{"hal_unavailable", true},    {"hardware_fault", true},	   {"timeout", true},
	{"cancelled", true},	      {"interrupted", true},	   {"crash_loop", false},
	{"dependency_failed", false}, {"task_failed", true},	   {"storage_full", true},
	{"storage_error", true},      {"reply_to_denied", false},  {"not_supported", false},
	{"internal", false},
};

#define CODES (sizeof(codes) / sizeof(codes[0]))

const char *answer_code(size_t number)
{
	return number < CODES ? codes[number].code : NULL;
}

static size_t code_number(const char *code)
{
	size_t i = 0;

	while (i < CODES - 1 && strcmp(codes[i].code, code) != 0)
		i++;
	return i;
}

/* ---- verbs ---- */

static const struct verb *const verb_tables[] = {
	task_verbs,   queue_verbs,   project_verbs, motor_verbs, light_verbs,
	camera_verbs, trigger_verbs, settings_verbs, agent_verbs, estop_verbs,
};

#define TABLES (sizeof(verb_tables) / sizeof(verb_tables[0]))

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < TABLES; i++)
		for (const struct verb *verb = verb_tables[i]; verb->name; verb++)
			if (!strcmp(verb->name, name))
				return verb;
	return NULL;
}

/* ---- what functions of verbs say ---- */

void answer_ok(struct answer *answer, const char *code, cJSON *data)
{
	answer->code = code;
	cJSON_Delete(answer->data);
	answer->data = data;
}

static void answer_vrefuse(struct answer *answer, const char *code, const char *fmt, va_list args)
{
	answer->refused = true;
	answer->code = code;
	vsnprintf(answer->message, sizeof(answer->message), fmt, args);
}

void answer_refuse(struct answer *answer, const char *code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	answer_vrefuse(answer, code, fmt, args);
	va_end(args);
}

void answer_task(struct core *core, struct answer *answer, const char *code, const struct task *task)
{
	snprintf(answer->id, sizeof(answer->id), "%s", task->id);
	answer->rev = task->rev;
	answer_ok(answer, code, life_document(core, task, true));
}

void answer_conflict(struct core *core, struct answer *answer, const char *code,
		     const struct task *task, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	answer_vrefuse(answer, code, fmt, args);
	va_end(args);
	snprintf(answer->id, sizeof(answer->id), "%s", task->id);
	cJSON_Delete(answer->current);
	answer->current = life_document(core, task, false);
}

static void answer_add_error(struct answer *answer, const char *path, const char *message)
{
	cJSON *error = cJSON_CreateObject();

	if (!answer->errors)
		answer->errors = cJSON_CreateArray();
	cJSON_AddStringToObject(error, "path", path);
	cJSON_AddStringToObject(error, "message", message);
	cJSON_AddItemToArray(answer->errors, error);
}

void answer_problem(struct answer *answer, const char *code, const char *path, const char *sentence)
{
	answer_refuse(answer, code, "%s", sentence);
	answer_add_error(answer, path, sentence);
}

void answer_problems(struct answer *answer, const char *code, const struct schema_problem *problems,
		     size_t n)
{
	char sentence[1024];

	schema_sentence(&problems[0], sentence, sizeof(sentence));
	answer_refuse(answer, code, "%s", sentence);
	for (size_t i = 0; i < n && i < PROBLEMS_MAX; i++)
		answer_add_error(answer, problems[i].path, problems[i].message);
}

/* ---- replies ---- */

/* The part of a reply that is remembered: everything but its data. */
static cJSON *reply_head(const struct core *core, const struct answer *answer)
{
	const struct command *command = answer->command;
	cJSON *reply = cJSON_CreateObject();

	cJSON_AddBoolToObject(reply, "ok", !answer->refused);
	cJSON_AddStringToObject(reply, "device", core->options.device);
	cJSON_AddStringToObject(reply, "verb", command->verb);
	json_put_string(reply, "id",
			answer->id[0] ? answer->id : command->id[0] ? command->id : NULL);
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
	reply_put(reply, "rev", answer->rev < 0 ? NULL : cJSON_CreateNumber((double)answer->rev));
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
	cJSON_AddBoolToObject(reply, "retryable", codes[number].retryable);
	reply_put(reply, "retry_after_s",
		  answer->retry_after_s < 0 ? NULL : cJSON_CreateNumber(answer->retry_after_s));
	reply_put(reply, "current", answer->current);
	answer->errors = NULL;
	answer->current = NULL;
	reply_put_ts(reply, core->now.wall);
	return reply;
}

static void reply_topic(const struct core *core, const struct command *command, char topic[TOPIC_MAX])
{
	const char *name = command->request[0] ? command->request
			   : command->id[0]    ? command->id
					       : "_";

	if (command->reply_to[0])
		snprintf(topic, TOPIC_MAX, "%s", command->reply_to);
	else
		topic_make(topic, core->options.root, core->options.device, "reply/%s", name);
}

/* In a fleet everybody hears the command at once; not everybody shall answer at once. */
static int64_t reply_delay(struct core *core, const struct command *command)
{
	if (command->topic.scope == SCOPE_DEVICE || core->options.tunables.reply_spread_ms <= 0)
		return 0;
	return (int64_t)(core_random(core) % (uint64_t)core->options.tunables.reply_spread_ms);
}

static void reply_send(struct core *core, struct answer *answer, bool stored)
{
	char topic[TOPIC_MAX];
	/* On a full disk an answer waits for its commit, but for those of what stops hardware. */
	const struct verb *verb = verb_find(answer->command->verb);
	cJSON *reply = answer->refused ? reply_refused(core, answer) : reply_accepted(core, answer);
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

/* ---- memory ---- */

/* Keeps the reply without its data, so that a repetition can be answered. */
static void answer_remember(struct core *core, const char *prefix, const char *name,
			    const struct answer *answer, const char *hash)
{
	char key[NAME_MAX_LENGTH + 2];
	cJSON *reply = reply_head(core, answer);
	char *text;

	if (answer->rev >= 0)
		cJSON_AddNumberToObject(reply, "rev", (double)answer->rev);
	text = json_text(reply);
	snprintf(key, sizeof(key), "%s%s", prefix, name);
	if (strlen(text) <= REPLY_KEPT_MAX)
		store_remember(core->store, key, hash, text, "", core_age(core));
	free(text);
	cJSON_Delete(reply);
}

/* The first reply again.  For a create its data is the task as it is now, or that it is gone. */
static void answer_repetition(struct core *core, struct answer *answer, const struct memory *memory)
{
	static const char *const known[] = {"accepted", "ok"};
	cJSON *first = cJSON_Parse(memory->reply);
	const char *id = json_string(first, "id");
	const char *code = json_string(first, "code");
	cJSON *data = cJSON_CreateObject();

	answer->duplicate = true;
	answer->rev = (int64_t)json_number(first, "rev", -1);
	answer->code = code && !strcmp(code, known[0]) ? known[0] : known[1];
	if (id)
		snprintf(answer->id, sizeof(answer->id), "%s", id);
	if (!strcmp(answer->command->verb, "task/create") && id) {
		struct task *ended;
		const struct task *task = life_find(core, id, &ended);

		cJSON_Delete(data);
		data = task ? life_document(core, task, true) : cJSON_CreateObject();
		if (!task) {
			cJSON_AddTrueToObject(data, "gone");
			cJSON_AddStringToObject(data, "status", memory->status);
		}
		task_free(ended);
	}
	cJSON_Delete(answer->data);
	answer->data = data;
	cJSON_Delete(first);
}

/* Has this command been carried out before?  Then answers it. */
static bool answer_known(struct core *core, struct answer *answer, const char *prefix,
			 const char *name)
{
	const struct command *command = answer->command;
	struct memory memory = {.reply = NULL};
	char key[NAME_MAX_LENGTH + 2];

	if (!name[0])
		return false;
	snprintf(key, sizeof(key), "%s%s", prefix, name);
	if (!store_recall(core->store, key, &memory))
		return false;
	if (!strcmp(memory.hash, command->hash)) {
		answer_repetition(core, answer, &memory);
	} else {
		struct task *ended = NULL;
		const struct task *task = prefix[0] == 'i' ? life_find(core, name, &ended) : NULL;

		answer_refuse(answer, "id_conflict", "%s '%s' was used before for something else",
			      prefix[0] == 'i' ? "id" : "request", name);
		if (task)
			answer->current = life_document(core, task, false);
		task_free(ended);
	}
	memory_clear(&memory);
	return true;
}

static bool answer_running_act(struct core *core, struct answer *answer)
{
	const struct command *command = answer->command;

	for (const struct act *act = core->acts; act; act = act->next) {
		if (!command->request[0] || strcmp(act->request, command->request) != 0)
			continue;
		if (strcmp(act->hash, command->hash) != 0) {
			answer_refuse(answer, "id_conflict",
				      "request '%s' was used before for something else",
				      command->request);
		} else {
			answer->duplicate = true;
			answer_ok(answer, "accepted", NULL);
		}
		return true;
	}
	return false;
}

/* ---- acts ---- */

static struct act *act_new(struct core *core, const struct answer *answer)
{
	const struct command *command = answer->command;
	struct act *act = calloc(1, sizeof(*act));

	if (!act)
		abort(); /* see effects_add() */
	act->run = ++core->next_run;
	act->delay_ms = reply_delay(core, command);
	act->packet = answer->packet;
	snprintf(act->message, sizeof(act->message), "%s", answer->message_hash);
	snprintf(act->verb, sizeof(act->verb), "%s", command->verb);
	snprintf(act->id, sizeof(act->id), "%s", command->id);
	snprintf(act->request, sizeof(act->request), "%s", command->request);
	snprintf(act->hash, sizeof(act->hash), "%s", command->hash);
	reply_topic(core, command, act->topic);
	if (command->correlation) {
		act->correlation = malloc(command->correlation_size + 1);
		if (!act->correlation)
			abort();
		memcpy(act->correlation, command->correlation, command->correlation_size);
		act->correlation_size = command->correlation_size;
	}
	act->next = core->acts;
	core->acts = act;
	return act;
}

static void act_store(struct core *core, struct act *act)
{
	struct act_row row = {
		.verb = act->verb,
		.topic = act->topic,
		.request = act->request,
		.correlation = act->correlation,
		.correlation_size = act->correlation_size,
		.packet = act->packet,
		.message = act->message,
	};

	row.number = act->number = core->next_act++;
	store_set_number(core->store, "next_act", core->next_act);
	store_act(core->store, &row);
}

static struct effect *act_start(struct core *core, const struct act *act, char *body)
{
	struct effect *effect = effects_add(core->effects, EFFECT_ACT);

	effect->run = act->run;
	task_set_text(&effect->name, act->verb);
	effect->text = body;
	return effect;
}

void answer_act(struct core *core, struct answer *answer, uint64_t devices)
{
	const struct verb *verb = verb_find(answer->command->verb);
	const struct task *holder;
	struct act *act;

	if (devices && !scheduler_devices_free(&core->scheduler, devices, &holder)) {
		answer_refuse(answer, "device_busy", "%s%s%s", holder ? "task '" : "",
			      holder ? holder->id : "another command",
			      holder ? "' uses the device" : " uses the device");
		answer->retry_after_s = 1;
		return;
	}
	act = act_new(core, answer);
	act->claim = devices;
	act->writes = verb->flags & VERB_WRITES;
	act->remember = act->writes && act->request[0];
	if (act->writes)
		act_store(core, act);
	core->scheduler.acts |= devices;
	act_start(core, act, json_text(answer->command->body));
	answer->later = true;
}

void answer_estimate(struct core *core, struct answer *answer, const struct registered_type *type,
		     const char *args)
{
	struct act *act = act_new(core, answer);

	act_start(core, act, strdup(args))->type = type;
	answer->later = true;
}

static void act_take(struct core *core, struct act *act)
{
	struct act **place = &core->acts;

	while (*place != act)
		place = &(*place)->next;
	*place = act->next;
	core->scheduler.acts = 0;
	for (const struct act *other = core->acts; other; other = other->next)
		core->scheduler.acts |= other->claim;
}

/* A command that looks as the act's did, for the functions that make replies. */
static void act_command(const struct act *act, struct command *command)
{
	memset(command, 0, sizeof(*command));
	snprintf(command->verb, sizeof(command->verb), "%s", act->verb);
	snprintf(command->id, sizeof(command->id), "%s", act->id);
	snprintf(command->request, sizeof(command->request), "%s", act->request);
	snprintf(command->hash, sizeof(command->hash), "%s", act->hash);
	snprintf(command->reply_to, sizeof(command->reply_to), "%s", act->topic);
	command->correlation = act->correlation;
	command->correlation_size = act->correlation_size;
}

void answer_act_done(struct core *core, const struct event *event)
{
	struct act *act = core->acts;
	struct command command;
	struct answer answer = {.command = &command, .rev = -1, .retry_after_s = -1};

	while (act && act->run != event->run)
		act = act->next;
	if (!act)
		return;

	act_command(act, &command);
	answer.packet = act->packet;
	snprintf(answer.message_hash, sizeof(answer.message_hash), "%s", act->message);
	if (event->flag) {
		answer_ok(&answer, "ok", event->data ? cJSON_Parse(event->data) : NULL);
		if (act->remember)
			answer_remember(core, "r", act->request, &answer, act->hash);
		if (!strcmp(act->verb, "project/delete")) {
			cJSON *data = cJSON_Duplicate(answer.data, true);

			core_happened(core, "project.deleted", NULL, data);
		}
	} else {
		answer_refuse(&answer, codes[code_number(event->code)].code, "%s",
			      event->text ? event->text : "it failed");
	}
	reply_send(core, &answer, act->writes);
	if (act->number)
		store_act_done(core->store, act->number);
	cJSON_Delete(answer.data);
	act_take(core, act);
	free(act->correlation);
	free(act);
}

static void act_interrupted(void *context, const struct act_row *row)
{
	struct core *core = context;
	struct command command = {.correlation_size = row->correlation_size};
	struct answer answer = {.command = &command, .rev = -1, .retry_after_s = -1};

	snprintf(command.verb, sizeof(command.verb), "%s", row->verb);
	snprintf(command.request, sizeof(command.request), "%s", row->request);
	snprintf(command.reply_to, sizeof(command.reply_to), "%s", row->topic);
	command.correlation = (uint8_t *)(uintptr_t)row->correlation;
	answer.packet = row->packet;
	snprintf(answer.message_hash, sizeof(answer.message_hash), "%s", row->message);
	answer_refuse(&answer, "interrupted",
		      "the agent ended while this was under way; it is not run again");
	reply_send(core, &answer, true);
}

void answer_interrupted_acts(struct core *core)
{
	store_acts(core->store, act_interrupted, core);
	store_acts_clear(core->store);
}

/* ---- receiving a command ---- */

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

/* A redelivery of what was carried out: our PUBACK did not reach the broker, the reply is on
 * its way or will be. */
static bool is_redelivery(const struct core *core, const struct event *event, const char *hash)
{
	if (!event->duplicate || !event->number)
		return false;
	for (const struct act *act = core->acts; act; act = act->next)
		if (act->packet == event->number && !strcmp(act->message, hash))
			return true;
	return outbox_answers(core->outbox, (int)event->number, hash);
}

/* A full disk: what frees room or stops something is carried out as long as it can be kept. */
static bool answer_storage(const struct core *core, struct answer *answer, const struct verb *verb)
{
	bool stops = verb->flags & VERB_STOPS;
	bool writes = verb->flags & VERB_WRITES;

	if (stops || (!core->held && (!core->low || !writes || (verb->flags & VERB_FREES))))
		return true;
	answer_refuse(answer, "storage_full", "the disk of the agent is full");
	answer->retry_after_s = 10;
	return false;
}

/* Over 3.1.1 the clearing comes back to us as an empty command.  It is known then and dropped,
 * but an emergency stop must never be dropped by mistake: there its topic stays as it is. */
static void clear_retained(struct core *core, const struct command *command, const char *topic)
{
	bool comes_back = core->link.version != MQTT_5;

	if (comes_back && !strcmp(command->verb, "estop"))
		return;
	outbox_clearing(core->outbox, topic, core_age(core));
	if (comes_back)
		snprintf(core->cleared[core->cleared_next++ % CORE_CLEARED_MAX], TOPIC_MAX, "%s",
			 topic);
}

/* Retained commands would be carried out again at every connect: refused, and taken off the
 * broker where that is ours to do. */
static void refuse_retained(struct core *core, struct answer *answer, const char *topic)
{
	cJSON *data = cJSON_CreateObject();

	answer_refuse(answer, "retained_command",
		      "a command must not be retained: publish it without the retain flag");
	if (answer->command->topic.scope == SCOPE_DEVICE)
		clear_retained(core, answer->command, topic);
	cJSON_AddStringToObject(data, "topic", topic);
	core_happened(core, "retained.refused", NULL, data);
}

static bool answer_scope(struct core *core, struct answer *answer, const struct verb *verb)
{
	enum topic_scope scope = answer->command->topic.scope;

	if (scope == SCOPE_ALL && !(verb->flags & VERB_BROADCAST)) {
		answer_refuse(answer, "not_broadcast", "%s is not for the whole fleet at once",
			      verb->name);
		return false;
	}
	if (scope == SCOPE_GROUP && (verb->flags & VERB_MOTION) && !core->options.tunables.group_motion) {
		answer_refuse(answer, "not_broadcast",
			      "%s is for groups only with the setting fleet.group_motion",
			      verb->name);
		return false;
	}
	return true;
}

static bool answer_fresh(struct answer *answer, const struct verb *verb)
{
	if (!answer->late || !((verb->flags & VERB_FRESH) || answer->command->current))
		return true;
	answer_refuse(answer, "stale",
		      "%s has waited at the broker while the agent was away; send it again",
		      verb->name);
	return false;
}

/* MQTT 3.1.1 cannot tell a clearing from an empty command, so an empty one changes nothing. */
static bool answer_empty(const struct core *core, struct answer *answer, const struct verb *verb)
{
	if (!answer->command->empty || core->link.version == MQTT_5 ||
	    !(verb->flags & VERB_WRITES) || !strcmp(verb->name, "estop"))
		return true;
	answer_refuse(answer, "bad_request",
		      "an empty payload changes nothing over MQTT 3.1.1: send {}");
	return false;
}

/* On 3.1.1 there is no No Local: our own clearing of a retained command comes back, once. */
static bool is_own_clearing(struct core *core, const struct event *event)
{
	if (event->size || core->link.version == MQTT_5)
		return false;
	for (size_t i = 0; i < CORE_CLEARED_MAX; i++) {
		if (strcmp(core->cleared[i], event->topic) != 0)
			continue;
		core->cleared[i][0] = '\0';
		return true;
	}
	return false;
}

/* Compiled at its first use and kept. */
static struct schema *verb_schema(struct core *core, const struct verb *verb)
{
	struct verb_schema *known = core->verb_schemas;
	struct err err;

	for (; known->verb; known++)
		if (known->verb == verb)
			return known->schema;
	if (known == core->verb_schemas + CORE_VERBS_MAX ||
	    schema_compile(&known->schema, verb->args ? verb->args : NO_ARGUMENTS, &err) < 0)
		abort(); /* a table of ours is wrong: every test of that verb finds it */
	known->verb = verb;
	return known->schema;
}

static bool answer_body(struct core *core, struct answer *answer, const struct verb *verb)
{
	struct schema_problem problems[PROBLEMS_MAX];
	struct schema *schema = verb_schema(core, verb);
	size_t n;
	const char *code = "invalid_args";

	schema_fill(schema, answer->command->body);
	n = schema_check(schema, answer->command->body, "", problems, PROBLEMS_MAX);
	if (!n)
		return true;
	if (!strcmp(problems[0].message, "is required"))
		code = "bad_request";
	answer_problems(answer, code, problems, n < PROBLEMS_MAX ? n : PROBLEMS_MAX);
	return false;
}

/* What "current" stands for. */
static bool answer_current(struct core *core, struct answer *answer)
{
	struct command *command = answer->command;
	const struct task *task;

	if (!command->current)
		return true;
	task = scheduler_current(&core->scheduler);
	if (!task) {
		answer_refuse(answer, "not_found", "no task is running or paused");
		return false;
	}
	snprintf(command->id, sizeof(command->id), "%s", task->id);
	return true;
}

static void answer_verb(struct core *core, struct answer *answer, const struct verb *verb)
{
	const struct command *command = answer->command;
	bool create = !strcmp(verb->name, "task/create");
	bool writes = verb->flags & VERB_WRITES;
	/* The rig has stopped for this message already, repeated or not: so must the tasks. */
	bool repeats = writes && strcmp(verb->name, "estop") != 0;

	if (!answer_scope(core, answer, verb) || !answer_empty(core, answer, verb) ||
	    !answer_storage(core, answer, verb))
		return;
	if (repeats && (answer_known(core, answer, "r", command->request) ||
			answer_running_act(core, answer) ||
			(create && answer_known(core, answer, "i", command->id))))
		return;
	if (!answer_fresh(answer, verb) || !answer_body(core, answer, verb) ||
	    !answer_current(core, answer))
		return;
	if ((verb->flags & VERB_TASK) && !command->id[0]) {
		answer_refuse(answer, "bad_request", "%s needs the id of a task", verb->name);
		return;
	}
	core->stop_acted = core->held && (verb->flags & VERB_STOPS);
	verb->handle(core, answer);
	if (answer->refused || answer->later || !writes || !answer->code)
		return;
	if (command->request[0])
		answer_remember(core, "r", command->request, answer, command->hash);
	if (create && answer->rev >= 0)
		answer_remember(core, "i", answer->id, answer, command->hash);
}

/* The refusal goes to the one place where it can do no harm. */
static void reply_denied(const struct core *core, struct answer *answer)
{
	struct command *command = answer->command;

	command->reply_to[0] = '\0';
	command->request[0] = '\0';
	command->id[0] = '\0';
	answer_refuse(answer, "reply_to_denied", "replies go to %s/%s/reply/… or %s/_reply/… only",
		      core->options.root, core->options.device, core->options.root);
}

static void answer_command(struct core *core, struct answer *answer, const struct event *event,
			   const struct err *err)
{
	struct command *command = answer->command;
	const struct verb *verb;

	bool denied = err->number && !strcmp(err->code, "reply_to_denied");

	if (command->reply_to[0] &&
	    !topic_reply_allowed(core->options.root, core->options.device, command->reply_to))
		denied = true;
	/* First of all: whatever is answered below must not go there. */
	if (denied)
		reply_denied(core, answer);
	if (event->retained) {
		refuse_retained(core, answer, event->topic);
		return;
	}
	if (denied && strcmp(command->verb, "estop") != 0)
		return;
	answer->refused = false;
	if (err->number) {
		answer_refuse(answer, codes[code_number(err->code)].code, "%s", err->text);
		return;
	}
	verb = verb_find(command->verb);
	if (!verb) {
		answer_refuse(answer, "not_supported", "this agent does not carry out '%s'",
			      command->verb);
		return;
	}
	answer_verb(core, answer, verb);
}

static bool reply_is_promise(const struct answer *answer)
{
	const struct verb *verb = verb_find(answer->command->verb);

	return verb && (verb->flags & VERB_WRITES) && !answer->refused;
}

void answer_message(struct core *core, const struct event *event, const struct topic *topic)
{
	struct command command;
	struct err err = {.number = 0};
	struct answer answer = {
		.command = &command,
		.late = core->link.phase != LINK_READY,
		.rev = -1,
		.retry_after_s = -1,
	};

	/* An empty retained message is somebody clearing a topic. */
	if ((event->retained && !event->size) || is_own_clearing(core, event))
		return;
	message_hash(event, answer.message_hash);
	/* The rig has stopped for it again, so this is never a repetition. */
	if (strcmp(topic->noun, "estop") != 0 && is_redelivery(core, event, answer.message_hash))
		return;
	answer.packet = (int)event->number;
	if (command_parse(&command, topic, event->data, event->size, event->response_topic,
			  event->correlation, event->correlation_size, &err) == 0)
		err.number = 0;
	answer_command(core, &answer, event, &err);
	if (!answer.later)
		reply_send(core, &answer, reply_is_promise(&answer));
	cJSON_Delete(answer.data);
	cJSON_Delete(answer.errors);
	cJSON_Delete(answer.current);
	command_clear(&command);
}
