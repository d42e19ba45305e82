/* Sends requests by one Paho handle and takes their answers. */
#include "mqtt/paho_client_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "agent/base/log.h"
#include "mqtt/paho_error.h"

#define GRANTED_MAX 2 /* the highest QoS; anything above is a refusal in 3.1.1 */

/* The context of Paho's callbacks. */
struct request {
	struct paho_client *client;
	void *tag;
	const char *what;
	size_t filters; /* of a subscription; Paho does not give their number in 3.1.1 */
	struct request *next, *previous;
};

static struct request *request_new(struct paho_client *client, void *tag,
				   const char *what)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->client = client;
	request->tag = tag;
	request->what = what;
	pthread_mutex_lock(&client->lock);
	request->next = client->requests;
	if (request->next)
		request->next->previous = request;
	client->requests = request;
	pthread_mutex_unlock(&client->lock);
	return request;
}

static void request_free(struct request *request)
{
	struct paho_client *client = request->client;

	pthread_mutex_lock(&client->lock);
	if (request->next)
		request->next->previous = request->previous;
	if (request->previous)
		request->previous->next = request->next;
	else
		client->requests = request->next;
	pthread_mutex_unlock(&client->lock);
	free(request);
}

static void request_end(struct request *request, enum paho_result result)
{
	struct paho_client *client = request->client;
	void *tag = request->tag;

	request_free(request);
	client->callbacks.done(client->callbacks.context, tag, result);
}

/* Are the codes of n filters all below 0x80?  Paho has a list only for two or more. */
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
	request_end(context, PAHO_DONE);
}

static void on_subscribed(void *context, MQTTAsync_successData5 *data)
{
	bool ok = all_granted(data->alt.sub.reasonCodes, data->alt.sub.reasonCodeCount,
			      (int)data->reasonCode);

	request_end(context, ok ? PAHO_DONE : PAHO_REFUSED);
}

static void on_unsubscribed(void *context, MQTTAsync_successData5 *data)
{
	bool ok = all_granted(data->alt.unsub.reasonCodes,
			      data->alt.unsub.reasonCodeCount, (int)data->reasonCode);

	request_end(context, ok ? PAHO_DONE : PAHO_REFUSED);
}

/* A code other than 0 comes from Paho itself, which then may leave reasonCode unset. */
static void on_failed(void *context, MQTTAsync_failureData5 *data)
{
	struct request *request = context;

	if (data->code) {
		request_end(request, PAHO_ABORTED);
		return;
	}
	log_debug("the broker refused a %s: %s", request->what,
		  paho_reason_text((int)data->reasonCode));
	request_end(request, PAHO_REFUSED);
}

/* The answers in 3.1.1, for which Paho has other types. */

static void on_sent_3(void *context, MQTTAsync_successData *data)
{
	(void)data;
	request_end(context, PAHO_DONE);
}

static void on_subscribed_3(void *context, MQTTAsync_successData *data)
{
	struct request *request = context;
	bool ok = true;

	if (request->filters < 2)
		ok = data->alt.qos <= GRANTED_MAX;
	for (size_t i = 0; request->filters > 1 && i < request->filters; i++)
		ok = ok && data->alt.qosList[i] <= GRANTED_MAX;
	request_end(request, ok ? PAHO_DONE : PAHO_REFUSED);
}

static void on_failed_3(void *context, MQTTAsync_failureData *data)
{
	struct request *request = context;

	if (!data || data->code <= GRANTED_MAX) {
		request_end(request, PAHO_ABORTED);
		return;
	}
	log_debug("the broker refused a %s", request->what);
	request_end(request, PAHO_REFUSED);
}

static int add_bytes(MQTTProperties *properties, enum MQTTPropertyCodes code,
		     const void *bytes, size_t size, struct err *err)
{
	MQTTProperty property = {.identifier = code};

	if (size > UINT16_MAX)
		return err_set(err, -EINVAL,
			       "the correlation data has more than 65535 bytes");
	/* Paho only copies the bytes, but its type has no const. */
	property.value.data.data = (char *)(uintptr_t)bytes;
	property.value.data.len = (int)size;
	if (MQTTProperties_add(properties, &property))
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

/* The callbacks for request in its version of MQTT. */
static MQTTAsync_responseOptions answers_for(struct request *request,
					     MQTTAsync_onSuccess *success_3,
					     MQTTAsync_onSuccess5 *success_5)
{
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;

	options.context = request;
	if (request->client->version == MQTTVERSION_5) {
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
		ret = paho_add_number(properties,
				      MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL,
				      (unsigned)message->expiry_s, err);
	if (!ret && message->correlation)
		ret = add_bytes(properties, MQTTPROPERTY_CODE_CORRELATION_DATA,
				message->correlation, message->correlation_size, err);
	return ret;
}

int paho_client_send(struct paho_client *client, const struct outgoing *message,
		     void *tag, struct err *err)
{
	MQTTAsync_responseOptions options;
	struct request *request;
	int ret = 0;
	int code;

	if (message->size > INT_MAX)
		return err_set(err, -EINVAL, "the message is too large");
	request = request_new(client, tag, "message");
	if (!request)
		return err_set(err, -ENOMEM, "out of memory");
	options = answers_for(request, on_sent_3, on_sent);
	if (client->version == MQTTVERSION_5)
		ret = add_message_properties(&options.properties, message, err);
	if (ret < 0)
		goto out;
	code = MQTTAsync_send(client->handle, message->topic, (int)message->size,
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

/* Filters in the form that Paho takes. */
struct wanted {
	char **topics;
	int *qos;
	MQTTSubscribe_options *options;
};

static void wanted_free(struct wanted *wanted)
{
	free(wanted->topics);
	free(wanted->qos);
	free(wanted->options);
}

static int wanted_make(struct wanted *wanted, const struct filter *filters, size_t n,
		       struct err *err)
{
	wanted->topics = calloc(n, sizeof(*wanted->topics));
	wanted->qos = calloc(n, sizeof(*wanted->qos));
	wanted->options = calloc(n, sizeof(*wanted->options));
	if (!wanted->topics || !wanted->qos || !wanted->options)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		MQTTSubscribe_options one = MQTTSubscribe_options_initializer;

		one.noLocal = filters[i].no_local;
		one.retainAsPublished = filters[i].retain_as_published;
		one.retainHandling = (unsigned char)filters[i].retain_handling;
		wanted->options[i] = one;
		wanted->topics[i] = (char *)(uintptr_t)filters[i].topic; /* only read */
		wanted->qos[i] = filters[i].qos;
	}
	return 0;
}

static int subscribe(struct request *request, const struct wanted *wanted,
		     struct err *err)
{
	struct paho_client *client = request->client;
	int n = (int)request->filters;
	MQTTAsync_responseOptions options =
		answers_for(request, on_subscribed_3, on_subscribed);
	int code;

	if (client->version == MQTTVERSION_5) {
		options.subscribeOptions = wanted->options[0];
		options.subscribeOptionsList = wanted->options;
		options.subscribeOptionsCount = n;
	}
	code = MQTTAsync_subscribeMany(client->handle, n, wanted->topics, wanted->qos,
				       &options);
	return code == MQTTASYNC_SUCCESS ? 0 : paho_error(err, code);
}

int paho_client_subscribe(struct paho_client *client, const struct filter *filters,
			  size_t n, void *tag, struct err *err)
{
	struct wanted wanted = {.topics = NULL};
	int ret = wanted_make(&wanted, filters, n, err);
	struct request *request =
		ret == 0 ? request_new(client, tag, "subscription") : NULL;

	if (ret == 0 && !request)
		ret = err_set(err, -ENOMEM, "out of memory");
	if (ret == 0) {
		request->filters = n;
		ret = subscribe(request, &wanted, err);
		if (ret < 0)
			request_free(request);
	}
	wanted_free(&wanted);
	return ret;
}

int paho_client_unsubscribe(struct paho_client *client, const char *const *topics,
			    size_t n, void *tag, struct err *err)
{
	struct request *request = request_new(client, tag, "unsubscription");
	MQTTAsync_responseOptions options;
	int code;

	if (!request)
		return err_set(err, -ENOMEM, "out of memory");
	/* 3.1.1 cannot refuse it: the answer is like that to a message. */
	options = answers_for(request, on_sent_3, on_unsubscribed);
	code = MQTTAsync_unsubscribeMany(client->handle, (int)n,
					 (char *const *)(uintptr_t)topics, &options);
	if (code != MQTTASYNC_SUCCESS) {
		request_free(request);
		return paho_error(err, code);
	}
	return 0;
}

void paho_requests_abort(struct paho_client *client)
{
	for (struct request *request = client->requests, *next; request; request = next) {
		next = request->next;
		request_end(request, PAHO_ABORTED);
	}
}
