/* The agent's loop: takes events to the core and does what the core wants done. */
#include "agent/process_internal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/workers/completion.h"

#define HEALTH_MS 60000

static void do_start(struct process *process, const struct effect *effect)
{
	struct run_params params = {
		.run = effect->run,
		.type = effect->type,
		.task = effect->kind == EFFECT_START ? effect->name : NULL,
		.verb = effect->verb,
		.args = effect->text,
		.saved = effect->more,
		.attempt = (int)effect->number,
	};

	workers_start(process->workers, &params);
}

static void do_publish(struct process *process, const struct effect *effect)
{
	struct outgoing message = {
		.token = effect->token,
		.topic = effect->name,
		.payload = effect->text,
		.size = effect->size,
		.qos = effect->qos,
		.retain = effect->retain,
		.expiry_s = effect->expiry_s,
		.correlation = effect->correlation,
		.correlation_size = effect->correlation_size,
	};

	connection_publish(process->connection, effect->epoch, &message);
}

/* Sends the subscriptions of one token together; returns the last of these effects. */
static const struct effect *do_subscribe(struct process *process,
					 const struct effect *effect)
{
	struct filter filters[64];
	const struct effect *last = effect;
	size_t n = 0;

	for (const struct effect *e = effect; e && n < 64; e = e->next) {
		if (e->kind == EFFECT_UNSUBSCRIBE)
			break;
		if (e->kind != EFFECT_SUBSCRIBE || e->token != effect->token)
			continue;
		filters[n++] = (struct filter){
			.topic = e->name,
			.qos = e->qos,
			.no_local = e->no_local,
			.retain_as_published = e->as_published,
			.retain_handling = e->handling,
		};
		last = e;
	}
	connection_subscribe(process->connection, effect->epoch, effect->token, filters,
			     n);
	return last;
}

void loop_apply_effects(struct process *process, struct effects *effects)
{
	for (const struct effect *effect = effects->first; effect;
	     effect = effect->next) {
		const char *topics[1] = {effect->name};

		switch (effect->kind) {
		case EFFECT_COMPLETE:
			completion_complete(effect->completion);
			break;
		case EFFECT_START:
		case EFFECT_COMMAND:
			do_start(process, effect);
			break;
		case EFFECT_RESUME:
			workers_resume(process->workers, effect->run);
			break;
		case EFFECT_PUBLISH:
			do_publish(process, effect);
			break;
		case EFFECT_SUBSCRIBE:
			effect = do_subscribe(process, effect);
			break;
		case EFFECT_UNSUBSCRIBE:
			connection_unsubscribe(process->connection, effect->epoch, 0,
					       topics, 1);
			break;
		case EFFECT_RECONNECT:
			connection_restart(process->connection, effect->number);
			break;
		case EFFECT_RELEASE_ESTOP:
			rig_slot_release_estop(process->rig_slot);
			break;
		case EFFECT_STOPPED:
			process->stopped = true;
			break;
		}
	}
	effects_clear(effects);
}

struct core_time loop_now(void)
{
	return (struct core_time){.ms = clock_monotonic_ms(), .wall = clock_wall_ms()};
}

/* data stays NULL for a device that no longer exists. */
static void read_device(struct process *process, struct event *event)
{
	cJSON *state;

	callbacks_device_taken(process, event->topic);
	state = rig_slot_state(process->rig_slot, event->topic);
	event->data = state ? json_text(state) : NULL;
	cJSON_Delete(state);
}

/* Adds to the events what only the process knows, and keeps what it needs of them. */
static void loop_complete_events(struct process *process, struct event *events)
{
	for (struct event *event = events; event; event = event->next) {
		workers_take_event(process->workers, event);
		if (event->kind == EVENT_DEVICE && !event->data)
			read_device(process, event);
		if (event->kind == EVENT_CONNECTED)
			process->epoch = event->epoch;
		if (event->kind == EVENT_DISCONNECTED && event->epoch == process->epoch)
			process->epoch = 0;
		if (event->kind == EVENT_SENT && process->offline_token &&
		    event->token == process->offline_token)
			process->offline_sent = true;
	}
}

static struct event *health_event(struct process *process, int64_t ms)
{
	struct event *event = event_new(EVENT_HEALTH);
	cJSON *health =
		metrics_read(&process->metrics, projects_root(process->projects), ms);

	if (!event)
		abort();
	event->data = json_text(health);
	cJSON_Delete(health);
	return event;
}

/* Nothing of this turn has been published or acknowledged.  The supervisor starts the
 * agent again, and the broker delivers the messages again. */
static void exit_uncommitted(struct process *process, const struct err *err)
{
	log_error("cannot commit: %s", err->text);
	rig_slot_estop(process->rig_slot);
	_exit(PROCESS_EXIT_NOT_COMMITTED);
}

static void loop_turn(struct process *process)
{
	struct event *events = mailbox_take(process->mailbox, CORE_TURN_EVENTS);
	struct effects effects;
	struct core_time at = loop_now();
	struct err err;

	loop_complete_events(process, events);
	if (at.ms >= process->health_at) {
		struct event *health = health_event(process, at.ms);

		process->health_at = at.ms + HEALTH_MS;
		health->next = events;
		events = health;
	}
	effects_init(&effects);
	if (core_turn(process->core, events, at, &effects, &err) < 0)
		exit_uncommitted(process, &err);
	loop_apply_effects(process, &effects);
	while (events) {
		struct event *event = events;

		events = event->next;
		event_free(event);
	}
}

static int poll_timeout(const struct process *process, int64_t until)
{
	int64_t wake = core_wake(process->core);
	int64_t left;

	if (wake < 0 || wake > process->health_at)
		wake = process->health_at;
	if (until >= 0 && wake > until)
		wake = until;
	left = wake - clock_monotonic_ms();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void on_signal(struct process *process)
{
	struct signalfd_siginfo info;

	if (read(process->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	log_info("%s: stopping in order", strsignal((int)info.ssi_signo));
	mailbox_post(process->mailbox, callbacks_event(EVENT_STOP, 0));
}

void loop_run_until(struct process *process, bool (*done)(const struct process *process),
		    int64_t until)
{
	while (!done(process) && (until < 0 || clock_monotonic_ms() < until)) {
		struct pollfd fds[] = {
			{.fd = mailbox_fd(process->mailbox), .events = POLLIN},
			{.fd = process->signals, .events = POLLIN},
		};

		poll(fds, 2, poll_timeout(process, until));
		if (fds[1].revents)
			on_signal(process);
		loop_turn(process);
	}
}
