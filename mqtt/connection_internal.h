/* Inside a connection, for its own two files: connection.c has the interface and the
 * thread that connects; connection_io.c sends and receives while one client lasts. */
#ifndef MQTT_CONNECTION_INTERNAL_H
#define MQTT_CONNECTION_INTERNAL_H

#include "mqtt/connection.h"

#include <pthread.h>

#include "mqtt/paho_client.h"
#include "mqtt/send_queue.h"

#define WHY_MAX sizeof(((struct err *)0)->text)

enum { MQTT_3_1_1 = 4, MQTT_5 = 5 };

struct connection {
	struct connection_callbacks callbacks;
	struct paho_client_options options; /* the strings are below */
	char *client_id, *will_topic, *will_text, *probe_topic;
	char *user, *password_file, *ca_file, *cert_file, *key_file;
	int reconnect_max_s;
	pthread_t thread;

	/* Used by the sender only. */
	struct paho_client *client;
	int64_t retry_ms; /* the next wait, before jitter */
	char last_why[WHY_MAX];
	int connects_closed;	 /* CONNECTs of MQTT 5 in a row that the broker closed */
	int64_t mqtt_5_again_ms; /* when to try MQTT 5 again, while on 3.1.1 */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Everything below is protected by lock. */
	struct send_queue queue;
	uint32_t epoch;
	bool up, lost, disconnected; /* state of the client */
	char why[WHY_MAX];
	enum paho_client_loss loss;
	unsigned window;
	uint32_t packet_max;
	/* What was handed to Paho and has not ended: */
	unsigned unacknowledged; /* requests that the broker will answer */
	unsigned unwritten;	 /* messages of QoS 0 */
	size_t in_flight_bytes;
	int64_t keep_alive_ms;
	int64_t up_ms;	     /* when the client came up */
	int64_t received_ms; /* when the last packet came from the broker */
	int64_t due_ms;	     /* since when unacknowledged > 0 */
	bool restart;
	int64_t not_before_ms;
	bool closing, finished, abandoned;
	int64_t close_by_ms;
};

static inline int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static inline int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Waits for a change, until when_ms at most.  Call with the lock held. */
void connection_wait_until(struct connection *c, int64_t when_ms);

/* Keeps the first reason only: the others follow from it.  Call with the lock held. */
void connection_note_why(struct connection *c, const char *why);

/* Marks the client as lost.  Call with the lock held. */
void connection_lose(struct connection *c, const char *why);

/* The context must be the connection. */
extern const struct paho_client_callbacks connection_client_callbacks;

/* Sends what is queued until the client is lost or has to end.  Call with the lock held;
 * it is released while sending. */
void connection_serve(struct connection *c);

#endif
