/* Connects, disconnects and receives by one Paho handle. */
#include "mqtt/paho_client_internal.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "mqtt/paho_error.h"

#define CONNECT_TIMEOUT_S 10
#define WILL_DELAY_S 5		 /* so that a short radio gap does not publish "lost" */
#define INCOMING_MAX 8		 /* unacknowledged messages that the broker may send us */
#define PACKET_MAX (256u * 1024) /* bytes of one packet to us */
#define RECEIVE_MAX_DEFAULT 65535u /* MQTT 5, section 3.2.2.3.3 */

/* The longest address that Paho is given. */
#define SERVER_MAX (sizeof("mqtts://[]:65535") + sizeof(((struct url *)0)->host))

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

static void on_up(void *context, MQTTAsync_successData5 *data)
{
	struct paho_client *client = context;
	struct paho_connack connack = {
		.session_present = data->alt.connect.sessionPresent != 0,
		.mqtt_version = MQTTVERSION_5,
		.receive_max = RECEIVE_MAX_DEFAULT,
		.packet_max = UINT32_MAX,
		.keep_alive_s = client->keep_alive_s,
	};

	for (int i = 0; i < data->properties.count; i++) {
		const MQTTProperty *property = &data->properties.array[i];

		if (property->identifier == MQTTPROPERTY_CODE_RECEIVE_MAXIMUM)
			connack.receive_max = property->value.integer2;
		else if (property->identifier == MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE)
			connack.packet_max = property->value.integer4;
		else if (property->identifier == MQTTPROPERTY_CODE_SERVER_KEEP_ALIVE)
			connack.keep_alive_s = property->value.integer2;
	}
	client->callbacks.up(client->callbacks.context, &connack);
}

static void on_up_3(void *context, MQTTAsync_successData *data)
{
	struct paho_client *client = context;
	struct paho_connack connack = {
		.session_present = data->alt.connect.sessionPresent != 0,
		.mqtt_version = MQTTVERSION_3_1_1,
		.receive_max = RECEIVE_MAX_DEFAULT,
		.packet_max = UINT32_MAX,
		.keep_alive_s = client->keep_alive_s,
	};

	client->callbacks.up(client->callbacks.context, &connack);
}

/* Brokers older than MQTT 5 answer its CONNECT as in 3.1.1, with return code 1. */
static bool is_version_refusal(int code)
{
	return code == 1 || code == MQTTREASONCODE_UNSUPPORTED_PROTOCOL_VERSION;
}

/* A code above 0 is the broker's; else Paho's message tells how far it came. */
static void not_up(struct paho_client *client, int code, const char *message)
{
	enum paho_client_loss loss = LOSS_OTHER;
	char why[256];

	if (!message)
		message = "";
	if (code > 0 && is_version_refusal(code)) {
		loss = LOSS_VERSION;
		snprintf(why, sizeof(why), "the broker does not speak MQTT %s",
			 client->version == MQTTVERSION_5 ? "5" : "3.1.1");
	} else if (code > 0) {
		snprintf(why, sizeof(why), "the broker refuses: %s",
			 client->version == MQTTVERSION_5 ? paho_reason_text(code)
							  : return_code_text(code));
	} else if (strstr(message, "timeout")) {
		snprintf(why, sizeof(why), "no answer within %d s", CONNECT_TIMEOUT_S);
	} else if (strstr(message, "completion")) {
		loss = LOSS_CLOSED;
		snprintf(why, sizeof(why), "the broker hung up instead of answering");
	} else {
		loss = LOSS_UNREACHABLE;
		snprintf(why, sizeof(why), "nobody listens there");
	}
	client->callbacks.lost(client->callbacks.context, loss, why);
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
	struct paho_client *client = context;

	client->callbacks.lost(client->callbacks.context, LOSS_OTHER,
			       cause ? cause : "the connection broke");
}

/* After this Paho does not call on_lost(). */
static void on_broker_disconnect(void *context, MQTTProperties *properties,
				 enum MQTTReasonCodes reason)
{
	struct paho_client *client = context;
	char why[256];

	(void)properties;
	snprintf(why, sizeof(why), "the broker disconnects: %s",
		 paho_reason_text((int)reason));
	client->callbacks.lost(client->callbacks.context, LOSS_OTHER, why);
}

static const MQTTLenString *message_property(MQTTProperties *properties,
					     enum MQTTPropertyCodes code)
{
	MQTTProperty *property = MQTTProperties_getProperty(properties, code);

	return property ? &property->value.data : NULL;
}

/* A copy that ends in NUL; NULL if there is a NUL inside, or when out of memory. */
static char *text_of(const char *bytes, size_t length)
{
	if (memchr(bytes, '\0', length))
		return NULL;
	return strndup(bytes, length);
}

static void deliver(struct paho_client *client, const char *topic,
		    MQTTAsync_message *message)
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

	client->callbacks.message(client->callbacks.context, &incoming);
	free(response_topic);
}

/* Always returns 1: returning 0 would not stop Paho from sending the PUBACK. */
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
	struct paho_client *client = context;

	(void)data;
	client->callbacks.disconnected(client->callbacks.context);
}

static void on_disconnected_3(void *context, MQTTAsync_successData *data)
{
	struct paho_client *client = context;

	(void)data;
	client->callbacks.disconnected(client->callbacks.context);
}

static int handle_new(MQTTAsync *handle, const struct paho_client_options *o,
		      const char *server, struct err *err)
{
	MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer5;
	int code;

	options.MQTTVersion = o->mqtt_version;
	/* Our own window is far smaller; Paho's limit must never refuse a message. */
	options.maxBufferedMessages = INT_MAX;
	code = MQTTAsync_createWithOptions(handle, server, o->client_id,
					   MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
	return code == MQTTASYNC_SUCCESS ? 0 : paho_error(err, code);
}

/* Adds the properties that only MQTT 5 has in its CONNECT. */
static int add_connect_properties(MQTTProperties *properties,
				  MQTTProperties *will_properties,
				  const struct paho_client_options *o, struct err *err)
{
	int ret = paho_add_number(properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
				  (unsigned)o->session_expiry_s, err);

	if (!ret)
		ret = paho_add_number(properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM,
				      INCOMING_MAX, err);
	if (!ret)
		ret = paho_add_number(properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE,
				      PACKET_MAX, err);
	if (!ret)
		ret = paho_add_number(will_properties,
				      MQTTPROPERTY_CODE_WILL_DELAY_INTERVAL, WILL_DELAY_S,
				      err);
	return ret;
}

static MQTTAsync_willOptions will_of(const struct paho_client_options *o)
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

/* The certificate's chain and host name are always checked: no setting disables it. */
static MQTTAsync_SSLOptions tls_of(const struct paho_client_options *o)
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

/* Fills in what both versions have in their CONNECT. */
static void put_connect(MQTTAsync_connectOptions *options, struct paho_client *client,
			const struct paho_client_options *o)
{
	options->keepAliveInterval = o->keep_alive_s;
	options->connectTimeout = CONNECT_TIMEOUT_S;
	options->username = o->user;
	options->password = o->password;
	options->context = client;
}

static int connect_3(struct paho_client *client, const struct paho_client_options *o,
		     struct err *err)
{
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
	MQTTAsync_willOptions will = will_of(o);
	MQTTAsync_SSLOptions tls = tls_of(o);

	put_connect(&options, client, o);
	options.MQTTVersion = MQTTVERSION_3_1_1;
	options.cleansession = 0;
	options.will = &will;
	options.ssl = o->url.tls ? &tls : NULL;
	options.onSuccess = on_up_3;
	options.onFailure = on_not_up_3;
	return connect_error(err, MQTTAsync_connect(client->handle, &options));
}

static int connect_5(struct paho_client *client, const struct paho_client_options *o,
		     struct err *err)
{
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
	MQTTAsync_willOptions will = will_of(o);
	MQTTAsync_SSLOptions tls = tls_of(o);
	MQTTProperties properties = MQTTProperties_initializer;
	MQTTProperties will_properties = MQTTProperties_initializer;
	int ret;

	ret = add_connect_properties(&properties, &will_properties, o, err);
	if (ret < 0)
		goto out;
	put_connect(&options, client, o);
	options.cleanstart = 0;
	options.will = &will;
	options.ssl = o->url.tls ? &tls : NULL;
	options.connectProperties = &properties;
	options.willProperties = &will_properties;
	options.onSuccess5 = on_up;
	options.onFailure5 = on_not_up;
	ret = connect_error(err, MQTTAsync_connect(client->handle, &options));
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

int paho_client_open(struct paho_client **out, const struct paho_client_options *options,
		     const struct paho_client_callbacks *callbacks, struct err *err)
{
	struct paho_client *client;
	char server[SERVER_MAX];
	int ret;

	client = calloc(1, sizeof(*client));
	if (!client)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&client->lock, NULL);
	client->callbacks = *callbacks;
	client->version = options->mqtt_version;
	client->keep_alive_s = options->keep_alive_s;
	client->will_topic = options->will_topic;
	client->will_text = options->will_text;
	server_text(server, &options->url);
	ret = handle_new(&client->handle, options, server, err);
	if (ret < 0)
		goto fail;
	/* Before the connect: messages of a kept session follow the CONNACK directly. */
	MQTTAsync_setCallbacks(client->handle, client, on_lost, on_message, NULL);
	if (client->version == MQTTVERSION_5) {
		MQTTAsync_setDisconnected(client->handle, client, on_broker_disconnect);
		ret = connect_5(client, options, err);
	} else {
		ret = connect_3(client, options, err);
	}
	if (ret < 0)
		goto fail;

	*out = client;
	return 0;
fail:
	paho_client_free(client);
	return ret;
}

static int disconnect_5(struct paho_client *client, bool with_will)
{
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;

	if (with_will)
		options.reasonCode = MQTTREASONCODE_DISCONNECT_WITH_WILL_MESSAGE;
	options.onSuccess5 = on_disconnected;
	options.context = client;
	return MQTTAsync_disconnect(client->handle, &options);
}

/* Paho sends DISCONNECT whenever a handle ends, so the broker would not publish the
 * will. */
static int disconnect_3(struct paho_client *client, bool with_will)
{
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;

	if (with_will)
		MQTTAsync_send(client->handle, client->will_topic,
			       (int)strlen(client->will_text), client->will_text, 0, 1,
			       NULL);
	options.onSuccess = on_disconnected_3;
	options.context = client;
	return MQTTAsync_disconnect(client->handle, &options);
}

int paho_client_disconnect(struct paho_client *client, bool with_will)
{
	int code = client->version == MQTTVERSION_5 ? disconnect_5(client, with_will)
						    : disconnect_3(client, with_will);

	return code == MQTTASYNC_SUCCESS ? 0 : -ENOTCONN;
}

void paho_client_free(struct paho_client *client)
{
	if (!client)
		return;
	if (client->handle)
		MQTTAsync_destroy(&client->handle);
	paho_requests_abort(client);
	pthread_mutex_destroy(&client->lock);
	free(client);
}
