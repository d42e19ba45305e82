/* Sends and receives over the client of a connection, as long as it lasts. */
#include "mqtt/connection_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"

#define WINDOW_MAX 16 /* Paho pauses for a second when it reaches the broker's limit */
/* Limits of what is in Paho: QoS 0 messages, and bytes in all.  Paho leaks what it has
 * not written yet when a handle is destroyed, so little may wait there on a stalled
 * socket. */
#define UNWRITTEN_MAX 4
#define IN_FLIGHT_MAX (64 * 1024)
#define CONNECT_MS 30000   /* Paho's own timeout is 10 s, checked every 3 s */
#define DISCONNECT_MS 1000 /* for DISCONNECT to be written */

void connection_wait_until(struct connection *c, int64_t when_ms)
{
	struct timespec t = {
		.tv_sec = (time_t)(when_ms / 1000),
		.tv_nsec = (long)(when_ms % 1000) * 1000000,
	};

	pthread_cond_timedwait(&c->changed, &c->lock, &t);
}

void connection_note_why(struct connection *c, const char *why)
{
	if (!c->why[0])
		snprintf(c->why, sizeof(c->why), "%s", why);
}

void connection_lose(struct connection *c, const char *why)
{
	connection_note_why(c, why);
	c->lost = true;
	pthread_cond_broadcast(&c->changed);
}

/* Counts item as handed to Paho.  Call with the lock held. */
static void count_in(struct connection *c, const struct send_item *item)
{
	c->in_flight_bytes += send_item_size(item);
	if (!send_item_acknowledged(item))
		c->unwritten++;
	else if (c->unacknowledged++ == 0)
		c->due_ms = clock_monotonic_ms();
}

/* Call with the lock held. */
static void count_out(struct connection *c, const struct send_item *item)
{
	c->in_flight_bytes -= send_item_size(item);
	if (send_item_acknowledged(item))
		c->unacknowledged--;
	else
		c->unwritten--;
}

/* May item be handed to Paho now?  Call with the lock held. */
static bool has_room(const struct connection *c, const struct send_item *item)
{
	if (c->in_flight_bytes &&
	    c->in_flight_bytes + send_item_size(item) > IN_FLIGHT_MAX)
		return false;
	if (send_item_acknowledged(item))
		return c->unacknowledged < c->window;
	return c->unwritten < UNWRITTEN_MAX;
}

/* ---- Callbacks of the client, on Paho's threads ---- */

static void client_up(void *context, const struct paho_connack *connack)
{
	struct connection *c = context;
	unsigned window;
	uint32_t epoch;
	bool muted;

	pthread_mutex_lock(&c->lock);
	muted = c->abandoned;
	epoch = ++c->epoch;
	window = connack->receive_max < WINDOW_MAX ? connack->receive_max : WINDOW_MAX;
	c->window = window;
	c->packet_max = connack->packet_max;
	if (connack->keep_alive_s > 0)
		c->keep_alive_ms = connack->keep_alive_s * INT64_C(1000);
	c->up_ms = c->received_ms = clock_monotonic_ms();
	c->up = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);

	log_info("connected to %s:%u with MQTT %s%s", c->options.url.host,
		 c->options.url.port, connack->mqtt_version == MQTT_5 ? "5" : "3.1.1",
		 connack->session_present ? ", the broker kept our session" : "");
	if (!muted)
		c->callbacks.up(c->callbacks.context, epoch, connack->session_present,
				window, connack->mqtt_version);
}

static void client_lost(void *context, enum paho_client_loss loss, const char *why)
{
	struct connection *c = context;

	pthread_mutex_lock(&c->lock);
	if (!c->why[0])
		c->loss = loss;
	connection_lose(c, why);
	pthread_mutex_unlock(&c->lock);
}

static void client_message(void *context, const struct incoming *message)
{
	struct connection *c = context;
	uint32_t epoch;

	pthread_mutex_lock(&c->lock);
	/* Nobody can take the message any more, and returning would acknowledge it.  So
	 * this thread waits for the end of the process, and the broker delivers again. */
	while (c->abandoned)
		pthread_cond_wait(&c->changed, &c->lock);
	epoch = c->epoch;
	c->received_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&c->lock);

	c->callbacks.message(c->callbacks.context, epoch, message);

	/* The callback may have taken long, and no other packet could be read then. */
	pthread_mutex_lock(&c->lock);
	c->received_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&c->lock);
}

static void report(struct connection *c, const struct send_item *item, bool ok)
{
	if (item->kind == SEND_PUBLISH && item->token)
		c->callbacks.sent(c->callbacks.context, item->epoch, item->token, ok);
	else if (item->kind == SEND_SUBSCRIBE || item->kind == SEND_UNSUBSCRIBE)
		c->callbacks.subscribed(c->callbacks.context, item->epoch, item->token,
					ok);
}

static void client_done(void *context, void *tag, enum paho_result result)
{
	struct connection *c = context;
	struct send_item *item = tag;
	bool muted;

	pthread_mutex_lock(&c->lock);
	count_out(c, item);
	if (send_item_acknowledged(item) && result != PAHO_ABORTED)
		c->received_ms = clock_monotonic_ms();
	muted = c->abandoned || result == PAHO_ABORTED;
	/* Wakes the sender only if it has something to do, not for every PUBACK. */
	if (c->queue.first || c->closing)
		pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);

	if (!muted)
		report(c, item, result == PAHO_DONE);
	free(item);
}

static void client_disconnected(void *context)
{
	struct connection *c = context;

	pthread_mutex_lock(&c->lock);
	c->disconnected = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

const struct paho_client_callbacks connection_client_callbacks = {
	.up = client_up,
	.lost = client_lost,
	.message = client_message,
	.done = client_done,
	.disconnected = client_disconnected,
};

/* ---- The sender ---- */

/* Hands item to Paho, or reports that it cannot be sent. */
static void hand_over(struct connection *c, struct send_item *item, uint32_t packet_max)
{
	struct err err = {0};
	int ret;

	if (item->kind == SEND_SUBSCRIBE)
		ret = paho_client_subscribe(c->client, item->filters, item->n, item,
					    &err);
	else if (item->kind != SEND_PUBLISH)
		ret = paho_client_unsubscribe(c->client, item->topics, item->n, item,
					      &err);
	else if (send_item_size(item) > packet_max)
		ret = err_set(&err, -EINVAL, "the broker takes at most %u bytes",
			      packet_max);
	else
		ret = paho_client_send(c->client, &item->message, item, &err);
	if (!ret)
		return;

	pthread_mutex_lock(&c->lock);
	count_out(c, item);
	if (ret != -EINVAL)
		connection_lose(c, err.text);
	pthread_mutex_unlock(&c->lock);
	if (ret == -EINVAL) {
		log_warn("%s: nothing was sent: %s", send_item_topic(item), err.text);
		report(c, item, false);
	}
	free(item);
}

/* Takes the first item if there is room for it in Paho, else NULL.  Call with the lock
 * held. */
static struct send_item *take(struct connection *c)
{
	struct send_item *item = c->queue.first;

	if (!item || !has_room(c, item))
		return NULL;
	send_queue_pop(&c->queue);
	count_in(c, item);
	return item;
}

static void send_one(struct connection *c, struct send_item *item)
{
	uint32_t packet_max = c->packet_max;

	pthread_mutex_unlock(&c->lock);
	hand_over(c, item, packet_max);
	pthread_mutex_lock(&c->lock);
}

/* Needed because Paho does not always notice that its PINGREQ is not answered. */
static void send_probe(struct connection *c)
{
	struct send_item *item = send_item_probe(c->probe_topic);

	if (!item) {
		connection_lose(c, "out of memory");
		return;
	}
	count_in(c, item);
	send_one(c, item);
}

/* When the sender must act even if nothing changes.  Call with the lock held. */
static int64_t next_deadline(const struct connection *c, int64_t began_ms)
{
	int64_t when;

	if (!c->up)
		when = began_ms + CONNECT_MS;
	else if (c->unacknowledged)
		when = later(c->received_ms, c->due_ms) + 2 * c->keep_alive_ms;
	else
		when = c->received_ms + c->keep_alive_ms;
	return c->closing ? sooner(when, c->close_by_ms) : when;
}

/* Sends DISCONNECT and waits until it is written.  Call with the lock held. */
static void disconnect(struct connection *c, const char *why, bool with_will)
{
	int64_t until = clock_monotonic_ms() + DISCONNECT_MS;
	int ret;

	connection_note_why(c, why);
	pthread_mutex_unlock(&c->lock);
	ret = paho_client_disconnect(c->client, with_will);
	pthread_mutex_lock(&c->lock);
	if (ret < 0)
		return;
	if (c->closing)
		until = sooner(until, c->close_by_ms);
	while (!c->disconnected && !c->lost && clock_monotonic_ms() < until)
		connection_wait_until(c, until);
}

/* Is a closing connection done, or out of time?  Call with the lock held. */
static bool drained(const struct connection *c, int64_t now)
{
	return !c->up || now >= c->close_by_ms ||
	       (!c->queue.first && !c->unacknowledged && !c->unwritten);
}

void connection_serve(struct connection *c)
{
	int64_t began = clock_monotonic_ms();

	while (!c->lost) {
		int64_t now = clock_monotonic_ms();
		struct send_item *item;

		if (c->closing && drained(c, now)) {
			disconnect(c, "closed", false);
			return;
		}
		/* A restart sends what is queued first, as far as the window allows. */
		item = c->up ? take(c) : NULL;
		if (c->restart && !item) {
			disconnect(c, "restarted", true);
			return;
		}
		if (item) {
			send_one(c, item);
		} else if (now < next_deadline(c, began)) {
			connection_wait_until(c, next_deadline(c, began));
		} else if (c->up && !c->unacknowledged) {
			send_probe(c);
		} else {
			disconnect(c, c->up ? "the broker is silent" : "no answer", true);
			return;
		}
	}
}
