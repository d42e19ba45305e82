/* Inside a client, for its own two files: paho_client.c connects, disconnects and
 * receives; paho_request.c sends requests to the broker and takes the answers. */
#ifndef MQTT_PAHO_CLIENT_INTERNAL_H
#define MQTT_PAHO_CLIENT_INTERNAL_H

#include "mqtt/paho_client.h"

#include <pthread.h>

#include <MQTTAsync.h>

struct request; /* one that Paho has not answered yet */

struct paho_client {
	MQTTAsync handle;
	struct paho_client_callbacks callbacks;
	int version, keep_alive_s;
	const char *will_topic, *will_text; /* the options' */
	pthread_mutex_t lock;
	struct request *requests; /* lock */
};

/* paho_request.c: ends every open request as PAHO_ABORTED. */
void paho_requests_abort(struct paho_client *client);

#endif
