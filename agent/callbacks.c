#include "agent/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/base/log.h"
#include "agent/model/task.h"
#include "agent/workers/completion.h"

#define CALLBACK_WAIT_MS 45000 /* below the keep alive of 60 s, see mqtt/connection.h */

struct event *callbacks_event(enum event_kind kind, uint32_t epoch)
{
	struct event *event = event_new(kind);

	if (!event)
		abort();
	event->epoch = epoch;
	return event;
}

static void stop_ops_pause_run(void *context, uint64_t run)
{
	struct agent *agent = context;

	workers_pause(agent->workers, run);
}

static void stop_ops_stop_run(void *context, uint64_t run, bool estopped)
{
	struct agent *agent = context;

	workers_stop(agent->workers, run, estopped);
}

static void stop_ops_stop_motion(void *context)
{
	struct agent *agent = context;

	seat_stop_motion(agent->seat);
}

static void stop_ops_estop(void *context)
{
	struct agent *agent = context;

	seat_estop(agent->seat);
}

/* The place of a device among those that wait; count for none. */
static size_t find_news(const struct news *news, const char *device)
{
	size_t i = 0;

	while (i < news->count && strcmp(news->waiting[i], device) != 0)
		i++;
	return i;
}

/* False when an event for this device waits already. */
static bool note_news(struct news *news, const char *device)
{
	bool fresh;

	pthread_mutex_lock(&news->lock);
	fresh = find_news(news, device) == news->count;
	if (fresh && news->count < RIG_DEVICES_MAX)
		snprintf(news->waiting[news->count++], DEVICE_TOPIC_MAX, "%s", device);
	pthread_mutex_unlock(&news->lock);
	return fresh;
}

/* One event at most waits for each device: its state is read when the loop takes it. */
void callbacks_device_changed(void *context, enum device_kind kind, const char *name)
{
	struct agent *agent = context;
	char device[DEVICE_TOPIC_MAX];
	struct event *event;

	snprintf(device, sizeof(device), "%s/%s", device_kind_name(kind), name);
	if (!note_news(&agent->news, device))
		return;
	event = event_new(EVENT_DEVICE);
	if (!event || !(event->topic = strdup(device)))
		abort();
	mailbox_post(agent->mailbox, event);
}

void callbacks_device_taken(struct agent *agent, const char *device)
{
	struct news *news = &agent->news;
	size_t i;

	pthread_mutex_lock(&news->lock);
	i = find_news(news, device);
	if (i < news->count && i != --news->count)
		memcpy(news->waiting[i], news->waiting[news->count], DEVICE_TOPIC_MAX);
	pthread_mutex_unlock(&news->lock);
}

/* An emergency stop and a stop of motion act before anything else happens. */
static void act_on_stops(struct agent *agent, const struct incoming *message)
{
	struct topic topic;

	topic_parse(agent->root, agent->device, message->topic, &topic);
	if (topic.kind != TOPIC_COMMAND || message->retained)
		return;
	/* Over 3.1.1 an empty motor/stop is refused: it may be our own clearing. */
	if (!strcmp(topic.noun, "estop") && !topic.verb[0])
		seat_estop(agent->seat);
	else if ((message->size || atomic_load(&agent->mqtt_version) == 5) &&
		 !strcmp(topic.noun, "motor") && !strcmp(topic.verb, "stop") &&
		 topic.scope == SCOPE_DEVICE)
		seat_stop_motion(agent->seat);
}

static struct event *message_event(uint32_t epoch, const struct incoming *message)
{
	struct event *event = event_new(EVENT_MESSAGE);

	if (!event || event_set_data(event, message->payload, message->size) < 0)
		abort();
	event->epoch = epoch;
	task_set_text(&event->topic, message->topic);
	task_set_text(&event->response_topic, message->response_topic);
	event->retained = message->retained;
	event->duplicate = message->duplicate;
	event->number = message->qos ? message->packet_id : 0;
	if (message->correlation) {
		event->correlation = malloc(message->correlation_size + 1);
		if (!event->correlation)
			abort();
		memcpy(event->correlation, message->correlation,
		       message->correlation_size);
		event->correlation_size = message->correlation_size;
	}
	return event;
}

/* The PUBACK leaves when this returns: after the commit, or never. */
static void on_message(void *context, uint32_t epoch, const struct incoming *message)
{
	struct agent *agent = context;
	struct event *event;
	struct waiter waiter;

	act_on_stops(agent, message);
	event = message_event(epoch, message);
	waiter_init(&waiter);
	event->waiter = &waiter;
	mailbox_post(agent->mailbox, event);
	if (!waiter_wait(&waiter, CALLBACK_WAIT_MS)) {
		log_error(
			"the loop did not commit within %d s: the agent ends unacknowledged",
			CALLBACK_WAIT_MS / 1000);
		seat_estop(agent->seat);
		_exit(AGENT_EXIT_NOT_COMMITTED);
	}
	waiter_destroy(&waiter);
}

static void on_up(void *context, uint32_t epoch, bool session_present, unsigned window,
		  int version)
{
	struct agent *agent = context;
	struct event *event = callbacks_event(EVENT_CONNECTED, epoch);

	atomic_store(&agent->mqtt_version, version);
	event->flag = session_present;
	event->number = window;
	event->version = version;
	mailbox_post(agent->mailbox, event);
}

static void on_down(void *context, uint32_t epoch, const char *why)
{
	struct agent *agent = context;

	log_info("disconnected: %s", why);
	mailbox_post(agent->mailbox, callbacks_event(EVENT_DISCONNECTED, epoch));
}

static void on_sent(void *context, uint32_t epoch, uint64_t token, bool ok)
{
	struct agent *agent = context;
	struct event *event = callbacks_event(EVENT_SENT, epoch);

	event->token = token;
	event->flag = ok;
	mailbox_post(agent->mailbox, event);
}

static void on_subscribed(void *context, uint32_t epoch, uint64_t token, bool ok)
{
	struct agent *agent = context;
	struct event *event = callbacks_event(EVENT_SUBSCRIBED, epoch);

	event->token = token;
	event->flag = ok;
	mailbox_post(agent->mailbox, event);
}

const struct stop_ops callbacks_stop_ops = {
	.pause_run = stop_ops_pause_run,
	.stop_run = stop_ops_stop_run,
	.stop_motion = stop_ops_stop_motion,
	.estop = stop_ops_estop,
};

const struct connection_callbacks callbacks_callbacks = {
	.up = on_up,
	.down = on_down,
	.message = on_message,
	.sent = on_sent,
	.subscribed = on_subscribed,
};
