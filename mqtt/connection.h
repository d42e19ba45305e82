/* The connection to the broker, over Paho's asynchronous client.
 *
 * One thread of its own, the sender, makes every call into Paho; the functions here only
 * queue for it and return at once.  Callbacks arrive on Paho's or the sender's thread,
 * must not call back into this header, and except message() must not wait.
 *
 * Every (re)connection has an epoch, counted up.  What was queued in an older epoch is
 * dropped without a callback: after down() nothing of that epoch is answered any more,
 * and whoever wants it sent asks again after the next up().  That keeps retained
 * revisions from ever going back on the wire: only one party repeats.
 *
 * For one epoch the order is up(), then messages and answers, then down() as the very
 * last. The queue has no bound of its own: whoever publishes counts by sent(). */
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
	/* NULL and "" are none: see agent/base/secret_file.h and mqtt/tls.h.  The files are
	 * read anew at each attempt to connect, so what is wrong with them can be mended
	 * meanwhile.
	 */
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
	/* Connected.  window: how many QoS 1 messages may be unacknowledged at once; more
	 * of them wait in the queue here. */
	void (*up)(void *context, uint32_t epoch, bool session_present, unsigned window,
		   int mqtt_version); /* 5, or 4 for 3.1.1 */
	void (*down)(void *context, uint32_t epoch, const char *why);
	/* On Paho's thread: the PUBACK leaves when this returns, so return after the
	 * commit. */
	void (*message)(void *context, uint32_t epoch, const struct incoming *message);
	/* The PUBACK came (QoS 1), or the message was written (QoS 0).  ok false: it will
	 * not do better next time: the broker refused it (reason code 0x80 and above), it
	 * is larger than the broker takes, or its topic is not UTF-8.  A broken
	 * connection is not said here but by down(). */
	void (*sent)(void *context, uint32_t epoch, uint64_t token, bool ok);
	/* The SUBACK or UNSUBACK came; ok: every filter was granted. */
	void (*subscribed)(void *context, uint32_t epoch, uint64_t token, bool ok);
};

/* Checks the options and starts the sender, which connects and reconnects by itself:
 * after 0.2 s, doubling with 50 % jitter up to reconnect_max_s.  All strings are copied.
 *
 * A broker that refuses MQTT 5, or hangs up on it three times in a row, is spoken to in
 * 3.1.1; an hour later the next new connection tries 5 again.  Why there is no connection
 * is logged once for each new reason. */
int connection_open(struct connection **out, const struct connection_options *options,
		    const struct connection_callbacks *callbacks, struct err *err);

/* Queued for the sender; dropped when epoch is not the present one.  Any thread. */
void connection_publish(struct connection *c, uint32_t epoch,
			const struct outgoing *message);
void connection_subscribe(struct connection *c, uint32_t epoch, uint64_t token,
			  const struct filter *filters, size_t n);
void connection_unsubscribe(struct connection *c, uint32_t epoch, uint64_t token,
			    const char *const *topics, size_t n);

/* Sends what was handed over before, drops the connection and connects again no earlier
 * than after_ms.  The broker publishes the will unless we are back within its delay of 5
 * s. */
void connection_restart(struct connection *c, int64_t after_ms);

/* Begins to disconnect in order (the will is not sent) and returns at once: what is
 * queued still goes out and is acknowledged, for at most timeout_ms; then comes down(),
 * and no new connection.  For a caller whose thread must go on committing what message()
 * brings: a message that came before the end is delivered too, because Paho acknowledges
 * it. */
void connection_finish(struct connection *c, int64_t timeout_ms);

/* connection_finish(), then joins the sender and frees; waits at most timeout_ms.  When a
 * message() does not return for that long the connection is left as it is for the process
 * to end with: no callback comes any more, nothing more is acknowledged, and the broker
 * will publish the will.  NULL is fine. */
void connection_close(struct connection *c, int64_t timeout_ms);

#endif
