#include "tests/bench/bench_client.h"

#include <errno.h>
#include <stdlib.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include "tests/support/deadline.h"

struct post {
	struct mosquitto *mosq;
	post_function function;
	void *context;
	const char *const *filters;
	bool ready;
	size_t acknowledged;
};

static void on_connect(struct mosquitto *mosq, void *context, int code)
{
	struct post *post = context;
	int count = 0;

	if (code != 0)
		return;
	while (post->filters && post->filters[count])
		count++;
	if (count)
		mosquitto_subscribe_multiple(mosq, NULL, count,
					     (char *const *)post->filters, 1, 0, NULL);
	else
		post->ready = true;
}

static void on_subscribe(struct mosquitto *mosq, void *context, int mid, int count,
			 const int *granted)
{
	struct post *post = context;

	(void)mosq;
	(void)mid;
	(void)count;
	(void)granted;
	post->ready = true;
}

static void on_message(struct mosquitto *mosq, void *context,
		       const struct mosquitto_message *message)
{
	struct post *post = context;

	(void)mosq;
	post->function(post->context, message->topic,
		       message->payload ? message->payload : "",
		       (size_t)message->payloadlen);
}

static void on_publish(struct mosquitto *mosq, void *context, int mid)
{
	struct post *post = context;

	(void)mosq;
	(void)mid;
	post->acknowledged++;
}

int post_open(struct post **out, int port, const char *const *filters,
	      post_function function, void *context)
{
	struct post *post = calloc(1, sizeof(*post));

	if (!post)
		return -ENOMEM;
	mosquitto_lib_init();
	post->function = function;
	post->context = context;
	post->filters = filters;
	post->mosq = mosquitto_new(NULL, true, post);
	if (!post->mosq)
		goto fail;
	mosquitto_int_option(post->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_int_option(post->mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_callback_set(post->mosq, on_connect);
	mosquitto_subscribe_callback_set(post->mosq, on_subscribe);
	mosquitto_message_callback_set(post->mosq, on_message);
	mosquitto_publish_callback_set(post->mosq, on_publish);
	if (mosquitto_connect(post->mosq, "127.0.0.1", port, 60) != MOSQ_ERR_SUCCESS ||
	    !post_until(post, &post->ready, SOON_MS))
		goto fail;
	*out = post;
	return 0;
fail:
	post_close(post);
	return -ECONNREFUSED;
}

void post_close(struct post *post)
{
	if (!post)
		return;
	if (post->mosq)
		mosquitto_disconnect(post->mosq);
	mosquitto_destroy(post->mosq);
	mosquitto_lib_cleanup();
	free(post);
}

void post_send(struct post *post, const char *topic, const char *payload, bool retain)
{
	size_t size = 0;

	while (payload[size])
		size++;
	mosquitto_publish(post->mosq, NULL, topic, (int)size, payload, 1, retain);
}

size_t post_acknowledged(const struct post *post)
{
	return post->acknowledged;
}

void post_turn(struct post *post, int timeout_ms)
{
	mosquitto_loop(post->mosq, timeout_ms, 1);
}

bool post_until(struct post *post, const bool *done, int timeout_ms)
{
	int64_t until = deadline_now() + deadline_patient(timeout_ms);

	while (!*done && deadline_now() < until)
		post_turn(post, 100);
	return *done;
}
