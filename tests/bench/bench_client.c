/* An MQTT client on libmosquitto's own loop. */
#include "tests/bench/bench_client.h"

#include <errno.h>
#include <stdlib.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include "tests/support/deadline.h"

struct bench_client {
	struct mosquitto *mosq;
	bench_client_on_message function;
	void *context;
	const char *const *filters;
	bool ready;
	size_t acknowledged;
};

static void on_connect(struct mosquitto *mosq, void *context, int code)
{
	struct bench_client *client = context;
	int count = 0;

	if (code != 0)
		return;
	while (client->filters && client->filters[count])
		count++;
	if (count)
		mosquitto_subscribe_multiple(mosq, NULL, count,
					     (char *const *)client->filters, 1, 0, NULL);
	else
		client->ready = true;
}

static void on_subscribe(struct mosquitto *mosq, void *context, int mid, int count,
			 const int *granted)
{
	struct bench_client *client = context;

	(void)mosq;
	(void)mid;
	(void)count;
	(void)granted;
	client->ready = true;
}

static void on_message(struct mosquitto *mosq, void *context,
		       const struct mosquitto_message *message)
{
	struct bench_client *client = context;

	(void)mosq;
	client->function(client->context, message->topic,
			 message->payload ? message->payload : "",
			 (size_t)message->payloadlen);
}

static void on_publish(struct mosquitto *mosq, void *context, int mid)
{
	struct bench_client *client = context;

	(void)mosq;
	(void)mid;
	client->acknowledged++;
}

int bench_client_open(struct bench_client **out, int port, const char *const *filters,
		      bench_client_on_message function, void *context)
{
	struct bench_client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	mosquitto_lib_init();
	client->function = function;
	client->context = context;
	client->filters = filters;
	client->mosq = mosquitto_new(NULL, true, client);
	if (!client->mosq)
		goto fail;
	mosquitto_int_option(client->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_int_option(client->mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_callback_set(client->mosq, on_connect);
	mosquitto_subscribe_callback_set(client->mosq, on_subscribe);
	mosquitto_message_callback_set(client->mosq, on_message);
	mosquitto_publish_callback_set(client->mosq, on_publish);
	if (mosquitto_connect(client->mosq, "127.0.0.1", port, 60) != MOSQ_ERR_SUCCESS ||
	    !bench_client_until(client, &client->ready, SOON_MS))
		goto fail;
	*out = client;
	return 0;
fail:
	bench_client_close(client);
	return -ECONNREFUSED;
}

void bench_client_close(struct bench_client *client)
{
	if (!client)
		return;
	if (client->mosq)
		mosquitto_disconnect(client->mosq);
	mosquitto_destroy(client->mosq);
	mosquitto_lib_cleanup();
	free(client);
}

void bench_client_send(struct bench_client *client, const char *topic,
		       const char *payload, bool retain)
{
	size_t size = 0;

	while (payload[size])
		size++;
	mosquitto_publish(client->mosq, NULL, topic, (int)size, payload, 1, retain);
}

size_t bench_client_acknowledged(const struct bench_client *client)
{
	return client->acknowledged;
}

void bench_client_turn(struct bench_client *client, int timeout_ms)
{
	mosquitto_loop(client->mosq, timeout_ms, 1);
}

bool bench_client_until(struct bench_client *client, const bool *done, int timeout_ms)
{
	int64_t until = deadline_now() + deadline_patient(timeout_ms);

	while (!*done && deadline_now() < until)
		bench_client_turn(client, 100);
	return *done;
}
