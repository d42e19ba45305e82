/* Direct commands in progress: admitted, run on a worker, answered at their end. */
#include "agent/commands/pending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/commands/dedup.h"
#include "agent/commands/reply.h"
#include "agent/model/error_code.h"

#define WAITING_MAX 32 /* brief commands for one device, one behind the other */
#define ACTS_MAX 64    /* each takes a thread; on a slow disk they last */

bool acts_answer_running(struct core *core, struct response *response)
{
	const struct command *command = response->command;

	for (const struct act *act = core->acts; act; act = act->next) {
		if (!command->request[0] || strcmp(act->request, command->request) != 0)
			continue;
		if (strcmp(act->hash, command->hash) != 0) {
			response_refuse(response, "id_conflict",
					"request '%s' was used before for something else",
					command->request);
		} else {
			response->duplicate = true;
			response_ok(response, "accepted", NULL);
		}
		return true;
	}
	return false;
}

static struct act *acts_new(struct core *core, const struct response *response)
{
	const struct command *command = response->command;
	struct act *act = calloc(1, sizeof(*act)), **end = &core->acts;

	if (!act)
		abort(); /* see effects_add() */
	act->run = ++core->next_run;
	act->delay_ms = reply_delay(core, command);
	act->packet = response->packet;
	snprintf(act->message, sizeof(act->message), "%s", response->message_hash);
	act->verb = command->verb;
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
	while (*end)
		end = &(*end)->next;
	*end = act;
	return act;
}

static void acts_store(struct core *core, struct act *act)
{
	struct act_row row = {
		.verb = act->verb->name,
		.topic = act->topic,
		.request = act->request,
		.correlation = act->correlation,
		.correlation_size = act->correlation_size,
		.packet = act->packet,
		.message_hash = act->message,
	};

	row.number = act->number = core->next_act++;
	store_set_number(core->store, "next_act", core->next_act);
	store_act(core->store, &row);
}

/* Takes body. */
static struct effect *acts_start(struct core *core, const struct act *act, char *body)
{
	struct effect *effect = effects_add(core->effects, EFFECT_ACT);

	effect->run = act->run;
	effect->verb = act->verb;
	effect->text = body;
	return effect;
}

static void acts_go(struct core *core, struct act *act)
{
	acts_start(core, act, act->body);
	act->body = NULL;
}

/* The oldest command that has one of the devices. */
static const struct act *acts_holder(const struct core *core, uint64_t devices)
{
	for (const struct act *act = core->acts; act; act = act->next)
		if (act->claim & devices)
			return act;
	return NULL;
}

/* Of two settings of a light that come at once the later must be what stays.  What takes
 * longer is not waited for: nobody knows whether it would still be wanted then. */
static bool may_wait(const struct core *core, uint64_t devices)
{
	int before = 0;

	for (const struct act *act = core->acts; act; act = act->next) {
		if (!(act->claim & devices))
			continue;
		if (!(act->verb->flags & VERB_BRIEF) || ++before > WAITING_MAX)
			return false;
	}
	return true;
}

static bool acts_claim(struct core *core, struct response *response,
		       const struct verb *verb, uint64_t devices)
{
	const struct task *task;

	if (!devices || scheduler_devices_free(&core->scheduler, devices, &task))
		return true;
	if (!task && verb->flags & VERB_BRIEF && may_wait(core, devices))
		return true;
	if (task)
		response_refuse(response, "device_busy", "task '%s' uses the device",
				task->id);
	else
		response_refuse(response, "device_busy", "%s uses the device",
				acts_holder(core, devices)->verb->name);
	response->retry_after_s = 1;
	return false;
}

static bool acts_room(const struct core *core, struct response *response)
{
	int count = 0;

	for (const struct act *act = core->acts; act; act = act->next)
		count++;
	if (count < ACTS_MAX)
		return true;
	response_refuse(response, "queue_full",
			"%d commands are under way, %d are allowed", count, ACTS_MAX);
	response->retry_after_s = 1;
	return false;
}

void response_rig_away(struct response *response)
{
	response_refuse(response, "device_busy", "the rig is being opened anew");
	response->retry_after_s = 1;
}

void answer_act(struct core *core, struct response *response, uint64_t devices)
{
	const struct verb *verb = response->command->verb;
	bool waits;
	struct act *act;

	/* What stops something is never refused; it is over in a moment. */
	if (!(verb->flags & VERB_STOPS) && !acts_room(core, response))
		return;
	if (!acts_claim(core, response, verb, devices))
		return;
	waits = core->scheduler.acts & devices;
	act = acts_new(core, response);
	act->claim = devices;
	if (verb->flags & VERB_WRITES)
		acts_store(core, act);
	core->scheduler.acts |= devices;
	act->body = json_text(response->command->body);
	if (!waits)
		acts_go(core, act);
	response->later = true;
}

void answer_estimate(struct core *core, struct response *response,
		     const struct registered_type *type, const char *args)
{
	struct act *act;

	if (devices_away(core)) {
		response_rig_away(response);
		return;
	}
	if (!acts_room(core, response))
		return;
	act = acts_new(core, response);
	acts_start(core, act, strdup(args))->type = type;
	response->later = true;
}

static void acts_take(struct core *core, struct act *act)
{
	struct act **place = &core->acts;

	while (*place != act)
		place = &(*place)->next;
	*place = act->next;
	core->scheduler.acts = 0;
	for (const struct act *other = core->acts; other; other = other->next)
		core->scheduler.acts |= other->claim;
}

/* Those that waited, in the order in which they came. */
static void acts_go_on(struct core *core)
{
	uint64_t held = 0;

	for (struct act *act = core->acts; act; act = act->next) {
		if (act->body && !(act->claim & held))
			acts_go(core, act);
		held |= act->claim;
	}
}

/* A command that looks as the act's did, for the functions that make replies. */
static void acts_command(const struct act *act, struct command *command)
{
	memset(command, 0, sizeof(*command));
	command->verb = act->verb;
	snprintf(command->name, sizeof(command->name), "%s", act->verb->name);
	snprintf(command->id, sizeof(command->id), "%s", act->id);
	snprintf(command->request, sizeof(command->request), "%s", act->request);
	snprintf(command->hash, sizeof(command->hash), "%s", act->hash);
	snprintf(command->reply_to, sizeof(command->reply_to), "%s", act->topic);
	command->correlation = act->correlation;
	command->correlation_size = act->correlation_size;
}

/* Tells what came of the act, and forgets it. */
static void acts_end(struct core *core, struct act *act, struct response *response)
{
	response->packet = act->packet;
	snprintf(response->message_hash, sizeof(response->message_hash), "%s",
		 act->message);
	reply_send(core, response, act->number);
	if (act->number)
		store_act_done(core->store, act->number);
	cJSON_Delete(response->data);
	acts_take(core, act);
	free(act->correlation);
	free(act->body);
	free(act);
}

void acts_done(struct core *core, const struct event *event)
{
	struct act *act = core->acts;
	struct command command;
	struct response response = {.command = &command, .rev = -1, .retry_after_s = -1};

	while (act && act->run != event->run)
		act = act->next;
	if (!act)
		return;

	acts_command(act, &command);
	if (event->flag) {
		response_ok(&response, "ok",
			    event->data ? cJSON_Parse(event->data) : NULL);
		if (act->number && act->request[0])
			remember_reply(core, "r", act->request, &response, act->hash);
		if (act->verb->done)
			act->verb->done(core, &response);
	} else {
		response_refuse(&response, code_name(code_number(event->code)), "%s",
				event->text ? event->text : "it failed");
	}
	acts_end(core, act, &response);
	acts_go_on(core);
}

void acts_give_up(struct core *core)
{
	struct act *next;

	for (struct act *act = core->acts; act; act = next) {
		struct command command;
		struct response response = {
			.command = &command, .rev = -1, .retry_after_s = -1};

		next = act->next;
		if (!act->body)
			continue;
		acts_command(act, &command);
		response_refuse(&response, "estopped", "the emergency stop came first");
		acts_end(core, act, &response);
	}
}

static void acts_interrupted_one(void *context, const struct act_row *row)
{
	struct core *core = context;
	struct command command = {.correlation_size = row->correlation_size};
	struct response response = {.command = &command, .rev = -1, .retry_after_s = -1};

	snprintf(command.name, sizeof(command.name), "%s", row->verb);
	snprintf(command.request, sizeof(command.request), "%s", row->request);
	snprintf(command.reply_to, sizeof(command.reply_to), "%s", row->topic);
	command.correlation = (uint8_t *)(uintptr_t)row->correlation;
	response.packet = row->packet;
	snprintf(response.message_hash, sizeof(response.message_hash), "%s",
		 row->message_hash);
	response_refuse(&response, "interrupted",
			"the agent ended while this was under way; it is not run again");
	reply_send(core, &response, true);
}

void acts_interrupted(struct core *core)
{
	store_acts(core->store, acts_interrupted_one, core);
	store_acts_clear(core->store);
}

void acts_close(struct core *core)
{
	while (core->acts) {
		struct act *act = core->acts;

		core->acts = act->next;
		free(act->correlation);
		free(act->body);
		free(act);
	}
}
