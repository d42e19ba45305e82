/* The simulated broker: what it receives, keeps and delivers. */
#include "tests/simulation/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "tests/simulation/trace.h"

#define PACKET_IDS 30000

static char *copy_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

/* ---- state ---- */

static void retained_free(struct retained *retained)
{
	free(retained->topic);
	free(retained->text);
	free(retained);
}

static void packet_free(struct packet *packet)
{
	if (!packet)
		return;
	free(packet->topic);
	free(packet->text);
	free(packet);
}

static void state_clear(struct broker_state *state)
{
	struct retained *retained, *next;
	struct packet *packet, *after;

	HASH_ITER(hh, state->retained, retained, next) {
		HASH_DEL(state->retained, retained);
		retained_free(retained);
	}
	LL_FOREACH_SAFE(state->queue, packet, after)
		packet_free(packet);
	memset(state, 0, sizeof(*state));
}

static void state_retain(struct broker_state *state, const char *topic, const char *text,
			 size_t size)
{
	struct retained *retained;

	HASH_FIND_STR(state->retained, topic, retained);
	if (retained) {
		HASH_DEL(state->retained, retained);
		retained_free(retained);
	}
	if (!size)
		return;
	retained = calloc(1, sizeof(*retained));
	if (!retained)
		abort();
	retained->topic = copy_text(topic);
	retained->text = malloc(size + 1);
	if (!retained->text)
		abort();
	memcpy(retained->text, text, size);
	retained->text[size] = '\0';
	retained->size = size;
	HASH_ADD_KEYPTR(hh, state->retained, retained->topic, strlen(retained->topic),
			retained);
}

static struct packet *packet_copy(const struct packet *packet)
{
	struct packet *copy = malloc(sizeof(*copy));

	if (!copy)
		abort();
	*copy = *packet;
	copy->topic = packet->topic ? copy_text(packet->topic) : NULL;
	copy->text = packet->text ? copy_text(packet->text) : NULL;
	copy->next = NULL;
	return copy;
}

static void state_copy(struct broker_state *to, const struct broker_state *from)
{
	const struct retained *retained;
	const struct packet *packet;

	state_clear(to);
	*to = *from;
	to->retained = NULL;
	to->queue = NULL;
	for (retained = from->retained; retained; retained = retained->hh.next)
		state_retain(to, retained->topic, retained->text, retained->size);
	LL_FOREACH(from->queue, packet) {
		struct packet *copy = packet_copy(packet);

		/* It has forgotten this delivery. */
		copy->duplicate = false;
		copy->released = false;
		copy->id = 0;
		LL_APPEND(to->queue, copy);
	}
}

void broker_init(struct broker *broker, struct sim_mailbox *mailbox)
{
	memset(broker, 0, sizeof(*broker));
	broker->sent_last = &broker->sent;
	broker->mailbox = mailbox;
}

static void sent_packet_free(struct sent_packet *packet)
{
	free(packet->effect.name);
	free(packet->effect.text);
	free(packet->effect.correlation);
	free(packet);
}

static struct sent_packet *sent_pop(struct broker *broker)
{
	struct sent_packet *packet = broker->sent;

	if (!packet)
		return NULL;
	broker->sent = packet->next;
	if (!broker->sent)
		broker->sent_last = &broker->sent;
	return packet;
}

static void sent_clear(struct broker *broker)
{
	for (struct sent_packet *packet; (packet = sent_pop(broker));)
		sent_packet_free(packet);
}

void broker_clear(struct broker *broker)
{
	sent_clear(broker);
	state_clear(&broker->state);
	state_clear(&broker->snapshot);
}

/* ---- clients ---- */

static void queue_add(struct broker *broker, const struct packet *packet)
{
	struct packet *copy = packet_copy(packet);

	LL_APPEND(broker->state.queue, copy);
}

void broker_publish(struct broker *broker, struct sim_command *command)
{
	struct packet packet = {.command = command, .retained = command->retained};

	trace("client: %s %s%s", command->topic, command->body,
	      command->retained ? " (retained)" : "");
	if (command->retained)
		state_retain(&broker->state, command->topic, command->body,
			     strlen(command->body));
	if (!broker->state.session || !broker->state.commands)
		return;
	command->sent++;
	queue_add(broker, &packet);
}

/* ---- the connection ---- */

void broker_connect(struct broker *broker, struct prng *prng)
{
	struct event *event = sim_mailbox_post(broker->mailbox, EVENT_CONNECTED);
	struct packet *packet;

	broker->connected = true;
	broker->window = prng_chance(prng, 50) ? 64 : (unsigned)prng_between(prng, 1, 8);
	LL_FOREACH(broker->state.queue, packet)
		packet->waited = true;
	event->epoch = ++broker->epoch;
	event->number = broker->window;
	event->version = 5;
	event->flag = broker->state.session;
	trace("connected, epoch %u, window %u, session %s", broker->epoch, broker->window,
	      broker->state.session ? "present" : "new");
	broker->state.session = true;
}

static void acks_clear(struct broker *broker)
{
	broker->ack_count = 0;
	broker->ack_first = 0;
	broker->in_flight_count = 0;
}

/* Delivered but unacknowledged messages are sent again, except for QoS 0. */
static void queue_rewind(struct broker *broker)
{
	struct packet *packet, *next;

	LL_FOREACH_SAFE(broker->state.queue, packet, next) {
		packet->released = false;
		if (!packet->at_most_once)
			continue;
		/* The walk starts from the list's own head. */
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		LL_DELETE(broker->state.queue, packet);
		packet_free(packet);
	}
	broker->outstanding = NULL;
}

void broker_disconnect(struct broker *broker, struct prng *prng, bool agent_lives)
{
	int arrive = prng_below(prng, 8);

	if (!broker->connected)
		return;
	while (arrive-- > 0 && broker_receive(broker))
		;
	trace("disconnected");
	sent_clear(broker);
	acks_clear(broker);
	queue_rewind(broker);
	broker->connected = false;
	state_retain(&broker->state, OURS "status", "lost", 4);
	if (agent_lives)
		sim_mailbox_post(broker->mailbox, EVENT_DISCONNECTED)->epoch =
			broker->epoch;
}

void broker_take_snapshot(struct broker *broker)
{
	state_copy(&broker->snapshot, &broker->state);
	broker->has_snapshot = true;
	trace("the broker saves itself");
}

void broker_restart(struct broker *broker)
{
	trace("the broker comes back %s",
	      broker->has_snapshot ? "as it was when it saved itself" : "empty");
	if (broker->has_snapshot)
		state_copy(&broker->state, &broker->snapshot);
	else
		state_clear(&broker->state);
}

void broker_lose_session(struct broker *broker)
{
	struct packet *packet, *next;

	trace("the broker forgets the session");
	LL_FOREACH_SAFE(broker->state.queue, packet, next)
		packet_free(packet);
	broker->state.queue = NULL;
	broker->state.session = false;
	broker->state.commands = false;
	broker->state.barrier = false;
}

/* ---- from the agent ---- */

static struct sent_packet *sent_packet_add(struct broker *broker, enum sent_kind kind)
{
	struct sent_packet *packet = calloc(1, sizeof(*packet));

	if (!packet)
		abort();
	packet->kind = kind;
	*broker->sent_last = packet;
	broker->sent_last = &packet->next;
	return packet;
}

/* FNV-1a */
static uint64_t topic_hash(const char *topic)
{
	uint64_t hash = 14695981039346656037u;

	for (; *topic; topic++)
		hash = (hash ^ (uint8_t)*topic) * 1099511628211u;
	return hash;
}

/* A retained topic has at most one message in flight, because two could be reordered. */
static void flight_begin(struct broker *broker, const struct effect *effect)
{
	struct in_flight added = {effect->token, topic_hash(effect->name)};

	if (!effect->retain || !effect->qos || !effect->token)
		return;
	for (int i = 0; i < broker->in_flight_count; i++)
		if (broker->in_flight[i].topic == added.topic)
			violation("two messages of %s are in flight", effect->name);
	if (broker->in_flight_count == ACKS_MAX)
		abort(); /* the agent's window is far smaller */
	broker->in_flight[broker->in_flight_count++] = added;
}

static void flight_end(struct broker *broker, uint64_t token)
{
	for (int i = 0; i < broker->in_flight_count; i++) {
		if (broker->in_flight[i].token != token)
			continue;
		broker->in_flight[i] = broker->in_flight[--broker->in_flight_count];
		return;
	}
}

void broker_take(struct broker *broker, struct effect *effect)
{
	struct sent_packet *packet;

	if (effect->kind == EFFECT_PUBLISH)
		flight_begin(broker, effect);
	packet = sent_packet_add(broker, effect->kind == EFFECT_PUBLISH ? SENT_PUBLISH
					 : effect->kind == EFFECT_SUBSCRIBE
						 ? SENT_SUBSCRIBE
						 : SENT_UNSUBSCRIBE);
	packet->effect = *effect;
	packet->last = true;
	for (const struct effect *e = effect->next; e && packet->last; e = e->next)
		packet->last = e->kind != EFFECT_SUBSCRIBE || e->token != effect->token;
	effect->name = NULL;
	effect->text = NULL;
	effect->correlation = NULL;
}

static void ack_add(struct broker *broker, uint64_t token, bool subscribed)
{
	int place = (broker->ack_first + broker->ack_count) % ACKS_MAX;

	if (!token)
		return;
	if (broker->ack_count == ACKS_MAX)
		abort(); /* the agent's window is far smaller */
	broker->ack_count++;
	broker->acks[place] = (struct acknowledgement){token, subscribed};
}

static void queue_text(struct broker *broker, const char *topic, const char *text,
		       bool retained, bool at_most_once)
{
	struct packet packet = {
		.topic = (char *)(uintptr_t)topic,
		.text = (char *)(uintptr_t)text,
		.retained = retained,
		.at_most_once = at_most_once,
	};

	queue_add(broker, &packet);
}

static bool below(const char *topic, const char *prefix)
{
	return !strncmp(topic, prefix, strlen(prefix));
}

static void receive_publish(struct broker *broker, const struct effect *effect)
{
	if (effect->retain)
		state_retain(&broker->state, effect->name,
			     effect->text ? effect->text : "", effect->size);
	if (broker->state.barrier && !strcmp(effect->name, OURS "reply/_barrier"))
		queue_text(broker, effect->name, effect->text, false, false);
	ack_add(broker, effect->token, false);
}

/* Sends the retained messages that match a new subscription. */
static void send_retained(struct broker *broker, const char *prefix, bool at_most_once)
{
	const struct retained *retained;

	for (retained = broker->state.retained; retained; retained = retained->hh.next)
		if (below(retained->topic, prefix) &&
		    (!at_most_once || !strchr(retained->topic + strlen(prefix), '/')))
			queue_text(broker, retained->topic, retained->text, true,
				   at_most_once);
}

static void receive_subscribe(struct broker *broker, const struct sent_packet *packet)
{
	const char *filter = packet->effect.name;

	if (!strcmp(filter, OURS "cmd/#")) {
		if (!broker->state.commands)
			send_retained(broker, OURS "cmd/", false);
		broker->state.commands = true;
	} else if (!strcmp(filter, OURS "info")) {
		send_retained(broker, filter, false);
	} else if (!strcmp(filter, OURS "reply/_barrier")) {
		broker->state.barrier = true;
	} else if (!strcmp(filter, OURS "task/+")) {
		send_retained(broker, OURS "task/", true);
	}
	if (packet->last)
		ack_add(broker, packet->effect.token, true);
}

static void receive_puback(struct broker *broker)
{
	struct packet *packet;

	LL_FOREACH(broker->state.queue, packet)
		if (packet->released)
			break;
	LL_DELETE(broker->state.queue, packet);
	packet_free(packet);
}

bool broker_receive(struct broker *broker)
{
	struct sent_packet *packet = sent_pop(broker);

	if (!packet)
		return false;
	switch (packet->kind) {
	case SENT_PUBLISH:
		receive_publish(broker, &packet->effect);
		break;
	case SENT_SUBSCRIBE:
		receive_subscribe(broker, packet);
		break;
	case SENT_UNSUBSCRIBE:
		break;
	case SENT_PUBACK:
		receive_puback(broker);
		break;
	}
	sent_packet_free(packet);
	return true;
}

/* ---- to the agent ---- */

bool broker_acknowledge(struct broker *broker)
{
	struct acknowledgement due;
	struct event *event;

	if (!broker->ack_count)
		return false;
	due = broker->acks[broker->ack_first];
	broker->ack_first = (broker->ack_first + 1) % ACKS_MAX;
	broker->ack_count--;
	flight_end(broker, due.token);
	event = sim_mailbox_post(broker->mailbox,
				 due.subscribed ? EVENT_SUBSCRIBED : EVENT_SENT);
	event->epoch = broker->epoch;
	event->token = due.token;
	event->flag = true;
	return true;
}

static struct event *packet_event(struct broker *broker, const struct packet *packet)
{
	const struct sim_command *command = packet->command;
	const char *text = command ? command->body : packet->text;
	struct event *event = sim_mailbox_post(broker->mailbox, EVENT_MESSAGE);
	char number[16];

	event->epoch = broker->epoch;
	event->number = packet->id;
	event->topic = copy_text(command ? command->topic : packet->topic);
	if (event_set_data(event, text, strlen(text)) < 0)
		abort();
	event->retained = packet->retained;
	event->duplicate = packet->duplicate;
	if (command && command->correlated) {
		event->response_topic = copy_text(REPLY_TOPIC);
		event->correlation_size =
			(size_t)snprintf(number, sizeof(number), "%d", command->number);
		event->correlation = (uint8_t *)copy_text(number);
	}
	event->completion = &broker->completion;
	return event;
}

/* Only a few ids, so that they are soon reused; a redelivery keeps its id. */
static int packet_id(struct broker *broker)
{
	const struct packet *packet;

	do {
		broker->last_id = broker->last_id % PACKET_IDS + 1;
		LL_FOREACH(broker->state.queue, packet)
			if (packet->id == broker->last_id)
				break;
	} while (packet);
	return broker->last_id;
}

/* One at a time: Paho delivers the next message when its callback has returned. */
const struct packet *broker_deliver(struct broker *broker, bool *again)
{
	struct packet *packet;

	if (!broker->connected || broker->waiting)
		return NULL;
	LL_FOREACH(broker->state.queue, packet)
		if (!packet->released)
			break;
	if (!packet)
		return NULL;
	if (!packet->id && !packet->at_most_once)
		packet->id = packet_id(broker);
	packet_event(broker, packet);
	*again = packet->duplicate;
	packet->duplicate = true;
	broker->waiting = true;
	broker->outstanding = packet;
	return packet;
}

bool broker_release(struct broker *broker, const struct completion *completion)
{
	struct packet *packet = broker->outstanding;

	if (completion != &broker->completion)
		return false;
	broker->waiting = false;
	broker->outstanding = NULL;
	/* The connection of that message may have ended by now. */
	if (!packet)
		return true;
	if (packet->at_most_once) {
		LL_DELETE(broker->state.queue, packet);
		packet_free(packet);
		return true;
	}
	packet->released = true;
	sent_packet_add(broker, SENT_PUBACK);
	return true;
}

/* ---- queries ---- */

const struct retained *broker_retained(const struct broker *broker, const char *topic)
{
	struct retained *retained;

	HASH_FIND_STR(broker->state.retained, topic, retained);
	return retained;
}

bool broker_is_idle(const struct broker *broker)
{
	return !broker->sent && !broker->ack_count && !broker->waiting &&
	       !broker->state.queue;
}
