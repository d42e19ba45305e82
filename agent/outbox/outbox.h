/* Promises on their way to the broker: task documents, clearings, replies, events.
 *
 * Each is a row of the store, made in the transaction that makes it true; it leaves only
 * when the broker has acknowledged the version that was sent, and its deletion rides with
 * the next transaction.  The last value of a retained topic wins; at most one message of
 * a topic is in flight, so a revision never goes back on the wire.  Answers to reads take
 * the same way out but are not stored. */
#ifndef AGENT_OUTBOX_OUTBOX_H
#define AGENT_OUTBOX_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/model/effect.h"
#include "agent/store/store.h"

#define OUTBOX_REPLIES_MAX 1000
#define OUTBOX_REPLY_AGE_MS (60 * 60 * 1000)

struct outbox;

struct outbox_options {
	struct store *store;
	const char *event_topic;
	/* Makes the topic and the present document of a task, NULL when it is gone; the
	 * caller frees both. */
	char *(*document)(void *context, const char *task);
	char *(*topic)(void *context, const char *task);
	void *context;
};

/* Loads what was not sent before the last end. */
int outbox_open(struct outbox **out, const struct outbox_options *options,
		struct err *err);
void outbox_close(struct outbox *outbox); /* NULL is fine */

/* ---- within a turn, before its commit ---- */

/* The document of this task has changed. */
void outbox_document(struct outbox *outbox, const char *task, int64_t age);

/* The same without a row: after a reconnect every document goes out again. */
void outbox_document_again(struct outbox *outbox, const char *task);

/* The retained topic shall be empty. */
void outbox_clearing(struct outbox *outbox, const char *topic, int64_t age);

struct outbox_reply {
	const char *topic, *payload;
	const void *correlation;
	size_t correlation_size;
	int64_t not_before; /* monotonic */
	int64_t age;
	bool stored;	     /* false: the answer to a read */
	int packet;	     /* the message that it answers: its packet id, 0 for none */
	const char *message; /* and its sha256 */
};

/* Was this message (a packet id and the sha256 of topic and payload) carried out already,
 * and does the broker perhaps not know yet?  Then it is a redelivery.  It does not know
 * while the reply is not acknowledged; nor, after a reconnect, before it has heard what
 * was sent behind all redeliveries. */
bool outbox_answers(const struct outbox *outbox, int packet, const char *message);

/* All that may be a redelivery on this connection has come; token was given out last. */
void outbox_backlog_came(struct outbox *outbox, uint64_t token);

/* The broker has acknowledged the message of this token, anybody's. */
void outbox_heard(struct outbox *outbox, uint64_t token, int64_t now);

/* The broker began a new session: packet ids mean nothing any more. */
void outbox_new_session(struct outbox *outbox);
void outbox_reply(struct outbox *outbox, const struct outbox_reply *reply);

/* Writes and numbers an event; data is a JSON text or NULL. */
void outbox_event(struct outbox *outbox, const char *name, const char *id,
		  const char *data, const char *store_name, int64_t wall_ms);

/* Takes what the broker acknowledged out of the store; part of any turn that writes. */
void outbox_settle(struct outbox *outbox);

/* Is there something to settle since before this monotonic time? */
bool outbox_wants_settling(const struct outbox *outbox, int64_t before);

/* ---- after the commit ---- */

/* Adds publishes to effects while the window of unacknowledged messages has room; tokens
 * are taken from *token. */
void outbox_pump(struct outbox *outbox, struct effects *effects, uint32_t epoch,
		 int64_t now, int64_t age, unsigned window, uint64_t *token);

/* The same for what is not stored, while a full disk holds back the rest. */
void outbox_pump_unstored(struct outbox *outbox, struct effects *effects, uint32_t epoch,
			  int64_t now, unsigned window, uint64_t *token);

/* True when token was one of the outbox's. */
bool outbox_sent(struct outbox *outbox, uint64_t token, bool ok, int64_t now);

/* Nothing is in flight any more. */
void outbox_link_down(struct outbox *outbox);
void outbox_link_up(struct outbox *outbox);

unsigned outbox_flying(const struct outbox *outbox);

/* Unsent promises, and what was given up since the start. */
int64_t outbox_depth(const struct outbox *outbox);
int64_t outbox_dropped(const struct outbox *outbox);

/* Has this task's last document been acknowledged? */
bool outbox_acknowledged(const struct outbox *outbox, const char *task);

/* When a delayed reply is due next, -1 for none. */
int64_t outbox_wake(const struct outbox *outbox, int64_t now);

int64_t outbox_last_seq(const struct outbox *outbox);

#endif
