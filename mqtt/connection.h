/* The connection to the broker, over Paho's asynchronous client.
 *
 * One thread, the sender, makes every call into Paho; the functions here only queue
 * requests for it and return without waiting.  Callbacks arrive on one of Paho's threads
 * or on the sender, must not call back into this header and, except for message(), must
 * not wait.
 *
 * Each time the connection comes up it gets a new epoch.  A request of an older epoch is
 * dropped without a callback: after down() nothing of that epoch is answered any more,
 * and the owner of the message publishes it again after the next up().  Because only one
 * party repeats messages, an older revision of a retained topic never follows a newer
 * one.
 *
 * Within an epoch up() comes first, then messages and answers, and down() last.  The
 * queue is not bounded: publishers limit themselves by counting sent(). */
#ifndef MQTT_CONNECTION_H
#define MQTT_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "mqtt/types.h"

struct connection;

struct connection_options {
	/* mqtt, mqtts, ws or wss://[user[:password]@]host[:port]; never logged whole */
	const char *url;
	/* NULL or "": none.  secret_file.h says which password files are accepted, tls.h
	 * what the other files are for.  All are read again at each attempt to connect,
	 * so a mistake in them can be corrected without a restart. */
	const char *user, *password_file;
	const char *ca_file, *cert_file, *key_file;
	const char *client_id;
	const char *will_topic; /* retained, QoS 1 */
	const char *will_text;
	int session_expiry_s;
	int reconnect_max_s;
	int keep_alive_s;
};

struct connection_callbacks {
	void *context;
	/* Connected.  window: how many QoS 1 messages may be unacknowledged at a time;
	 * any more wait in the queue.  mqtt_version: 5, or 4 for 3.1.1. */
	void (*up)(void *context, uint32_t epoch, bool session_present, unsigned window,
		   int mqtt_version);
	void (*down)(void *context, uint32_t epoch, const char *why);
	/* On Paho's thread.  The PUBACK is sent when this returns, so return after the
	 * commit. */
	void (*message)(void *context, uint32_t epoch, const struct incoming *message);
	/* The PUBACK came (QoS 1), or the message was written (QoS 0).  ok is false if
	 * sending it again would fail too: the broker refused it (reason code 0x80 or
	 * above), it is larger than the broker accepts, or its topic is not UTF-8.  A
	 * lost connection is reported by down() instead. */
	void (*sent)(void *context, uint32_t epoch, uint64_t token, bool ok);
	/* The SUBACK or UNSUBACK came; ok: every filter was granted. */
	void (*subscribed)(void *context, uint32_t epoch, uint64_t token, bool ok);
};

/* Checks the options and starts the sender, which connects, and reconnects after 0.2 s,
 * doubling with 50 % jitter up to reconnect_max_s.  All strings are copied.
 *
 * If a broker refuses MQTT 5, or closes the connection on it three times in a row, 3.1.1
 * is used; an hour later the next new connection tries 5 again.  The reason why there is
 * no connection is logged once for each new reason. */
int connection_open(struct connection **out, const struct connection_options *options,
		    const struct connection_callbacks *callbacks, struct err *err);

/* Queue a request for the sender; it is dropped if epoch is not the current one.  Any
 * thread. */
void connection_publish(struct connection *c, uint32_t epoch,
			const struct outgoing *message);
void connection_subscribe(struct connection *c, uint32_t epoch, uint64_t token,
			  const struct filter *filters, size_t n);
void connection_unsubscribe(struct connection *c, uint32_t epoch, uint64_t token,
			    const char *const *topics, size_t n);

/* Sends what is queued as far as the window allows, drops the connection and connects
 * again no earlier than after_ms.  The broker publishes the will unless the new
 * connection is up within the will delay of 5 s. */
void connection_restart(struct connection *c, int64_t after_ms);

/* Begins an orderly disconnect (without the will) and returns without waiting.  Queued
 * requests are still sent and acknowledged, for at most timeout_ms; then comes down(),
 * and there is no new connection.  For a caller whose thread must go on committing
 * messages: a message received before the end is still delivered, because Paho
 * acknowledges it. */
void connection_finish(struct connection *c, int64_t timeout_ms);

/* Calls connection_finish(), joins the sender and frees; waits at most timeout_ms.  If a
 * message() does not return by then, the connection is left to the end of the process:
 * there are no more callbacks, nothing more is acknowledged, and the broker will publish
 * the will.  NULL is fine. */
void connection_close(struct connection *c, int64_t timeout_ms);

#endif
