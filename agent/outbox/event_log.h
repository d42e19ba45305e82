/* Numbered events on their way to the broker, in order.
 *
 * They are rows of the store; only their numbers are in memory.  An event is done when it
 * and all events before it are acknowledged.  For the loop's thread. */
#ifndef AGENT_OUTBOX_EVENT_LOG_H
#define AGENT_OUTBOX_EVENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/model/effect.h"
#include "agent/store/store.h"

#define EVENT_LOG_UNSENT_MAX 5000 /* beyond these the oldest are skipped */
#define EVENT_LOG_IN_FLIGHT_MAX 16

struct event_in_flight {
	uint64_t token;
	int64_t seq;
};

struct event_log {
	struct store *store;
	char *topic;
	int64_t last;  /* number of the newest event */
	int64_t sent;  /* all up to here were sent on this connection */
	int64_t acked; /* all up to here are acknowledged or were skipped */
	bool acked_unsaved;
	struct event_in_flight in_flight[EVENT_LOG_IN_FLIGHT_MAX]; /* oldest first */
	unsigned in_flight_count;
	int64_t dropped;
};

/* Continues where the store says it was; topic is copied. */
int event_log_open(struct event_log *log, struct store *store, const char *topic);
void event_log_close(struct event_log *log);

/* Numbers an event and writes it to the store; data is a JSON text or NULL. */
void event_log_add(struct event_log *log, const char *name, const char *id,
		   const char *data, const char *store_name, int64_t wall_ms);

/* Writes to the store what is acknowledged; part of a transaction. */
void event_log_save_acked(struct event_log *log);

/* Publishes the next event; false when there is none. */
bool event_log_send(struct event_log *log, struct effects *effects, uint32_t epoch,
		    uint64_t *token);

/* The delivery of token has ended, ok or refused; false if it was not one of the log's.
 */
bool event_log_completed(struct event_log *log, uint64_t token, bool ok);

/* Nothing is in flight any more. */
void event_log_disconnected(struct event_log *log);

#endif
