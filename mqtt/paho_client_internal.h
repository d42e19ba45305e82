/* The inside of a link, for its own files only: link.c has the connection (CONNECT, its
 * end, what comes in); link_request.c what is asked of the broker, and its answers. */
#ifndef MQTT_PAHO_CLIENT_INTERNAL_H
#define MQTT_PAHO_CLIENT_INTERNAL_H

#include "mqtt/paho_client.h"

#include <pthread.h>

#include <MQTTAsync.h>

struct request; /* what Paho still owes an answer to */

struct link {
	MQTTAsync handle;
	struct link_events events;
	int version, keep_alive_s;
	const char *will_topic, *will_text; /* the options' */
	pthread_mutex_t lock;
	struct request *requests; /* lock */
};

/* link_request.c: each request that is left ends as LINK_BROKEN. */
void link_end_requests(struct link *link);

#endif
