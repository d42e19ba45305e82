/* What the broker connection, the rig and the core call from outside the loop. */
#include "agent/process_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/commands/verbs.h"
#include "agent/model/task.h"
#include "agent/workers/completion.h"

#define CALLBACK_WAIT_MS                                                                 \
	45000 /* less than the keep alive of 60 s, see mqtt/connection.h */

struct event *callbacks_event(enum event_kind kind, uint32_t epoch)
{
	struct event *event = event_new(kind);

	event->epoch = epoch;
	return event;
}

static void stop_ops_pause_run(void *context, uint64_t run)
{
	struct process *process = context;

	workers_pause(process->workers, run);
}

static void stop_ops_stop_run(void *context, uint64_t run, bool estopped)
{
	struct process *process = context;

	workers_stop(process->workers, run, estopped);
}

static void stop_ops_stop_motion(void *context)
{
	struct process *process = context;

	rig_slot_stop_motion(process->rig_slot);
}

static void stop_ops_estop(void *context)
{
	struct process *process = context;

	rig_slot_estop(process->rig_slot);
}

/* The index of a device that has changed; count for one that has not. */
static size_t find_changed(const struct changed_devices *changed, const char *topic)
{
	size_t i = 0;

	while (i < changed->count && strcmp(changed->topics[i], topic) != 0)
		i++;
	return i;
}

/* False when an event for this device is already on its way. */
static bool add_changed(struct changed_devices *changed, const char *topic)
{
	bool is_new;

	pthread_mutex_lock(&changed->lock);
	is_new = find_changed(changed, topic) == changed->count;
	if (is_new && changed->count < RIG_DEVICES_MAX)
		snprintf(changed->topics[changed->count++], DEVICE_TOPIC_MAX, "%s",
			 topic);
	pthread_mutex_unlock(&changed->lock);
	return is_new;
}

/* Posts no second event for a device: its state is read when the loop takes the first. */
void callbacks_device_changed(void *context, enum device_kind kind, const char *name)
{
	struct process *process = context;
	char topic[DEVICE_TOPIC_MAX];
	struct event *event;

	snprintf(topic, sizeof(topic), "%s/%s", device_kind_name(kind), name);
	if (!add_changed(&process->changed, topic))
		return;
	event = callbacks_event(EVENT_DEVICE, 0);
	task_set_text(&event->topic, topic);
	mailbox_post(process->mailbox, event);
}

void callbacks_device_taken(struct process *process, const char *device)
{
	struct changed_devices *changed = &process->changed;
	size_t i;

	pthread_mutex_lock(&changed->lock);
	i = find_changed(changed, device);
	if (i < changed->count && i != --changed->count)
		memcpy(changed->topics[i], changed->topics[changed->count],
		       DEVICE_TOPIC_MAX);
	pthread_mutex_unlock(&changed->lock);
}

/* An emergency stop and a stop of motion reach the rig at once, before any parsing. */
static void act_on_stops(struct process *process, const struct incoming *message)
{
	struct topic topic;
	const struct verb *verb;

	topic_parse(process->root, process->device, message->topic, &topic);
	if (topic.kind != TOPIC_COMMAND || message->retained)
		return;
	verb = verb_of_topic(&topic);
	if (!verb)
		return;
	/* Over MQTT 3.1.1 an empty motor/stop is refused: it may be our own clearing of a
	 * retained one. */
	if (verb->flags & VERB_STOPS_RIG)
		rig_slot_estop(process->rig_slot);
	else if ((message->size || atomic_load(&process->mqtt_version) == 5) &&
		 (verb->flags & VERB_STOPS_MOTION) && topic.scope == SCOPE_DEVICE)
		rig_slot_stop_motion(process->rig_slot);
}

static struct event *message_event(uint32_t epoch, const struct incoming *message)
{
	struct event *event = event_new(EVENT_MESSAGE);

	if (event_set_data(event, message->payload, message->size) < 0)
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

/* Returns after the commit, or never: Paho sends the PUBACK when this returns. */
static void on_message(void *context, uint32_t epoch, const struct incoming *message)
{
	struct process *process = context;
	struct event *event;
	struct completion completion;

	act_on_stops(process, message);
	event = message_event(epoch, message);
	completion_init(&completion);
	event->completion = &completion;
	mailbox_post(process->mailbox, event);
	if (!completion_wait(&completion, CALLBACK_WAIT_MS)) {
		log_error(
			"the loop did not commit within %d s: the agent ends unacknowledged",
			CALLBACK_WAIT_MS / 1000);
		rig_slot_estop(process->rig_slot);
		_exit(PROCESS_EXIT_NOT_COMMITTED);
	}
	completion_destroy(&completion);
}

static void on_up(void *context, uint32_t epoch, bool session_present, unsigned window,
		  int version)
{
	struct process *process = context;
	struct event *event = callbacks_event(EVENT_CONNECTED, epoch);

	atomic_store(&process->mqtt_version, version);
	event->flag = session_present;
	event->number = window;
	event->version = version;
	mailbox_post(process->mailbox, event);
}

static void on_down(void *context, uint32_t epoch, const char *why)
{
	struct process *process = context;

	log_info("disconnected: %s", why);
	mailbox_post(process->mailbox, callbacks_event(EVENT_DISCONNECTED, epoch));
}

static void on_sent(void *context, uint32_t epoch, uint64_t token, bool ok)
{
	struct process *process = context;
	struct event *event = callbacks_event(EVENT_SENT, epoch);

	event->token = token;
	event->flag = ok;
	mailbox_post(process->mailbox, event);
}

static void on_subscribed(void *context, uint32_t epoch, uint64_t token, bool ok)
{
	struct process *process = context;
	struct event *event = callbacks_event(EVENT_SUBSCRIBED, epoch);

	event->token = token;
	event->flag = ok;
	mailbox_post(process->mailbox, event);
}

const struct stop_ops callbacks_stop_ops = {
	.pause_run = stop_ops_pause_run,
	.stop_run = stop_ops_stop_run,
	.stop_motion = stop_ops_stop_motion,
	.estop = stop_ops_estop,
};

const struct connection_callbacks callbacks_connection = {
	.up = on_up,
	.down = on_down,
	.message = on_message,
	.sent = on_sent,
	.subscribed = on_subscribed,
};
