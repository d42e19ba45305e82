#include "agent/process.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/workers/completion.h"

#define HEALTH_MS 60000

static void do_start(struct agent *agent, const struct effect *effect)
{
	struct run_order order = {
		.run = effect->run,
		.type = effect->type,
		.task = effect->kind == EFFECT_START ? effect->name : NULL,
		.verb = effect->verb,
		.args = effect->text,
		.saved = effect->more,
		.attempt = (int)effect->number,
	};

	workers_start(agent->workers, &order);
}

static void do_publish(struct agent *agent, const struct effect *effect)
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

	connection_publish(agent->connection, effect->epoch, &message);
}

/* Subscriptions of one token go out together; returns the last effect of them. */
static const struct effect *do_subscribe(struct agent *agent, const struct effect *effect)
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
	connection_subscribe(agent->connection, effect->epoch, effect->token, filters, n);
	return last;
}

void loop_carry_out(struct agent *agent, struct effects *effects)
{
	for (const struct effect *effect = effects->first; effect;
	     effect = effect->next) {
		const char *topics[1] = {effect->name};

		switch (effect->kind) {
		case EFFECT_RELEASE:
			waiter_release(effect->waiter);
			break;
		case EFFECT_START:
		case EFFECT_COMMAND:
			do_start(agent, effect);
			break;
		case EFFECT_GO_ON:
			workers_go_on(agent->workers, effect->run);
			break;
		case EFFECT_PUBLISH:
			do_publish(agent, effect);
			break;
		case EFFECT_SUBSCRIBE:
			effect = do_subscribe(agent, effect);
			break;
		case EFFECT_UNSUBSCRIBE:
			connection_unsubscribe(agent->connection, effect->epoch, 0,
					       topics, 1);
			break;
		case EFFECT_RECONNECT:
			connection_restart(agent->connection, effect->number);
			break;
		case EFFECT_RELEASE_ESTOP:
			seat_release_estop(agent->seat);
			break;
		case EFFECT_STOPPED:
			agent->stopped = true;
			break;
		}
	}
	effects_clear(effects);
}

struct core_time loop_now(void)
{
	return (struct core_time){.ms = clock_monotonic_ms(), .wall = clock_wall_ms()};
}

/* Without data for a device that has gone meanwhile. */
static void read_device(struct agent *agent, struct event *event)
{
	cJSON *state;

	callbacks_device_taken(agent, event->topic);
	state = seat_state(agent->seat, event->topic);
	event->data = state ? json_text(state) : NULL;
	cJSON_Delete(state);
}

/* Facts that stand outside the core are put into the events as they are taken. */
static void loop_see(struct agent *agent, struct event *events)
{
	for (struct event *event = events; event; event = event->next) {
		workers_see(agent->workers, event);
		if (event->kind == EVENT_DEVICE && !event->data)
			read_device(agent, event);
		if (event->kind == EVENT_CONNECTED)
			agent->epoch = event->epoch;
		if (event->kind == EVENT_DISCONNECTED && event->epoch == agent->epoch)
			agent->epoch = 0;
		if (event->kind == EVENT_SENT && agent->offline_token &&
		    event->token == agent->offline_token)
			agent->offline_sent = true;
	}
}

static struct event *health_event(struct agent *agent, int64_t ms)
{
	struct event *event = event_new(EVENT_HEALTH);
	cJSON *health = machine_look(&agent->machine, projects_root(agent->projects), ms);

	if (!event)
		abort();
	event->data = json_text(health);
	cJSON_Delete(health);
	return event;
}

/* What was not committed is not told and not acknowledged: the process ends here, the
 * broker delivers again, the supervisor starts the agent again. */
static void agent_die_uncommitted(struct agent *agent, const struct err *err)
{
	log_error("cannot commit: %s", err->text);
	seat_estop(agent->seat);
	_exit(AGENT_EXIT_NOT_COMMITTED);
}

static void loop_turn(struct agent *agent)
{
	struct event *events = mailbox_take(agent->mailbox, CORE_TURN_EVENTS);
	struct effects effects;
	struct core_time at = loop_now();
	struct err err;

	loop_see(agent, events);
	if (at.ms >= agent->health_at) {
		struct event *health = health_event(agent, at.ms);

		agent->health_at = at.ms + HEALTH_MS;
		health->next = events;
		events = health;
	}
	effects_init(&effects);
	if (core_turn(agent->core, events, at, &effects, &err) < 0)
		agent_die_uncommitted(agent, &err);
	loop_carry_out(agent, &effects);
	while (events) {
		struct event *event = events;

		events = event->next;
		event_free(event);
	}
}

static int poll_timeout(const struct agent *agent, int64_t until)
{
	int64_t wake = core_wake(agent->core);
	int64_t left;

	if (wake < 0 || wake > agent->health_at)
		wake = agent->health_at;
	if (until >= 0 && wake > until)
		wake = until;
	left = wake - clock_monotonic_ms();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void on_signal(struct agent *agent)
{
	struct signalfd_siginfo info;

	if (read(agent->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	log_info("%s: stopping in order", strsignal((int)info.ssi_signo));
	mailbox_post(agent->mailbox, callbacks_event(EVENT_STOP, 0));
}

/* Turns until done() says so or the time (monotonic ms, -1: none) has come. */
void loop_run_until(struct agent *agent, bool (*done)(const struct agent *agent),
		    int64_t until)
{
	while (!done(agent) && (until < 0 || clock_monotonic_ms() < until)) {
		struct pollfd fds[] = {
			{.fd = mailbox_fd(agent->mailbox), .events = POLLIN},
			{.fd = agent->signals, .events = POLLIN},
		};

		poll(fds, 2, poll_timeout(agent, until));
		if (fds[1].revents)
			on_signal(agent);
		loop_turn(agent);
	}
}
