/* One attempt to connect: a Paho handle from its CONNECT to its end, never used twice.
 *
 * Paho resends unacknowledged messages when a handle reconnects, and could so publish an
 * older version of a retained topic after a newer one.  Each client is therefore freed at
 * its end and the next attempt creates a new one.  Only paho_*.c know Paho.
 *
 * Call these functions from one thread only, the sender of connection.h.  They may block
 * while Paho is busy, for as long as message() takes: never hold a lock that a callback
 * takes. */
#ifndef MQTT_PAHO_CLIENT_H
#define MQTT_PAHO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "mqtt/tls.h"
#include "mqtt/types.h"
#include "mqtt/url.h"

struct paho_client;

struct paho_client_options {
	struct url url;
	struct tls_files tls;
	int mqtt_version;	     /* as in CONNECT: 5, or 4 for 3.1.1 */
	const char *user, *password; /* NULL without one */
	const char *client_id;
	const char *will_topic;
	const char *will_text;
	int session_expiry_s;
	int keep_alive_s;
};

/* The broker's CONNACK. */
struct paho_connack {
	bool session_present;
	int mqtt_version;
	unsigned receive_max; /* QoS 1 messages that may be unacknowledged at a time */
	uint32_t packet_max;  /* bytes of the largest packet it takes; UINT32_MAX: any */
	int keep_alive_s;     /* the server's keep alive, else ours */
};

/* Why a client was lost, as far as the next attempt depends on it. */
enum paho_client_loss {
	LOSS_OTHER,	  /* a network error, a refused login, an end after the CONNACK */
	LOSS_UNREACHABLE, /* no TCP, TLS or WebSocket connection could be made */
	LOSS_CLOSED,	  /* the broker closed it instead of sending CONNACK */
	LOSS_VERSION,	  /* the broker does not speak this version of MQTT */
};

enum paho_result {
	PAHO_DONE,    /* acknowledged, or written at QoS 0 */
	PAHO_REFUSED, /* the broker answered with a reason code of 0x80 or above */
	PAHO_ABORTED, /* the client ended before an answer came */
};

/* Called one at a time, by Paho's threads or in paho_client_free(); never after it. */
struct paho_client_callbacks {
	void *context;
	void (*up)(void *context, const struct paho_connack *connack);
	/* Not connected, or not any more.  May be called more than once: the first reason
	 * is the right one. */
	void (*lost)(void *context, enum paho_client_loss loss, const char *why);
	void (*message)(void *context, const struct incoming *message);
	/* The request with this tag has ended.  Called exactly once for each call that
	 * returned 0, possibly before it returned, and in paho_client_free() for requests
	 * still open then. */
	void (*done)(void *context, void *tag, enum paho_result result);
	/* paho_client_disconnect() has finished. */
	void (*disconnected)(void *context);
};

/* Creates the handle and begins to connect; up() or lost() follows.  3.1.1 has no
 * properties, message expiry or filter options: they are left out.  will_topic and
 * will_text must stay valid until paho_client_free(); everything else is copied. */
int paho_client_open(struct paho_client **out, const struct paho_client_options *options,
		     const struct paho_client_callbacks *callbacks, struct err *err);

/* Each returns 0, and done() follows; or a negative errno with a sentence: -EINVAL if the
 * request can never be sent, -ENOTCONN if the connection has ended, -EIO or -ENOMEM. */
int paho_client_send(struct paho_client *client, const struct outgoing *message,
		     void *tag, struct err *err);
int paho_client_subscribe(struct paho_client *client, const struct filter *filters,
			  size_t n, void *tag, struct err *err);
int paho_client_unsubscribe(struct paho_client *client, const char *const *topics,
			    size_t n, void *tag, struct err *err);

/* Sends DISCONNECT after everything requested before.  with_will: the broker should still
 * publish the will (3.1.1 has no such reason code, so there the client publishes it).
 * Returns 0, and disconnected() follows; or a negative errno. */
int paho_client_disconnect(struct paho_client *client, bool with_will);

/* Closes the socket and waits for a running callback to return.  If this was the only
 * client, Paho's threads end too, which takes 0.1 to 0.2 s.  That is worth it: new
 * threads notice a new connection immediately, old ones only after a second.  NULL is
 * fine. */
void paho_client_free(struct paho_client *client);

#endif
