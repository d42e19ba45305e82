/* The outbox: what must reach the broker, in the store until it is acknowledged. */
#include "agent/outbox/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "agent/base/log.h"
#include "agent/outbox/event_log.h"

/* A task document, a clearing or a reply that the broker has not acknowledged. */
struct outbox_message {
	enum message_kind kind;
	int64_t number; /* of its row; 0: not stored */
	char *topic;
	char task[TASK_ID];
	char *payload; /* of a reply */
	void *correlation;
	size_t correlation_size;
	int packet; /* a stored reply: packet id of the message it answers, 0 for none */
	char message_hash[SHA256_HEX]; /* and its sha256 */
	int64_t age, not_before;
	uint64_t token; /* 0: not in flight */
	bool changed;	/* a newer version came while it was in flight */
	bool refused;	/* by the broker: not sent again on this connection */
	struct outbox_message *prev, *next;
	UT_hash_handle hh; /* by topic: documents and clearings */
};

/* A message is in one of the lists.  Documents and clearings are in by_topic too. */
struct outbox {
	struct outbox_options options;
	struct outbox_message *by_topic;
	struct outbox_message *ready; /* documents and clearings */
	struct outbox_message *replies;
	struct outbox_message *in_flight;
	unsigned in_flight_count, reply_count;

	/* Messages of earlier connections may be redelivered until the broker has
	 * acknowledged a token above backlog_end (0: not known yet).  Until then
	 * acknowledged replies are remembered. */
	bool backlog;
	uint64_t backlog_end;
	struct outbox_message *acked;
	unsigned acked_count;

	int64_t next_number;
	struct event_log events;

	/* rows that the next transaction deletes */
	int64_t *obsolete;
	size_t obsolete_count, obsolete_room;
	int64_t obsolete_since; /* monotonic; 0: none */

	int64_t dropped;
};

/* ---- one message ---- */

static void message_free(struct outbox_message *message)
{
	free(message->topic);
	free(message->payload);
	free(message->correlation);
	free(message);
}

static struct outbox_message *message_new(enum message_kind kind, const char *topic)
{
	struct outbox_message *message = calloc(1, sizeof(*message));

	if (!message || !(message->topic = strdup(topic)))
		abort(); /* see effects_add() */
	message->kind = kind;
	return message;
}

static void message_set_correlation(struct outbox_message *message, const void *bytes,
				    size_t size)
{
	if (!bytes)
		return;
	message->correlation = malloc(size ? size : 1);
	if (!message->correlation)
		abort();
	memcpy(message->correlation, bytes, size);
	message->correlation_size = size;
}

/* Is it the reply to the message of this packet id and hash? */
static bool message_answers(const struct outbox_message *message, int packet,
			    const char *hash)
{
	return message->packet == packet && !strcmp(message->message_hash, hash);
}

static void messages_free(struct outbox_message **list)
{
	struct outbox_message *message, *next;

	DL_FOREACH_SAFE(*list, message, next) {
		DL_DELETE(*list, message);
		message_free(message);
	}
}

/* ---- opening and closing ---- */

static struct outbox_message *outbox_find(const struct outbox *outbox, const char *topic)
{
	struct outbox_message *message;

	HASH_FIND_STR(outbox->by_topic, topic, message);
	return message;
}

static void outbox_add_retained(struct outbox *outbox, struct outbox_message *message)
{
	HASH_ADD_KEYPTR(hh, outbox->by_topic, message->topic, strlen(message->topic),
			message);
	DL_APPEND(outbox->ready, message);
}

/* Adds a row of the store. */
static void outbox_load(void *context, const struct message_row *row)
{
	struct outbox *outbox = context;
	struct outbox_message *message = message_new(row->kind, row->topic);

	message->number = row->number;
	message->age = row->age;
	snprintf(message->task, sizeof(message->task), "%s", row->task);
	if (row->number >= outbox->next_number)
		outbox->next_number = row->number + 1;
	if (row->kind != MESSAGE_REPLY) {
		outbox_add_retained(outbox, message);
		return;
	}
	task_set_text(&message->payload, row->payload);
	message_set_correlation(message, row->correlation, row->correlation_size);
	message->packet = row->packet;
	snprintf(message->message_hash, sizeof(message->message_hash), "%s",
		 row->message_hash);
	DL_APPEND(outbox->replies, message);
	outbox->reply_count++;
}

int outbox_open(struct outbox **out, const struct outbox_options *options,
		struct err *err)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (!outbox ||
	    event_log_open(&outbox->events, options->store, options->event_topic) < 0) {
		free(outbox);
		return err_set(err, -ENOMEM, "out of memory");
	}
	outbox->options = *options;
	outbox->next_number = 1;
	outbox->backlog = true;
	store_message_each(options->store, outbox_load, outbox);
	*out = outbox;
	return 0;
}

void outbox_close(struct outbox *outbox)
{
	if (!outbox)
		return;

	HASH_CLEAR(hh, outbox->by_topic);
	messages_free(&outbox->ready);
	messages_free(&outbox->replies);
	messages_free(&outbox->in_flight);
	messages_free(&outbox->acked);
	free(outbox->obsolete);
	event_log_close(&outbox->events);
	free(outbox);
}

static void outbox_store(struct outbox *outbox, struct outbox_message *message)
{
	struct message_row row = {
		.kind = message->kind,
		.topic = message->topic,
		.task = message->task,
		.payload = message->payload ? message->payload : "",
		.correlation = message->correlation,
		.correlation_size = message->correlation_size,
		.age = message->age,
		.packet = message->packet,
		.message_hash = message->message_hash,
	};

	if (!message->number)
		message->number = outbox->next_number++;
	row.number = message->number;
	store_message_add(outbox->options.store, &row);
}

/* Adds a message to a retained topic, in place of an older one that waits. */
static void outbox_set_retained(struct outbox *outbox, enum message_kind kind,
				const char *topic, const char *task, int64_t age,
				bool stored)
{
	struct outbox_message *message = outbox_find(outbox, topic);
	bool known = message && message->number && message->kind == kind;

	if (!message) {
		message = message_new(kind, topic);
		outbox_add_retained(outbox, message);
	}
	message->kind = kind;
	message->age = age;
	message->changed = true;
	message->refused = false;
	snprintf(message->task, sizeof(message->task), "%s", task);
	if (stored && !known)
		outbox_store(outbox, message);
}

void outbox_add_document(struct outbox *outbox, const char *task, int64_t age)
{
	char *topic = outbox->options.topic(outbox->options.context, task);

	outbox_set_retained(outbox, MESSAGE_DOCUMENT, topic, task, age, true);
	free(topic);
}

void outbox_resend_document(struct outbox *outbox, const char *task)
{
	char *topic = outbox->options.topic(outbox->options.context, task);

	if (!outbox_find(outbox, topic))
		outbox_set_retained(outbox, MESSAGE_DOCUMENT, topic, task, 0, false);
	free(topic);
}

void outbox_add_clearing(struct outbox *outbox, const char *topic, int64_t age)
{
	outbox_set_retained(outbox, MESSAGE_CLEARING, topic, "", age, true);
}

/* Lets the next transaction delete the row; 0: there is none. */
static void outbox_delete_later(struct outbox *outbox, int64_t number)
{
	if (!number)
		return;
	if (outbox->obsolete_count == outbox->obsolete_room) {
		size_t room = outbox->obsolete_room ? 2 * outbox->obsolete_room : 64;
		int64_t *obsolete = realloc(outbox->obsolete, room * sizeof(*obsolete));

		if (!obsolete)
			abort();
		outbox->obsolete = obsolete;
		outbox->obsolete_room = room;
	}
	outbox->obsolete[outbox->obsolete_count++] = number;
}

static void outbox_drop_oldest_reply(struct outbox *outbox)
{
	struct outbox_message *message = outbox->replies;

	DL_DELETE(outbox->replies, message);
	outbox->reply_count--;
	outbox->dropped++;
	outbox_delete_later(outbox, message->number);
	message_free(message);
}

void outbox_add_reply(struct outbox *outbox, const struct outbox_reply *reply)
{
	struct outbox_message *message = message_new(MESSAGE_REPLY, reply->topic);

	task_set_text(&message->payload, reply->payload);
	message_set_correlation(message, reply->correlation, reply->correlation_size);
	message->not_before = reply->not_before;
	message->age = reply->age;
	if (reply->stored && reply->packet) {
		message->packet = reply->packet;
		snprintf(message->message_hash, sizeof(message->message_hash), "%s",
			 reply->message_hash);
	}
	/* There may be more after a restart, when acknowledged ones count again. */
	while (outbox->reply_count >= OUTBOX_REPLIES_MAX && outbox->replies)
		outbox_drop_oldest_reply(outbox);
	DL_APPEND(outbox->replies, message);
	outbox->reply_count++;
	if (reply->stored)
		outbox_store(outbox, message);
}

void outbox_add_event(struct outbox *outbox, const char *name, const char *id,
		      const char *data, const char *store_name, int64_t wall_ms)
{
	event_log_add(&outbox->events, name, id, data, store_name, wall_ms);
}

void outbox_settle(struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->obsolete_count; i++)
		store_message_delete(outbox->options.store, outbox->obsolete[i]);
	outbox->obsolete_count = 0;
	event_log_save_acked(&outbox->events);
	outbox->obsolete_since = 0;
}

bool outbox_wants_settling(const struct outbox *outbox, int64_t before)
{
	return outbox->obsolete_since && outbox->obsolete_since <= before;
}

static void mark_in_flight(struct outbox *outbox, struct outbox_message **list,
			   struct outbox_message *message, uint64_t token)
{
	DL_DELETE(*list, message);
	DL_APPEND(outbox->in_flight, message);
	outbox->in_flight_count++;
	message->token = token;
	message->changed = false;
}

static void outbox_drop_old_replies(struct outbox *outbox, int64_t age)
{
	while (outbox->replies && age - outbox->replies->age > OUTBOX_REPLY_AGE_MS)
		outbox_drop_oldest_reply(outbox);
}

/* Publishes the next reply that is due; false when there is none. */
static bool send_reply(struct outbox *outbox, struct effects *effects, uint32_t epoch,
		       int64_t now, bool unstored_only, uint64_t *token)
{
	struct outbox_message *message, *next;

	DL_FOREACH_SAFE(outbox->replies, message, next) {
		struct effect *effect;
		char *payload = NULL;

		if (message->not_before > now || message->refused ||
		    (unstored_only && message->number))
			continue;
		mark_in_flight(outbox, &outbox->replies, message, ++*token);
		task_set_text(&payload, message->payload);
		effect = effects_publish(effects, epoch, *token, message->topic, payload);
		if (message->correlation) {
			effect->correlation = malloc(message->correlation_size + 1);
			if (!effect->correlation)
				abort();
			memcpy(effect->correlation, message->correlation,
			       message->correlation_size);
			effect->correlation_size = message->correlation_size;
		}
		return true;
	}
	return false;
}

/* Publishes the next document or clearing; false when there is none. */
static bool send_retained(struct outbox *outbox, struct effects *effects, uint32_t epoch,
			  uint64_t *token)
{
	struct outbox_message *message, *next;

	DL_FOREACH_SAFE(outbox->ready, message, next) {
		char *payload = NULL;

		if (message->refused)
			continue;
		if (message->kind == MESSAGE_DOCUMENT) {
			payload = outbox->options.document(outbox->options.context,
							   message->task);
			/* The task was pruned.  Its topic's clearing would be this very
			 * message, so there is nothing left to send. */
			if (!payload) {
				DL_DELETE(outbox->ready, message);
				HASH_DEL(outbox->by_topic, message);
				outbox_delete_later(outbox, message->number);
				message_free(message);
				continue;
			}
		}
		mark_in_flight(outbox, &outbox->ready, message, ++*token);
		effects_publish(effects, epoch, *token, message->topic, payload)->retain =
			true;
		return true;
	}
	return false;
}

unsigned outbox_in_flight(const struct outbox *outbox)
{
	return outbox->in_flight_count + outbox->events.in_flight_count;
}

void outbox_send(struct outbox *outbox, struct effects *effects, uint32_t epoch,
		 int64_t now, int64_t age, unsigned window, uint64_t *token)
{
	bool sent = true;

	outbox_drop_old_replies(outbox, age);
	while (sent) {
		sent = false;
		if (outbox_in_flight(outbox) < window)
			sent |= send_reply(outbox, effects, epoch, now, false, token);
		if (outbox_in_flight(outbox) < window)
			sent |= event_log_send(&outbox->events, effects, epoch, token);
		if (outbox_in_flight(outbox) < window)
			sent |= send_retained(outbox, effects, epoch, token);
	}
}

void outbox_send_unstored(struct outbox *outbox, struct effects *effects, uint32_t epoch,
			  int64_t now, unsigned window, uint64_t *token)
{
	while (outbox_in_flight(outbox) < window)
		if (!send_reply(outbox, effects, epoch, now, true, token))
			return;
}

bool outbox_is_redelivery(const struct outbox *outbox, int packet, const char *hash)
{
	const struct outbox_message *message;

	DL_FOREACH(outbox->replies, message)
		if (message_answers(message, packet, hash))
			return true;
	DL_FOREACH(outbox->in_flight, message)
		if (message_answers(message, packet, hash))
			return true;
	DL_FOREACH(outbox->acked, message)
		if (message_answers(message, packet, hash))
			return true;
	return false;
}

static void outbox_forget_acked(struct outbox *outbox)
{
	struct outbox_message *message = outbox->acked;

	DL_DELETE(outbox->acked, message);
	outbox->acked_count--;
	outbox_delete_later(outbox, message->number);
	message_free(message);
}

/* Our PUBACK was sent before the reply, but perhaps on a connection that ended before the
 * broker received it.  Then, on the next connection, the reply may be acknowledged before
 * the message is redelivered, and once more before the broker has the PUBACK of that. */
static void outbox_remember_acked(struct outbox *outbox, struct outbox_message *message)
{
	if (outbox->acked_count == OUTBOX_REPLIES_MAX)
		outbox_forget_acked(outbox);
	DL_APPEND(outbox->acked, message);
	outbox->acked_count++;
}

void outbox_backlog_received(struct outbox *outbox, uint64_t token)
{
	outbox->backlog_end = token;
}

void outbox_broker_acknowledged(struct outbox *outbox, uint64_t token, int64_t now)
{
	if (!outbox->backlog || !outbox->backlog_end || token <= outbox->backlog_end)
		return;
	outbox->backlog = false;
	if (outbox->acked && !outbox->obsolete_since)
		outbox->obsolete_since = now;
	while (outbox->acked)
		outbox_forget_acked(outbox);
}

void outbox_new_session(struct outbox *outbox)
{
	struct outbox_message *message;
	bool any = outbox->acked != NULL;

	DL_FOREACH(outbox->replies, message) {
		any |= message->packet != 0;
		message->packet = 0;
	}
	while (outbox->acked)
		outbox_forget_acked(outbox);
	if (any)
		store_clear_packet_ids(outbox->options.store);
}

static void outbox_delivered(struct outbox *outbox, struct outbox_message *message)
{
	if (message->kind == MESSAGE_REPLY) {
		outbox->reply_count--;
		if (message->packet && outbox->backlog) {
			outbox_remember_acked(outbox, message);
			return;
		}
	} else if (message->changed) {
		DL_APPEND(outbox->ready, message);
		return;
	} else {
		HASH_DEL(outbox->by_topic, message);
	}
	outbox_delete_later(outbox, message->number);
	message_free(message);
}

static void outbox_refused(struct outbox *outbox, struct outbox_message *message)
{
	log_warn("the broker refused a message to %s", message->topic);
	message->refused = !message->changed;
	if (message->kind == MESSAGE_REPLY)
		DL_PREPEND(outbox->replies, message);
	else
		DL_PREPEND(outbox->ready, message);
}

bool outbox_completed(struct outbox *outbox, uint64_t token, bool ok, int64_t now)
{
	struct outbox_message *message;

	DL_FOREACH(outbox->in_flight, message)
		if (message->token == token)
			break;
	if (message) {
		DL_DELETE(outbox->in_flight, message);
		outbox->in_flight_count--;
		message->token = 0;
		if (ok)
			outbox_delivered(outbox, message);
		else
			outbox_refused(outbox, message);
	} else if (!event_log_completed(&outbox->events, token, ok)) {
		return false;
	}
	if (!outbox->obsolete_since)
		outbox->obsolete_since = now;
	return true;
}

void outbox_disconnected(struct outbox *outbox)
{
	struct outbox_message *message, *next;
	struct outbox_message *replies = NULL, *ready = NULL;

	/* Messages that were in flight are the first again, in their old order. */
	DL_FOREACH_SAFE(outbox->in_flight, message, next) {
		DL_DELETE(outbox->in_flight, message);
		message->token = 0;
		if (message->kind == MESSAGE_REPLY)
			DL_APPEND(replies, message);
		else
			DL_APPEND(ready, message);
	}
	DL_CONCAT(replies, outbox->replies);
	DL_CONCAT(ready, outbox->ready);
	outbox->replies = replies;
	outbox->ready = ready;
	outbox->in_flight_count = 0;
	event_log_disconnected(&outbox->events);
}

void outbox_connected(struct outbox *outbox)
{
	struct outbox_message *message;

	outbox->backlog = true;
	outbox->backlog_end = 0;
	DL_FOREACH(outbox->ready, message)
		message->refused = false;
	DL_FOREACH(outbox->replies, message)
		message->refused = false;
}

int64_t outbox_depth(const struct outbox *outbox)
{
	return (int64_t)HASH_COUNT(outbox->by_topic) + outbox->reply_count +
	       (outbox->events.last - outbox->events.acked);
}

int64_t outbox_dropped(const struct outbox *outbox)
{
	return outbox->dropped + outbox->events.dropped;
}

bool outbox_document_acknowledged(const struct outbox *outbox, const char *task)
{
	char *topic = outbox->options.topic(outbox->options.context, task);
	bool acknowledged = !outbox_find(outbox, topic);

	free(topic);
	return acknowledged;
}

int64_t outbox_wake(const struct outbox *outbox, int64_t now)
{
	int64_t wake = outbox->obsolete_since ? outbox->obsolete_since + 1000 : -1;
	struct outbox_message *message;

	DL_FOREACH(outbox->replies, message)
		if (message->not_before > now && (wake < 0 || message->not_before < wake))
			wake = message->not_before;
	return wake;
}

int64_t outbox_last_seq(const struct outbox *outbox)
{
	return outbox->events.last;
}
