/* Messages that must reach the broker: task documents, clearings, replies, events.
 *
 * Each is a row of the store, written in the transaction that makes it true.  The row is
 * deleted in the next transaction after the broker has acknowledged the version that was
 * sent.  The last value of a retained topic wins, and at most one message per topic is in
 * flight, so a revision never goes back on the wire.  Answers to reads are sent the same
 * way but are not stored.  For the loop's thread. */
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
	/* Makes the present document of a task, NULL when the task is gone; the outbox
	 * frees it. */
	char *(*document)(void *context, const char *task);
	/* Makes the topic of a task's document; the outbox frees it. */
	char *(*topic)(void *context, const char *task);
	void *context;
};

/* Loads what was not acknowledged before the last exit. */
int outbox_open(struct outbox **out, const struct outbox_options *options,
		struct err *err);
void outbox_close(struct outbox *outbox); /* NULL is fine */

/* ---- within a turn, before its commit ---- */

/* The document of this task has changed.  It is made when it is sent. */
void outbox_add_document(struct outbox *outbox, const char *task, int64_t age);

/* Sends it again without a row, as every document is after a reconnect. */
void outbox_resend_document(struct outbox *outbox, const char *task);

/* Empties a retained topic. */
void outbox_add_clearing(struct outbox *outbox, const char *topic, int64_t age);

struct outbox_reply {
	const char *topic, *payload;
	const void *correlation;
	size_t correlation_size;
	int64_t not_before; /* monotonic, milliseconds */
	int64_t age;
	bool stored;		  /* false: the answer to a read */
	int packet;		  /* id of the message it answers, 0 for none */
	const char *message_hash; /* sha256 of that message */
};

void outbox_add_reply(struct outbox *outbox, const struct outbox_reply *reply);

/* Is the message of this packet id and hash (sha256 of topic and payload) a redelivery?
 * It is when its reply was made and the broker may not know that yet: until the reply is
 * acknowledged, and after a reconnect until the broker has acknowledged something that
 * was sent after all redeliveries. */
bool outbox_is_redelivery(const struct outbox *outbox, int packet, const char *hash);

/* All redeliveries of this connection have been received; token was the last one used. */
void outbox_backlog_received(struct outbox *outbox, uint64_t token);

/* The broker has acknowledged the message of token, whoever sent it. */
void outbox_broker_acknowledged(struct outbox *outbox, uint64_t token, int64_t now);

/* The broker began a new session: earlier packet ids have no meaning any more. */
void outbox_new_session(struct outbox *outbox);

/* Numbers an event and writes it to the store; data is a JSON text or NULL. */
void outbox_add_event(struct outbox *outbox, const char *name, const char *id,
		      const char *data, const char *store_name, int64_t wall_ms);

/* Deletes from the store what the broker acknowledged; part of any turn that writes. */
void outbox_settle(struct outbox *outbox);

/* Has anything waited to be settled since before this monotonic time? */
bool outbox_wants_settling(const struct outbox *outbox, int64_t before);

/* ---- after the commit ---- */

/* Adds publishes to effects while fewer than window messages are unacknowledged; tokens
 * are taken from *token. */
void outbox_send(struct outbox *outbox, struct effects *effects, uint32_t epoch,
		 int64_t now, int64_t age, unsigned window, uint64_t *token);

/* The same for answers to reads only, while a full disk holds back the rest. */
void outbox_send_unstored(struct outbox *outbox, struct effects *effects, uint32_t epoch,
			  int64_t now, unsigned window, uint64_t *token);

/* The delivery of token has ended, ok or refused; false if it was not one of the
 * outbox's. */
bool outbox_completed(struct outbox *outbox, uint64_t token, bool ok, int64_t now);

/* Nothing is in flight any more. */
void outbox_disconnected(struct outbox *outbox);
void outbox_connected(struct outbox *outbox);

unsigned outbox_in_flight(const struct outbox *outbox);

/* How many messages are not acknowledged, and how many were dropped since the start. */
int64_t outbox_depth(const struct outbox *outbox);
int64_t outbox_dropped(const struct outbox *outbox);

/* Has this task's last document been acknowledged? */
bool outbox_document_acknowledged(const struct outbox *outbox, const char *task);

/* When the next delayed reply or settling is due, -1 for none. */
int64_t outbox_wake(const struct outbox *outbox, int64_t now);

int64_t outbox_last_seq(const struct outbox *outbox);

#endif
