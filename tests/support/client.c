/* An MQTT client on libmosquitto, with a list of all messages. */
#include "tests/support/client.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include "tests/support/deadline.h"

struct client {
	struct mosquitto *mosq;
	pthread_t thread;
	bool running;
	atomic_bool closing;
	const char *const *filters;

	pthread_mutex_t lock; /* protects everything below */
	pthread_cond_t changed;
	struct message **messages;
	size_t count, room;
	int subscribe_mid;
	size_t subscriptions; /* how often the filters were granted */
	int *acknowledged;    /* acknowledged message ids, in order */
	size_t acks, acks_room;
};

static void message_free(struct message *message)
{
	if (!message)
		return;
	free(message->topic);
	free(message->payload);
	free(message->response_topic);
	free(message->correlation);
	free(message);
}

static char *copy_bytes(const void *bytes, size_t size)
{
	char *copy = malloc(size + 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, bytes, size);
	copy[size] = '\0';
	return copy;
}

static void *grown(void *array, size_t count, size_t *room, size_t each)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 64;
	array = realloc(array, *room * each);
	if (!array)
		abort();
	return array;
}

static struct message *message_of(const struct mosquitto_message *from,
				  const mosquitto_property *properties)
{
	struct message *message = calloc(1, sizeof(*message));
	void *correlation = NULL;
	uint16_t size = 0;

	if (!message)
		abort();
	message->topic = copy_bytes(from->topic, strlen(from->topic));
	message->size = (size_t)from->payloadlen;
	message->payload = copy_bytes(from->payload, message->size);
	message->qos = from->qos;
	message->retain = from->retain;
	message->at_ms = deadline_now();
	mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC,
				       &message->response_topic, false);
	mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA,
				       &correlation, &size, false);
	if (correlation) {
		message->correlation = copy_bytes(correlation, size);
		message->correlation_size = size;
		free(correlation);
	}
	return message;
}

static void on_message(struct mosquitto *mosq, void *context,
		       const struct mosquitto_message *from,
		       const mosquitto_property *properties)
{
	struct client *client = context;
	struct message *message = message_of(from, properties);

	(void)mosq;
	pthread_mutex_lock(&client->lock);
	client->messages = grown(client->messages, client->count, &client->room,
				 sizeof(*client->messages));
	client->messages[client->count++] = message;
	pthread_cond_broadcast(&client->changed);
	pthread_mutex_unlock(&client->lock);
}

static void on_connect(struct mosquitto *mosq, void *context, int code, int flags,
		       const mosquitto_property *properties)
{
	struct client *client = context;
	int count = 0, mid = 0;

	(void)flags;
	(void)properties;
	if (code != 0)
		return;
	while (client->filters[count])
		count++;
	mosquitto_subscribe_multiple(
		mosq, &mid, count, (char *const *)client->filters, 1,
		MQTT_SUB_OPT_NO_LOCAL | MQTT_SUB_OPT_RETAIN_AS_PUBLISHED, NULL);
	pthread_mutex_lock(&client->lock);
	client->subscribe_mid = mid;
	pthread_mutex_unlock(&client->lock);
}

static void on_subscribe(struct mosquitto *mosq, void *context, int mid, int count,
			 const int *granted, const mosquitto_property *properties)
{
	struct client *client = context;

	(void)mosq;
	(void)count;
	(void)granted;
	(void)properties;
	pthread_mutex_lock(&client->lock);
	client->subscriptions += mid == client->subscribe_mid;
	pthread_cond_broadcast(&client->changed);
	pthread_mutex_unlock(&client->lock);
}

static void on_publish(struct mosquitto *mosq, void *context, int mid, int code,
		       const mosquitto_property *properties)
{
	struct client *client = context;

	(void)mosq;
	(void)code;
	(void)properties;
	pthread_mutex_lock(&client->lock);
	client->acknowledged = grown(client->acknowledged, client->acks,
				     &client->acks_room, sizeof(*client->acknowledged));
	client->acknowledged[client->acks++] = mid;
	pthread_cond_broadcast(&client->changed);
	pthread_mutex_unlock(&client->lock);
}

/* The network thread; libmosquitto's own would wait a full second before it
 * reconnects. */
static void *serve(void *context)
{
	struct client *client = context;
	int ret;

	while (!atomic_load(&client->closing)) {
		ret = mosquitto_loop(client->mosq, 50, 1);
		if (ret == MOSQ_ERR_SUCCESS || atomic_load(&client->closing))
			continue;
		deadline_let_pass(20);
		mosquitto_reconnect(client->mosq);
	}
	return NULL;
}

/* Waits for a change until until_ms (deadline_now()); false when that time is over.  The
 * lock is held. */
static bool wait_change(struct client *client, int64_t until_ms)
{
	struct timespec ts = {
		.tv_sec = until_ms / 1000,
		.tv_nsec = until_ms % 1000 * 1000000,
	};

	return pthread_cond_timedwait(&client->changed, &client->lock, &ts) != ETIMEDOUT;
}

int client_wait_subscribed(struct client *client, size_t before)
{
	int64_t until = deadline_now() + deadline_patient(SOON_MS);
	bool yes;

	pthread_mutex_lock(&client->lock);
	while (client->subscriptions <= before && wait_change(client, until))
		;
	yes = client->subscriptions > before;
	pthread_mutex_unlock(&client->lock);
	return yes ? 0 : -ETIMEDOUT;
}

size_t client_subscriptions(struct client *client)
{
	size_t count;

	pthread_mutex_lock(&client->lock);
	count = client->subscriptions;
	pthread_mutex_unlock(&client->lock);
	return count;
}

static void init_lock(struct client *client)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&client->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&client->lock, NULL);
}

static int init_mosquitto(struct client *client)
{
	mosquitto_lib_init();
	client->mosq = mosquitto_new(NULL, true, client);
	if (!client->mosq)
		return -ENOMEM;
	mosquitto_int_option(client->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_int_option(client->mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_threaded_set(client->mosq, true);
	mosquitto_max_inflight_messages_set(client->mosq, 0);
	mosquitto_connect_v5_callback_set(client->mosq, on_connect);
	mosquitto_subscribe_v5_callback_set(client->mosq, on_subscribe);
	mosquitto_message_v5_callback_set(client->mosq, on_message);
	mosquitto_publish_v5_callback_set(client->mosq, on_publish);
	return 0;
}

int client_open(struct client **out, const struct client_options *options)
{
	struct client *client = calloc(1, sizeof(*client));
	int ret;

	if (!client)
		return -ENOMEM;
	init_lock(client);
	client->filters = options->filters;
	ret = init_mosquitto(client);
	if (ret < 0)
		goto fail;
	if (mosquitto_connect(client->mosq, "127.0.0.1", options->port, 60) != 0) {
		ret = -ECONNREFUSED;
		goto fail;
	}
	ret = -pthread_create(&client->thread, NULL, serve, client);
	if (ret < 0)
		goto fail;
	client->running = true;
	ret = client_wait_subscribed(client, 0);
	if (ret < 0)
		goto fail;
	*out = client;
	return 0;
fail:
	client_close(client);
	return ret;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	atomic_store(&client->closing, true);
	if (client->mosq)
		mosquitto_disconnect(client->mosq);
	if (client->running)
		pthread_join(client->thread, NULL);
	mosquitto_destroy(client->mosq);
	mosquitto_lib_cleanup();
	for (size_t i = 0; i < client->count; i++)
		message_free(client->messages[i]);
	free(client->messages);
	free(client->acknowledged);
	pthread_cond_destroy(&client->changed);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

size_t client_mark(struct client *client)
{
	size_t count;

	pthread_mutex_lock(&client->lock);
	count = client->count;
	pthread_mutex_unlock(&client->lock);
	return count;
}

const struct message *client_at(struct client *client, size_t i)
{
	const struct message *message;

	pthread_mutex_lock(&client->lock);
	message = i < client->count ? client->messages[i] : NULL;
	pthread_mutex_unlock(&client->lock);
	return message;
}

static bool matches(const struct message *message, const char *filter)
{
	bool yes = false;

	mosquitto_topic_matches_sub(filter, message->topic, &yes);
	return yes;
}

const struct message *client_wait(struct client *client, size_t from, const char *filter,
				  message_test test, const void *context,
				  int64_t timeout_ms, size_t *number)
{
	int64_t until = deadline_now() + timeout_ms;
	const struct message *message, *found = NULL;

	for (size_t i = from; !found; i++) {
		pthread_mutex_lock(&client->lock);
		while (i >= client->count && wait_change(client, until))
			;
		message = i < client->count ? client->messages[i] : NULL;
		pthread_mutex_unlock(&client->lock);
		if (!message)
			return NULL;
		if (matches(message, filter) && (!test || test(message, context))) {
			found = message;
			if (number)
				*number = i;
		}
	}
	return found;
}

const struct message *client_last(struct client *client, const char *topic)
{
	const struct message *found = NULL;

	pthread_mutex_lock(&client->lock);
	for (size_t i = client->count; i > 0 && !found; i--)
		if (strcmp(client->messages[i - 1]->topic, topic) == 0)
			found = client->messages[i - 1];
	pthread_mutex_unlock(&client->lock);
	return found;
}

size_t client_count(struct client *client, size_t from, const char *filter)
{
	size_t found = 0;

	pthread_mutex_lock(&client->lock);
	for (size_t i = from; i < client->count; i++)
		if (matches(client->messages[i], filter))
			found++;
	pthread_mutex_unlock(&client->lock);
	return found;
}

static bool was_acknowledged(const struct client *client, size_t from, int mid)
{
	for (size_t i = from; i < client->acks; i++)
		if (client->acknowledged[i] == mid)
			return true;
	return false;
}

static int wait_acknowledged(struct client *client, size_t from, int mid)
{
	int64_t until = deadline_now() + deadline_patient(SOON_MS);
	bool yes;

	pthread_mutex_lock(&client->lock);
	while (!was_acknowledged(client, from, mid) && wait_change(client, until))
		;
	yes = was_acknowledged(client, from, mid);
	pthread_mutex_unlock(&client->lock);
	return yes ? 0 : -ETIMEDOUT;
}

int client_publish(struct client *client, const char *topic, const void *payload,
		   size_t size, const struct publish *options)
{
	static const struct publish plain = {.qos = 1};
	const struct publish *o = options ? options : &plain;
	mosquitto_property *properties = NULL;
	int mid = 0, ret;
	size_t acks;

	if (o->response_topic)
		mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC,
					      o->response_topic);
	if (o->correlation)
		mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA,
					      o->correlation,
					      (uint16_t)strlen(o->correlation));
	pthread_mutex_lock(&client->lock);
	acks = client->acks;
	pthread_mutex_unlock(&client->lock);
	ret = mosquitto_publish_v5(client->mosq, &mid, topic, (int)size, payload, o->qos,
				   o->retain, properties);
	mosquitto_property_free_all(&properties);
	if (ret != MOSQ_ERR_SUCCESS && ret != MOSQ_ERR_NO_CONN)
		return -EIO;
	if (o->qos == 0 || o->no_wait)
		return 0;
	return wait_acknowledged(client, acks, mid);
}
