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
#define GRANTED_MAX 2		   /* the highest QoS; above is a refusal in 3.1.1 */

/* The longest text that Paho wants to hear of as its server. */
#define SERVER_MAX (sizeof("mqtts://[]:65535") + sizeof(((struct url *)0)->host))

struct link {
	MQTTAsync handle;
	struct link_events events;
	int version, keep_alive_s;
	const char *will_topic, *will_text; /* the options' */
	pthread_mutex_t lock;
	struct request *requests; /* lock */
};

/* What Paho still owes an answer to; the context of its callbacks. */
struct request {
	struct link *link;
	void *tag;
	const char *what;
	size_t filters; /* of a subscription: 3.1.1 does not tell how many it answers */
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

/* The return codes of a CONNACK of 3.1.1, section 3.2.2.3. */
static const char *return_code_text(int code)
{
	static const char *const texts[] = {
		NULL,
		"unacceptable protocol version",
		"client identifier rejected",
		"server unavailable",
		"bad user name or password",
		"not authorized",
	};

	if (code > 0 && (size_t)code < sizeof(texts) / sizeof(texts[0]))
		return texts[code];
	return "unknown return code";
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

/* The answers of 3.1.1, which Paho gives in other types. */

static void on_sent_3(void *context, MQTTAsync_successData *data)
{
	(void)data;
	request_end(context, LINK_DONE);
}

static void on_subscribed_3(void *context, MQTTAsync_successData *data)
{
	struct request *request = context;
	bool ok = true;

	if (request->filters < 2)
		ok = data->alt.qos <= GRANTED_MAX;
	for (size_t i = 0; request->filters > 1 && i < request->filters; i++)
		ok = ok && data->alt.qosList[i] <= GRANTED_MAX;
	request_end(request, ok ? LINK_DONE : LINK_REFUSED);
}

static void on_failed_3(void *context, MQTTAsync_failureData *data)
{
	struct request *request = context;

	if (!data || data->code <= GRANTED_MAX) {
		request_end(request, LINK_BROKEN);
		return;
	}
	log_debug("the broker refused a %s", request->what);
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

static void on_up_3(void *context, MQTTAsync_successData *data)
{
	struct link *link = context;
	struct link_terms terms = {
		.session_present = data->alt.connect.sessionPresent != 0,
		.mqtt_version = MQTTVERSION_3_1_1,
		.receive_max = RECEIVE_MAX_DEFAULT,
		.packet_max = UINT32_MAX,
		.keep_alive_s = link->keep_alive_s,
	};

	link->events.up(link->events.context, &terms);
}

/* Brokers from before MQTT 5 answer its CONNECT in their own language, with return
 * code 1.
 */
static bool is_version_refusal(int code)
{
	return code == 1 || code == MQTTREASONCODE_UNSUPPORTED_PROTOCOL_VERSION;
}

/* code above 0 is the broker's own, message Paho's way to say where it stopped. */
static void not_up(struct link *link, int code, const char *message)
{
	enum link_loss loss = LOSS_OTHER;
	char why[256];

	if (!message)
		message = "";
	if (code > 0 && is_version_refusal(code)) {
		loss = LOSS_VERSION;
		snprintf(why, sizeof(why), "the broker does not speak MQTT %s",
			 link->version == MQTTVERSION_5 ? "5" : "3.1.1");
	} else if (code > 0) {
		snprintf(why, sizeof(why), "the broker refuses: %s",
			 link->version == MQTTVERSION_5 ? reason_text(code)
							: return_code_text(code));
	} else if (strstr(message, "timeout")) {
		snprintf(why, sizeof(why), "no answer within %d s", CONNECT_TIMEOUT_S);
	} else if (strstr(message, "completion")) {
		loss = LOSS_HUNG_UP;
		snprintf(why, sizeof(why), "the broker hung up instead of answering");
	} else {
		loss = LOSS_NO_LINK;
		snprintf(why, sizeof(why), "nobody listens there");
	}
	link->events.lost(link->events.context, loss, why);
}

static void on_not_up(void *context, MQTTAsync_failureData5 *data)
{
	not_up(context, data->code, data->message);
}

static void on_not_up_3(void *context, MQTTAsync_failureData *data)
{
	not_up(context, data ? data->code : 0, data ? data->message : NULL);
}

static void on_lost(void *context, char *cause)
{
	struct link *link = context;

	link->events.lost(link->events.context, LOSS_OTHER,
			  cause ? cause : "the connection broke");
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
	link->events.lost(link->events.context, LOSS_OTHER, why);
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

static void on_disconnected_3(void *context, MQTTAsync_successData *data)
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

static int handle_new(MQTTAsync *handle, const struct link_options *o, const char *server,
		      struct err *err)
{
	MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer5;
	int code;

	options.MQTTVersion = o->mqtt_version;
	/* Our own window is far below; Paho's must never be what refuses a message. */
	options.maxBufferedMessages = INT_MAX;
	code = MQTTAsync_createWithOptions(handle, server, o->client_id,
					   MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
	return code == MQTTASYNC_SUCCESS ? 0 : paho_error(err, code);
}

/* What MQTT 5 says in its CONNECT besides what 3.1.1 says. */
static int add_terms(MQTTProperties *properties, MQTTProperties *will_properties,
		     const struct link_options *o, struct err *err)
{
	int ret = add_number(properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
			     (unsigned)o->session_expiry_s, err);

	if (!ret)
		ret = add_number(properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM,
				 INCOMING_MAX, err);
	if (!ret)
		ret = add_number(properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE,
				 PACKET_MAX, err);
	if (!ret)
		ret = add_number(will_properties, MQTTPROPERTY_CODE_WILL_DELAY_INTERVAL,
				 WILL_DELAY_S, err);
	return ret;
}

static MQTTAsync_willOptions will_of(const struct link_options *o)
{
	MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;

	will.topicName = o->will_topic;
	will.message = o->will_text;
	will.qos = 1;
	will.retained = 1;
	return will;
}

static const char *file_or_null(const char *path)
{
	return path && *path ? path : NULL;
}

/* The chain is checked, and that the certificate is for the host in the url; there is no
 * setting that leaves this out. */
static MQTTAsync_SSLOptions tls_of(const struct link_options *o)
{
	MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;

	tls.trustStore = file_or_null(o->tls.ca_file);
	tls.keyStore = file_or_null(o->tls.cert_file);
	tls.privateKey = file_or_null(o->tls.key_file);
	tls.enableServerCertAuth = 1;
	tls.verify = 1;
	return tls;
}

static int connect_error(struct err *err, int code)
{
	if (code == MQTTASYNC_SUCCESS)
		return 0;
	if (code == MQTTASYNC_BAD_UTF8_STRING)
		return err_set(err, -EINVAL,
			       "the user name and the password must be valid UTF-8");
	return paho_error(err, code);
}

/* What both versions of the protocol say in their CONNECT. */
static void put_connect(MQTTAsync_connectOptions *options, struct link *link,
			const struct link_options *o)
{
	options->keepAliveInterval = o->keep_alive_s;
	options->connectTimeout = CONNECT_TIMEOUT_S;
	options->username = o->user;
	options->password = o->password;
	options->context = link;
}

static int connect_3(struct link *link, const struct link_options *o, struct err *err)
{
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
	MQTTAsync_willOptions will = will_of(o);
	MQTTAsync_SSLOptions tls = tls_of(o);

	put_connect(&options, link, o);
	options.MQTTVersion = MQTTVERSION_3_1_1;
	options.cleansession = 0;
	options.will = &will;
	options.ssl = o->url.tls ? &tls : NULL;
	options.onSuccess = on_up_3;
	options.onFailure = on_not_up_3;
	return connect_error(err, MQTTAsync_connect(link->handle, &options));
}

static int connect_5(struct link *link, const struct link_options *o, struct err *err)
{
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
	MQTTAsync_willOptions will = will_of(o);
	MQTTAsync_SSLOptions tls = tls_of(o);
	MQTTProperties properties = MQTTProperties_initializer;
	MQTTProperties will_properties = MQTTProperties_initializer;
	int ret;

	ret = add_terms(&properties, &will_properties, o, err);
	if (ret < 0)
		goto out;
	put_connect(&options, link, o);
	options.cleanstart = 0;
	options.will = &will;
	options.ssl = o->url.tls ? &tls : NULL;
	options.connectProperties = &properties;
	options.willProperties = &will_properties;
	options.onSuccess5 = on_up;
	options.onFailure5 = on_not_up;
	ret = connect_error(err, MQTTAsync_connect(link->handle, &options));
out:
	MQTTProperties_free(&properties);
	MQTTProperties_free(&will_properties);
	return ret;
}

static void server_text(char text[SERVER_MAX], const struct url *url)
{
	static const char *const schemes[2][2] = {{"mqtt", "ws"}, {"mqtts", "wss"}};
	bool bare = strchr(url->host, ':') != NULL;

	snprintf(text, SERVER_MAX, "%s://%s%s%s:%u", schemes[url->tls][url->websocket],
		 bare ? "[" : "", url->host, bare ? "]" : "", url->port);
}

int link_open(struct link **out, const struct link_options *options,
	      const struct link_events *events, struct err *err)
{
	struct link *link;
	char server[SERVER_MAX];
	int ret;

	link = calloc(1, sizeof(*link));
	if (!link)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&link->lock, NULL);
	link->events = *events;
	link->version = options->mqtt_version;
	link->keep_alive_s = options->keep_alive_s;
	link->will_topic = options->will_topic;
	link->will_text = options->will_text;
	server_text(server, &options->url);
	ret = handle_new(&link->handle, options, server, err);
	if (ret < 0)
		goto fail;
	/* Before the connect: messages of a kept session come right behind the CONNACK.
	 */
	MQTTAsync_setCallbacks(link->handle, link, on_lost, on_message, NULL);
	if (link->version == MQTTVERSION_5) {
		MQTTAsync_setDisconnected(link->handle, link, on_broker_disconnect);
		ret = connect_5(link, options, err);
	} else {
		ret = connect_3(link, options, err);
	}
	if (ret < 0)
		goto fail;

	*out = link;
	return 0;
fail:
	link_free(link);
	return ret;
}

/* Paho's two kinds of answers to request; success_3 and success_5 mean the same. */
static MQTTAsync_responseOptions answers_for(struct request *request,
					     MQTTAsync_onSuccess *success_3,
					     MQTTAsync_onSuccess5 *success_5)
{
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;

	options.context = request;
	if (request->link->version == MQTTVERSION_5) {
		options.onSuccess5 = success_5;
		options.onFailure5 = on_failed;
	} else {
		options.onSuccess = success_3;
		options.onFailure = on_failed_3;
	}
	return options;
}

static int add_message_properties(MQTTProperties *properties,
				  const struct outgoing *message, struct err *err)
{
	int ret = 0;

	if (message->expiry_s > 0)
		ret = add_number(properties, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL,
				 (unsigned)message->expiry_s, err);
	if (!ret && message->correlation)
		ret = add_bytes(properties, MQTTPROPERTY_CODE_CORRELATION_DATA,
				message->correlation, message->correlation_size, err);
	return ret;
}

int link_send(struct link *link, const struct outgoing *message, void *tag,
	      struct err *err)
{
	MQTTAsync_responseOptions options;
	struct request *request;
	int ret = 0;
	int code;

	if (message->size > INT_MAX)
		return err_set(err, -EINVAL, "the message is too large");
	request = request_new(link, tag, "message");
	if (!request)
		return err_set(err, -ENOMEM, "out of memory");
	options = answers_for(request, on_sent_3, on_sent);
	if (link->version == MQTTVERSION_5)
		ret = add_message_properties(&options.properties, message, err);
	if (ret < 0)
		goto out;
	code = MQTTAsync_send(link->handle, message->topic, (int)message->size,
			      message->size ? message->payload : "", message->qos,
			      message->retain, &options);
	if (code != MQTTASYNC_SUCCESS)
		ret = paho_error(err, code);
out:
	if (ret < 0)
		request_free(request);
	MQTTProperties_free(&options.properties);
	return ret;
}

int link_subscribe(struct link *link, const struct filter *filters, size_t n, void *tag,
		   struct err *err)
{
	MQTTAsync_responseOptions options;
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
	request->filters = n;
	for (size_t i = 0; i < n; i++) {
		MQTTSubscribe_options one = MQTTSubscribe_options_initializer;

		one.noLocal = filters[i].no_local;
		one.retainAsPublished = filters[i].retain_as_published;
		one.retainHandling = (unsigned char)filters[i].retain_handling;
		list[i] = one;
		topics[i] = (char *)(uintptr_t)filters[i].topic; /* only read */
		qos[i] = filters[i].qos;
	}
	options = answers_for(request, on_subscribed_3, on_subscribed);
	if (link->version == MQTTVERSION_5) {
		options.subscribeOptions = list[0];
		options.subscribeOptionsList = list;
		options.subscribeOptionsCount = (int)n;
	}
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
	struct request *request = request_new(link, tag, "unsubscription");
	MQTTAsync_responseOptions options;
	int code;

	if (!request)
		return err_set(err, -ENOMEM, "out of memory");
	/* 3.1.1 cannot refuse it: its answer is that of a message. */
	options = answers_for(request, on_sent_3, on_unsubscribed);
	code = MQTTAsync_unsubscribeMany(link->handle, (int)n,
					 (char *const *)(uintptr_t)topics, &options);
	if (code != MQTTASYNC_SUCCESS) {
		request_free(request);
		return paho_error(err, code);
	}
	return 0;
}

static int disconnect_5(struct link *link, bool with_will)
{
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;

	if (with_will)
		options.reasonCode = MQTTREASONCODE_DISCONNECT_WITH_WILL_MESSAGE;
	options.onSuccess5 = on_disconnected;
	options.context = link;
	return MQTTAsync_disconnect(link->handle, &options);
}

/* Paho takes leave of the broker whenever a handle ends, and so its will is never heard.
 */
static int disconnect_3(struct link *link, bool with_will)
{
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;

	if (with_will)
		MQTTAsync_send(link->handle, link->will_topic,
			       (int)strlen(link->will_text), link->will_text, 0, 1, NULL);
	options.onSuccess = on_disconnected_3;
	options.context = link;
	return MQTTAsync_disconnect(link->handle, &options);
}

int link_disconnect(struct link *link, bool with_will)
{
	int code = link->version == MQTTVERSION_5 ? disconnect_5(link, with_will)
						  : disconnect_3(link, with_will);

	return code == MQTTASYNC_SUCCESS ? 0 : -ENOTCONN;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	if (link->handle)
		MQTTAsync_destroy(&link->handle);
	for (struct request *request = link->requests, *next; request; request = next) {
		next = request->next;
		request_end(request, LINK_BROKEN);
	}
	pthread_mutex_destroy(&link->lock);
	free(link);
}
