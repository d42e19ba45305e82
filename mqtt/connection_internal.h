/* The inside of a connection, for its own files only: connection.c has what others call
 * and the attempts to connect; connection_io.c what happens while a link lasts: its
 * events and what is sent over it. */
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

	/* The sender's own. */
	struct paho_client *client;
	int64_t retry_ms; /* the middle of the next wait */
	char last_why[WHY_MAX];
	int hang_ups;		 /* one after the other, on MQTT 5 */
	int64_t mqtt_5_again_ms; /* while 3.1.1 is spoken: until when */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* lock, from here on */
	struct send_queue queue;
	uint32_t epoch;
	bool up, lost, disconnected; /* of the present link */
	char why[WHY_MAX];
	enum paho_client_loss loss;
	unsigned window;
	uint32_t packet_max;
	unsigned unacknowledged, unwritten; /* handed to Paho, without an answer yet */
	size_t handed;			    /* their bytes */
	int64_t keep_alive_ms;
	int64_t up_ms;	  /* when the link came up */
	int64_t heard_ms; /* when the broker last said something */
	int64_t due_ms;	  /* since when it owes us an answer, while unacknowledged > 0 */
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

/* Waits for a change until when; the lock is held. */
void connection_wait_until(struct connection *c, int64_t when_ms);

/* Only the first reason is kept: what follows is its consequence.  The lock is held. */
void connection_note_why(struct connection *c, const char *why);

/* The present link is lost; the lock is held. */
void connection_lose(struct connection *c, const char *why);

/* What Paho's threads call; the context is the connection. */
extern const struct paho_client_callbacks connection_client_callbacks;

/* Sends what is queued until the link is lost or must go; the lock is held, and let go
 * meanwhile. */
void connection_serve(struct connection *c);

#endif
