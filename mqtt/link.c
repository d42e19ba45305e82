#include "mqtt/link.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <MQTTAsync.h>

#include "agent/base/log.h"

#define CONNECT_TIMEOUT_S 10
#define WILL_DELAY_S 5		 /* a short gap in the radio is no reason to say "lost" */
#define INCOMING_MAX 8		 /* unacknowledged messages that the broker may send us */
#define PACKET_MAX (256u * 1024) /* bytes of one packet to us */
#define RECEIVE_MAX_DEFAULT 65535u /* MQTT 5, section 3.2.2.3.3 */

/* The longest text that Paho wants to hear of as its server. */
#define SERVER_MAX (sizeof("mqtt://[]:65535") + sizeof(((struct url *)0)->host))

struct link {
	MQTTAsync handle;
	struct link_events events;
	int keep_alive_s;
	pthread_mutex_t lock;
	struct request *requests; /* lock */
};

/* What Paho still owes an answer to; the context of its callbacks. */
struct request {
	struct link *link;
	void *tag;
	const char *what;
	struct request *next, *previous;
};

static int paho_error(struct err *err, int code)
{
	switch (code) {
	case MQTTASYNC_BAD_UTF8_STRING:
		return err_set(err, -EINVAL, "the topic is not valid UTF-8");
	case MQTTASYNC_DISCONNECTED:
		return err_set(err, -ENOTCONN, "the connection has ended");
	default:
		return err_set(err, -EIO, "Paho: %s", MQTTAsync_strerror(code));
	}
}

static const char *reason_text(int code)
{
	const char *text = MQTTReasonCode_toString((enum MQTTReasonCodes)code);

	return text ? text : "unknown reason code";
}

static struct request *request_new(struct link *link, void *tag, const char *what)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->link = link;
	request->tag = tag;
	request->what = what;
	pthread_mutex_lock(&link->lock);
	request->next = link->requests;
	if (request->next)
		request->next->previous = request;
	link->requests = request;
	pthread_mutex_unlock(&link->lock);
	return request;
}

static void request_free(struct request *request)
{
	struct link *link = request->link;

	pthread_mutex_lock(&link->lock);
	if (request->next)
		request->next->previous = request->previous;
	if (request->previous)
		request->previous->next = request->next;
	else
		link->requests = request->next;
	pthread_mutex_unlock(&link->lock);
	free(request);
}

static void request_end(struct request *request, enum link_result result)
{
	struct link *link = request->link;
	void *tag = request->tag;

	request_free(request);
	link->events.done(link->events.context, tag, result);
}

/* Are the answers to n filters all below 0x80?  Paho gives a list only for two and more.
 */
static bool all_granted(const enum MQTTReasonCodes *codes, int n, int only)
{
	if (n < 2)
		return only < MQTTREASONCODE_UNSPECIFIED_ERROR;
	for (int i = 0; codes && i < n; i++)
		if (codes[i] >= MQTTREASONCODE_UNSPECIFIED_ERROR)
			return false;
	return codes != NULL;
}

static void on_sent(void *context, MQTTAsync_successData5 *data)
{
	(void)data;
	request_end(context, LINK_DONE);
}

static void on_subscribed(void *context, MQTTAsync_successData5 *data)
{
	bool ok = all_granted(data->alt.sub.reasonCodes, data->alt.sub.reasonCodeCount,
			      (int)data->reasonCode);

	request_end(context, ok ? LINK_DONE : LINK_REFUSED);
}

static void on_unsubscribed(void *context, MQTTAsync_successData5 *data)
{
	bool ok = all_granted(data->alt.unsub.reasonCodes,
			      data->alt.unsub.reasonCodeCount, (int)data->reasonCode);

	request_end(context, ok ? LINK_DONE : LINK_REFUSED);
}

/* A code other than 0 comes from Paho itself, and its reasonCode is then not always set.
 */
static void on_failed(void *context, MQTTAsync_failureData5 *data)
{
	struct request *request = context;

	if (data->code) {
		request_end(request, LINK_BROKEN);
		return;
	}
	log_debug("the broker refused a %s: %s", request->what,
		  reason_text((int)data->reasonCode));
	request_end(request, LINK_REFUSED);
}

static void on_up(void *context, MQTTAsync_successData5 *data)
{
	struct link *link = context;
	struct link_terms terms = {
		.session_present = data->alt.connect.sessionPresent != 0,
		.mqtt_version = MQTTVERSION_5,
		.receive_max = RECEIVE_MAX_DEFAULT,
		.packet_max = UINT32_MAX,
		.keep_alive_s = link->keep_alive_s,
	};

	for (int i = 0; i < data->properties.count; i++) {
		const MQTTProperty *property = &data->properties.array[i];

		if (property->identifier == MQTTPROPERTY_CODE_RECEIVE_MAXIMUM)
			terms.receive_max = property->value.integer2;
		else if (property->identifier == MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE)
			terms.packet_max = property->value.integer4;
		else if (property->identifier == MQTTPROPERTY_CODE_SERVER_KEEP_ALIVE)
			terms.keep_alive_s = property->value.integer2;
	}
	link->events.up(link->events.context, &terms);
}

static void on_not_up(void *context, MQTTAsync_failureData5 *data)
{
	struct link *link = context;
	char why[256];

	if (data->code > 0)
		snprintf(why, sizeof(why), "the broker refuses: %s",
			 reason_text(data->code));
	else if (data->message && strstr(data->message, "timeout"))
		snprintf(why, sizeof(why), "no answer within %d s", CONNECT_TIMEOUT_S);
	else if (data->message && strstr(data->message, "completion"))
		snprintf(why, sizeof(why), "the broker hung up instead of answering");
	else
		snprintf(why, sizeof(why), "nobody listens there");
	link->events.lost(link->events.context, why);
}

static void on_lost(void *context, char *cause)
{
	struct link *link = context;

	link->events.lost(link->events.context, cause ? cause : "the connection broke");
}

/* After this one Paho does not call on_lost(). */
static void on_broker_disconnect(void *context, MQTTProperties *properties,
				 enum MQTTReasonCodes reason)
{
	struct link *link = context;
	char why[256];

	(void)properties;
	snprintf(why, sizeof(why), "the broker disconnects: %s",
		 reason_text((int)reason));
	link->events.lost(link->events.context, why);
}

static const MQTTLenString *message_property(MQTTProperties *properties,
					     enum MQTTPropertyCodes code)
{
	MQTTProperty *property = MQTTProperties_getProperty(properties, code);

	return property ? &property->value.data : NULL;
}

/* A copy that ends in NUL; NULL when there is none, or one with a NUL inside. */
static char *text_of(const char *bytes, size_t length)
{
	if (memchr(bytes, '\0', length))
		return NULL;
	return strndup(bytes, length);
}

static void deliver(struct link *link, const char *topic, MQTTAsync_message *message)
{
	const MQTTLenString *response =
		message_property(&message->properties, MQTTPROPERTY_CODE_RESPONSE_TOPIC);
	const MQTTLenString *correlation = message_property(
		&message->properties, MQTTPROPERTY_CODE_CORRELATION_DATA);
	char *response_topic =
		response ? text_of(response->data, (size_t)response->len) : NULL;
	struct incoming incoming = {
		.topic = topic,
		.payload = message->payload,
		.size = (size_t)message->payloadlen,
		.qos = message->qos,
		.retained = message->retained != 0,
		.duplicate = message->dup != 0,
		.packet_id = message->msgid,
		.response_topic = response_topic,
		.correlation = correlation ? correlation->data : NULL,
		.correlation_size = correlation ? (size_t)correlation->len : 0,
	};

	link->events.message(link->events.context, &incoming);
	free(response_topic);
}

/* Always returns 1: 0 would not keep Paho from sending the PUBACK. */
static int on_message(void *context, char *topic, int length, MQTTAsync_message *message)
{
	size_t size = length > 0 ? (size_t)length : strlen(topic);
	char *text = text_of(topic, size);

	if (text)
		deliver(context, text, message);
	else
		log_warn("a message was dropped: its topic of %zu bytes has a NUL inside",
			 size);
	free(text);
	MQTTAsync_freeMessage(&message);
	MQTTAsync_free(topic);
	return 1;
}

static void on_disconnected(void *context, MQTTAsync_successData5 *data)
{
	struct link *link = context;

	(void)data;
	link->events.disconnected(link->events.context);
}

static int add_number(MQTTProperties *properties, enum MQTTPropertyCodes code,
		      unsigned value, struct err *err)
{
	MQTTProperty property = {.identifier = code};

	if (code == MQTTPROPERTY_CODE_RECEIVE_MAXIMUM)
		property.value.integer2 = (unsigned short)value;
	else
		property.value.integer4 = value;
	if (MQTTProperties_add(properties, &property))
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

static int add_bytes(MQTTProperties *properties, enum MQTTPropertyCodes code,
		     const void *bytes, size_t size, struct err *err)
{
	MQTTProperty property = {.identifier = code};

	if (size > UINT16_MAX)
		return err_set(err, -EINVAL,
			       "the correlation data has more than 65535 bytes");
	/* Paho copies and does not write; its type has no const. */
	property.value.data.data = (char *)(uintptr_t)bytes;
	property.value.data.len = (int)size;
	if (MQTTProperties_add(properties, &property))
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

static int handle_new(MQTTAsync *handle, const char *server, const char *client_id,
		      struct err *err)
{
	MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer5;
	int code;

	/* Our own window is far below; Paho's must never be what refuses a message. */
	options.maxBufferedMessages = INT_MAX;
	code = MQTTAsync_createWithOptions(handle, server, client_id,
					   MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
	return code == MQTTASYNC_SUCCESS ? 0 : paho_error(err, code);
}

static int begin_connect(struct link *link, const struct link_options *o, struct err *err)
{
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
	MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
	MQTTProperties properties = MQTTProperties_initializer;
	MQTTProperties will_properties = MQTTProperties_initializer;
	int code;
	int ret;

	ret = add_number(&properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
			 (unsigned)o->session_expiry_s, err);
	if (!ret)
		ret = add_number(&properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM,
				 INCOMING_MAX, err);
	if (!ret)
		ret = add_number(&properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE,
				 PACKET_MAX, err);
	if (!ret)
		ret = add_number(&will_properties, MQTTPROPERTY_CODE_WILL_DELAY_INTERVAL,
				 WILL_DELAY_S, err);
	if (ret < 0)
		goto out;

	will.topicName = o->will_topic;
	will.message = o->will_text;
	will.qos = 1;
	will.retained = 1;
	options.will = &will;
	options.cleanstart = 0;
	options.keepAliveInterval = o->keep_alive_s;
	options.connectTimeout = CONNECT_TIMEOUT_S;
	options.username = o->url.has_user ? o->url.user : NULL;
	options.password = o->url.has_password ? o->url.password : NULL;
	options.connectProperties = &properties;
	options.willProperties = &will_properties;
	options.onSuccess5 = on_up;
	options.onFailure5 = on_not_up;
	options.context = link;
	code = MQTTAsync_connect(link->handle, &options);
	if (code != MQTTASYNC_SUCCESS)
		ret = paho_error(err, code);
out:
	MQTTProperties_free(&properties);
	MQTTProperties_free(&will_properties);
	return ret;
}

static void server_text(char text[SERVER_MAX], const struct url *url)
{
	bool bare = strchr(url->host, ':') != NULL;

	snprintf(text, SERVER_MAX, "mqtt://%s%s%s:%u", bare ? "[" : "", url->host,
		 bare ? "]" : "", url->port);
}

int link_open(struct link **out, const struct link_options *options,
	      const struct link_events *events, struct err *err)
{
	struct link *link;
	char server[SERVER_MAX];
	int ret;

	if (options->url.tls || options->url.websocket)
		return err_set(err, -ENOTSUP,
			       "only mqtt:// is supported here, not TLS or "
			       "WebSockets");
	link = calloc(1, sizeof(*link));
	if (!link)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&link->lock, NULL);
	link->events = *events;
	link->keep_alive_s = options->keep_alive_s;
	server_text(server, &options->url);
	ret = handle_new(&link->handle, server, options->client_id, err);
	if (ret < 0)
		goto fail;
	/* Before the connect: messages of a kept session come right behind the CONNACK.
	 */
	MQTTAsync_setCallbacks(link->handle, link, on_lost, on_message, NULL);
	MQTTAsync_setDisconnected(link->handle, link, on_broker_disconnect);
	ret = begin_connect(link, options, err);
	if (ret < 0)
		goto fail;

	*out = link;
	return 0;
fail:
	link_free(link);
	return ret;
}

int link_send(struct link *link, const struct outgoing *message, void *tag,
	      struct err *err)
{
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
	int ret = 0;
	int code;

	if (message->size > INT_MAX)
		return err_set(err, -EINVAL, "the message is too large");
	if (message->expiry_s > 0)
		ret = add_number(&options.properties,
				 MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL,
				 (unsigned)message->expiry_s, err);
	if (!ret && message->correlation)
		ret = add_bytes(&options.properties, MQTTPROPERTY_CODE_CORRELATION_DATA,
				message->correlation, message->correlation_size, err);
	if (ret < 0)
		goto out;

	options.onSuccess5 = on_sent;
	options.onFailure5 = on_failed;
	options.context = request_new(link, tag, "message");
	if (!options.context) {
		ret = err_set(err, -ENOMEM, "out of memory");
		goto out;
	}
	code = MQTTAsync_send(link->handle, message->topic, (int)message->size,
			      message->size ? message->payload : "", message->qos,
			      message->retain, &options);
	if (code != MQTTASYNC_SUCCESS) {
		request_free(options.context);
		ret = paho_error(err, code);
	}
out:
	MQTTProperties_free(&options.properties);
	return ret;
}

int link_subscribe(struct link *link, const struct filter *filters, size_t n, void *tag,
		   struct err *err)
{
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
	char **topics = calloc(n, sizeof(*topics));
	int *qos = calloc(n, sizeof(*qos));
	MQTTSubscribe_options *list = calloc(n, sizeof(*list));
	struct request *request = NULL;
	int ret = 0;
	int code;

	if (topics && qos && list)
		request = request_new(link, tag, "subscription");
	if (!request) {
		ret = err_set(err, -ENOMEM, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		MQTTSubscribe_options one = MQTTSubscribe_options_initializer;

		one.noLocal = filters[i].no_local;
		one.retainAsPublished = filters[i].retain_as_published;
		one.retainHandling = (unsigned char)filters[i].retain_handling;
		list[i] = one;
		topics[i] = (char *)(uintptr_t)filters[i].topic; /* only read */
		qos[i] = filters[i].qos;
	}
	options.onSuccess5 = on_subscribed;
	options.onFailure5 = on_failed;
	options.context = request;
	options.subscribeOptions = list[0];
	options.subscribeOptionsList = list;
	options.subscribeOptionsCount = (int)n;
	code = MQTTAsync_subscribeMany(link->handle, (int)n, topics, qos, &options);
	if (code != MQTTASYNC_SUCCESS) {
		request_free(request);
		ret = paho_error(err, code);
	}
out:
	free(topics);
	free(qos);
	free(list);
	return ret;
}

int link_unsubscribe(struct link *link, const char *const *topics, size_t n, void *tag,
		     struct err *err)
{
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
	int code;

	options.onSuccess5 = on_unsubscribed;
	options.onFailure5 = on_failed;
	options.context = request_new(link, tag, "unsubscription");
	if (!options.context)
		return err_set(err, -ENOMEM, "out of memory");
	code = MQTTAsync_unsubscribeMany(link->handle, (int)n,
					 (char *const *)(uintptr_t)topics, &options);
	if (code != MQTTASYNC_SUCCESS) {
		request_free(options.context);
		return paho_error(err, code);
	}
	return 0;
}

int link_disconnect(struct link *link, bool with_will)
{
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;

	if (with_will)
		options.reasonCode = MQTTREASONCODE_DISCONNECT_WITH_WILL_MESSAGE;
	options.onSuccess5 = on_disconnected;
	options.context = link;
	return MQTTAsync_disconnect(link->handle, &options) == MQTTASYNC_SUCCESS
		       ? 0
		       : -ENOTCONN;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	if (link->handle)
		MQTTAsync_destroy(&link->handle);
	while (link->requests)
		request_end(link->requests, LINK_BROKEN);
	pthread_mutex_destroy(&link->lock);
	free(link);
}
