/* Events on their way to the broker, in order.
 *
 * They are rows of the store; only their numbers are held here.  An event is over when it
 * and all before it are acknowledged.  For the loop's thread. */
#ifndef AGENT_OUTBOX_EVENT_LOG_H
#define AGENT_OUTBOX_EVENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/model/effect.h"
#include "agent/store/store.h"

#define FEED_UNSENT_MAX 5000 /* beyond these the oldest are skipped */
#define FEED_FLYING_MAX 16

struct event_flight {
	uint64_t token;
	int64_t seq;
};

struct feed {
	struct store *store;
	char *topic;
	/* all up to sent are acknowledged, all up to posted were sent */
	int64_t last, sent, posted;
	struct event_flight flights[FEED_FLYING_MAX];
	unsigned in_flight;
	bool sent_waits; /* for a transaction */
	int64_t dropped;
};

/* Goes on where the store says that it was; topic is copied. */
int feed_open(struct feed *feed, struct store *store, const char *topic);
void feed_close(struct feed *feed);

/* Writes and numbers an event; data is a JSON text or NULL. */
void feed_add(struct feed *feed, const char *name, const char *id, const char *data,
	      const char *store_name, int64_t wall_ms);

/* Writes down what is acknowledged; part of a transaction. */
void feed_settle(struct feed *feed);

/* Publishes the next event; false when there is none. */
bool feed_pump(struct feed *feed, struct effects *effects, uint32_t epoch,
	       uint64_t *token);

/* True when token was one of ours. */
bool feed_sent(struct feed *feed, uint64_t token, bool ok);

/* Nothing is in flight any more. */
void feed_link_down(struct feed *feed);

#endif
