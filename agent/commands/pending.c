/* Commands that a worker carries out: admitted, queued, started, answered. */
#include "agent/commands/pending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/commands/dedup.h"
#include "agent/commands/reply.h"
#include "agent/model/error_code.h"

#define WAITING_MAX 32 /* commands queued for one device */
#define PENDING_MAX 64 /* each takes a thread, for long on a slow disk */

bool pending_answers(struct core *core, struct response *response)
{
	const struct command *command = response->command;

	for (const struct pending *pending = core->pending; pending;
	     pending = pending->next) {
		if (!command->request[0] ||
		    strcmp(pending->request, command->request) != 0)
			continue;
		if (strcmp(pending->hash, command->hash) != 0) {
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

static struct pending *pending_new(struct core *core, const struct response *response)
{
	const struct command *command = response->command;
	struct pending *pending = calloc(1, sizeof(*pending)), **end = &core->pending;

	if (!pending)
		abort(); /* see effects_add() */
	pending->run = ++core->next_run;
	pending->packet = response->packet;
	snprintf(pending->message, sizeof(pending->message), "%s",
		 response->message_hash);
	pending->verb = command->verb;
	snprintf(pending->id, sizeof(pending->id), "%s", command->id);
	snprintf(pending->request, sizeof(pending->request), "%s", command->request);
	snprintf(pending->hash, sizeof(pending->hash), "%s", command->hash);
	reply_topic(core, command, pending->topic);
	if (command->correlation) {
		pending->correlation = malloc(command->correlation_size + 1);
		if (!pending->correlation)
			abort();
		memcpy(pending->correlation, command->correlation,
		       command->correlation_size);
		pending->correlation_size = command->correlation_size;
	}
	while (*end)
		end = &(*end)->next;
	*end = pending;
	return pending;
}

static void pending_store(struct core *core, struct pending *pending)
{
	struct pending_row row = {
		.verb = pending->verb->name,
		.topic = pending->topic,
		.request = pending->request,
		.correlation = pending->correlation,
		.correlation_size = pending->correlation_size,
		.packet = pending->packet,
		.message_hash = pending->message,
	};

	row.number = pending->number = core->next_pending++;
	store_set_number(core->store, "next_act", core->next_pending);
	store_pending_add(core->store, &row);
}

/* Takes body over. */
static struct effect *pending_effect(struct core *core, const struct pending *pending,
				     char *body)
{
	struct effect *effect = effects_add(core->effects, EFFECT_COMMAND);

	effect->run = pending->run;
	effect->verb = pending->verb;
	effect->text = body;
	return effect;
}

static void pending_run(struct core *core, struct pending *pending)
{
	pending_effect(core, pending, pending->body);
	pending->body = NULL;
}

/* The oldest command that has one of the devices. */
static const struct pending *pending_holder(const struct core *core, uint64_t devices)
{
	for (const struct pending *pending = core->pending; pending;
	     pending = pending->next)
		if (pending->claim & devices)
			return pending;
	return NULL;
}

/* If a light is set twice in quick succession, the later setting must win, so brief
 * commands queue up.  A command does not wait for a long one: by its end nobody knows
 * whether the command is still wanted. */
static bool may_wait(const struct core *core, uint64_t devices)
{
	int before = 0;

	for (const struct pending *pending = core->pending; pending;
	     pending = pending->next) {
		if (!(pending->claim & devices))
			continue;
		if (!(pending->verb->flags & VERB_QUEUEABLE) || ++before > WAITING_MAX)
			return false;
	}
	return true;
}

static bool pending_claim(struct core *core, struct response *response,
			  const struct verb *verb, uint64_t devices)
{
	const struct task *task;

	if (!devices || scheduler_devices_free(&core->scheduler, devices, &task))
		return true;
	if (!task && verb->flags & VERB_QUEUEABLE && may_wait(core, devices))
		return true;
	if (task)
		response_refuse(response, "device_busy", "task '%s' uses the device",
				task->id);
	else
		response_refuse(response, "device_busy", "%s uses the device",
				pending_holder(core, devices)->verb->name);
	response->retry_after_s = 1;
	return false;
}

static bool pending_has_room(const struct core *core, struct response *response)
{
	int count = 0;

	for (const struct pending *pending = core->pending; pending;
	     pending = pending->next)
		count++;
	if (count < PENDING_MAX)
		return true;
	response_refuse(response, "queue_full",
			"%d commands are under way, %d are allowed", count, PENDING_MAX);
	response->retry_after_s = 1;
	return false;
}

void pending_start(struct core *core, struct response *response, uint64_t devices)
{
	const struct verb *verb = response->command->verb;
	bool waits;
	struct pending *pending;

	/* A command that stops hardware is never refused; it takes a moment only. */
	if (!(verb->flags & VERB_STOPS) && !pending_has_room(core, response))
		return;
	if (!pending_claim(core, response, verb, devices))
		return;
	waits = core->scheduler.command_devices & devices;
	pending = pending_new(core, response);
	pending->claim = devices;
	if (verb->flags & VERB_WRITES)
		pending_store(core, pending);
	core->scheduler.command_devices |= devices;
	pending->body = json_text(response->command->body);
	if (!waits)
		pending_run(core, pending);
	response->later = true;
}

void pending_estimate(struct core *core, struct response *response,
		      const struct registered_type *type, const char *args)
{
	struct pending *pending;

	if (core_rig_is_away(core)) {
		response_rig_away(response);
		return;
	}
	if (!pending_has_room(core, response))
		return;
	pending = pending_new(core, response);
	pending_effect(core, pending, strdup(args))->type = type;
	response->later = true;
}

static void pending_remove(struct core *core, struct pending *pending)
{
	struct pending **place = &core->pending;

	while (*place != pending)
		place = &(*place)->next;
	*place = pending->next;
	core->scheduler.command_devices = 0;
	for (const struct pending *other = core->pending; other; other = other->next)
		core->scheduler.command_devices |= other->claim;
}

/* Starts the queued commands whose devices are free, in the order of their arrival. */
static void pending_run_queued(struct core *core)
{
	uint64_t held = 0;

	for (struct pending *pending = core->pending; pending; pending = pending->next) {
		if (pending->body && !(pending->claim & held))
			pending_run(core, pending);
		held |= pending->claim;
	}
}

/* The command as it was, for the functions that make replies. */
static void pending_to_command(const struct pending *pending, struct command *command)
{
	memset(command, 0, sizeof(*command));
	command->verb = pending->verb;
	snprintf(command->name, sizeof(command->name), "%s", pending->verb->name);
	snprintf(command->id, sizeof(command->id), "%s", pending->id);
	snprintf(command->request, sizeof(command->request), "%s", pending->request);
	snprintf(command->hash, sizeof(command->hash), "%s", pending->hash);
	snprintf(command->reply_to, sizeof(command->reply_to), "%s", pending->topic);
	command->correlation = pending->correlation;
	command->correlation_size = pending->correlation_size;
}

/* Sends the reply, and frees the pending command. */
static void pending_end(struct core *core, struct pending *pending,
			struct response *response)
{
	response->packet = pending->packet;
	snprintf(response->message_hash, sizeof(response->message_hash), "%s",
		 pending->message);
	reply_send(core, response, pending->number);
	if (pending->number)
		store_pending_delete(core->store, pending->number);
	cJSON_Delete(response->data);
	pending_remove(core, pending);
	free(pending->correlation);
	free(pending->body);
	free(pending);
}

void pending_done(struct core *core, const struct event *event)
{
	struct pending *pending = core->pending;
	struct command command;
	struct response response = {.command = &command, .rev = -1, .retry_after_s = -1};

	while (pending && pending->run != event->run)
		pending = pending->next;
	if (!pending)
		return;

	pending_to_command(pending, &command);
	if (event->flag) {
		response_ok(&response, "ok",
			    event->data ? cJSON_Parse(event->data) : NULL);
		if (pending->number && pending->request[0])
			dedup_remember(core, &response, DEDUP_REQUEST);
		if (pending->verb->done)
			pending->verb->done(core, &response);
	} else {
		response_refuse(&response, code_name(code_number(event->code)), "%s",
				event->text ? event->text : "it failed");
	}
	pending_end(core, pending, &response);
	pending_run_queued(core);
}

void pending_refuse_queued(struct core *core)
{
	struct pending *next;

	for (struct pending *pending = core->pending; pending; pending = next) {
		struct command command;
		struct response response = {
			.command = &command, .rev = -1, .retry_after_s = -1};

		next = pending->next;
		if (!pending->body)
			continue;
		pending_to_command(pending, &command);
		response_refuse(&response, "estopped", "the emergency stop came first");
		pending_end(core, pending, &response);
	}
}

static void pending_report_one(void *context, const struct pending_row *row)
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

void pending_report_interrupted(struct core *core)
{
	store_pending_each(core->store, pending_report_one, core);
	store_pending_clear(core->store);
}

void pending_close(struct core *core)
{
	while (core->pending) {
		struct pending *pending = core->pending;

		core->pending = pending->next;
		free(pending->correlation);
		free(pending->body);
		free(pending);
	}
}
