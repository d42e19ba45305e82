/* One attempt to be connected: a Paho handle from its CONNECT to its end, never used
 * twice.
 *
 * Paho repeats unacknowledged messages when a handle connects again, and would so send an
 * older version of a retained topic after a newer one; that is why a link is thrown away
 * and the next one made anew.  What knows Paho is in link*.c alone.
 *
 * link_open(), link_send() … link_free() are for one thread, the sender of connection.h.
 * They may block while Paho is busy, also for as long as message() takes: never call them
 * with a lock held that an event takes. */
#ifndef MQTT_PAHO_CLIENT_H
#define MQTT_PAHO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "mqtt/types.h"
#include "mqtt/tls.h"
#include "mqtt/url.h"

struct link;

struct link_options {
	struct url url;
	struct tls_files tls;
	int mqtt_version; /* 5, or 4 for 3.1.1 (what Paho and the CONNECT packet call it)
			   */
	const char *user, *password; /* NULL without one */
	const char *client_id;
	const char *will_topic;
	const char *will_text;
	int session_expiry_s;
	int keep_alive_s;
};

/* What the broker said in its CONNACK. */
struct link_terms {
	bool session_present;
	int mqtt_version;
	unsigned receive_max; /* QoS 1 messages that may be unacknowledged at once */
	uint32_t packet_max;  /* bytes of the largest packet it takes; UINT32_MAX: any */
	int keep_alive_s;     /* its own, else ours */
};

/* What the end of a link means for the next one. */
enum link_loss {
	LOSS_OTHER,   /* nothing: the network, a login, an end after a CONNACK */
	LOSS_NO_LINK, /* no TCP, TLS or WebSocket connection came about */
	LOSS_HUNG_UP, /* the broker closed instead of answering the CONNECT */
	LOSS_VERSION, /* the broker does not speak this version of MQTT */
};

enum link_result {
	LINK_DONE,    /* acknowledged, or written at QoS 0 */
	LINK_REFUSED, /* the broker answered with a reason code of 0x80 and above */
	LINK_BROKEN,  /* no answer will come: the link is ending */
};

/* Paho's threads call these, one at a time, and link_free(); none comes after that. */
struct link_events {
	void *context;
	void (*up)(void *context, const struct link_terms *terms);
	/* Not connected, or no longer.  May come more than once; the first knows best. */
	void (*lost)(void *context, enum link_loss loss, const char *why);
	void (*message)(void *context, const struct incoming *message);
	/* What was asked for with tag has ended: exactly once for each call that returned
	 * 0, perhaps before it returned, and in link_free() for whatever is left then. */
	void (*done)(void *context, void *tag, enum link_result result);
	/* link_disconnect() is through. */
	void (*disconnected)(void *context);
};

/* Makes the handle and begins to connect; up() or lost() follows.  In 3.1.1 properties,
 * expiry and the options of filters are left out: the protocol has none.  will_topic and
 * will_text must stay valid as long as the link; all else is copied. */
int link_open(struct link **out, const struct link_options *options,
	      const struct link_events *events, struct err *err);

/* Each returns 0, and done() follows; or a negative errno with a sentence: -EINVAL when
 * it can never be sent, -ENOTCONN when the link has just ended, -EIO and -ENOMEM. */
int link_send(struct link *link, const struct outgoing *message, void *tag,
	      struct err *err);
int link_subscribe(struct link *link, const struct filter *filters, size_t n, void *tag,
		   struct err *err);
int link_unsubscribe(struct link *link, const char *const *topics, size_t n, void *tag,
		     struct err *err);

/* Sends DISCONNECT behind what was asked for before; with_will: the broker shall publish
 * the will all the same (3.1.1 has no such reason, so there the link publishes it
 * itself).  disconnected() follows when this returns 0. */
int link_disconnect(struct link *link, bool with_will);

/* Closes the socket and waits until the event that runs has returned.  When it was the
 * only link, Paho's threads end too, which takes 0.1 to 0.2 s: worth it, because young
 * threads notice a new connection at once and old ones only after a second.  NULL is
 * fine. */
void link_free(struct link *link);

#endif
