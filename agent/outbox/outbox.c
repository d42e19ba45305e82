#include "agent/outbox/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/outbox/event_log.h"
#include "agent/outbox/message.h"

struct outbox {
	struct outbox_options options;
	struct letter *by_topic;
	struct letter *ready, *replies, *in_flight;
	unsigned flying_count, reply_count;
	bool backlog;	       /* what came before this connection may come again */
	uint64_t backlog_ends; /* with the acknowledgement of a later token; 0: not known
				  yet */
	/* Acknowledged replies that are remembered until it cannot. */
	struct letter *told;
	unsigned told_count;
	int64_t next_number;
	struct event_log events;
	/* acknowledged rows that wait for a transaction */
	int64_t *kept;
	size_t kept_count, kept_room;
	int64_t kept_since; /* monotonic; 0: none */
	int64_t dropped;
};

static struct letter *outbox_find(const struct outbox *outbox, const char *topic)
{
	struct letter *letter;

	HASH_FIND_STR(outbox->by_topic, topic, letter);
	return letter;
}

static void outbox_add_retained(struct outbox *outbox, struct letter *letter)
{
	HASH_ADD_KEYPTR(hh, outbox->by_topic, letter->topic, strlen(letter->topic),
			letter);
	DL_APPEND(outbox->ready, letter);
}

static void outbox_load(void *context, const struct promise_row *row)
{
	struct outbox *outbox = context;
	struct letter *letter = letter_new(row->kind, row->topic);

	letter->number = row->number;
	letter->age = row->age;
	snprintf(letter->task, sizeof(letter->task), "%s", row->task);
	if (row->number >= outbox->next_number)
		outbox->next_number = row->number + 1;
	if (row->kind != PROMISE_REPLY) {
		outbox_add_retained(outbox, letter);
		return;
	}
	task_set_text(&letter->payload, row->payload);
	letter_set_correlation(letter, row->correlation, row->correlation_size);
	letter->packet = row->packet;
	snprintf(letter->message, sizeof(letter->message), "%s", row->message);
	DL_APPEND(outbox->replies, letter);
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
	store_promises(options->store, outbox_load, outbox);
	*out = outbox;
	return 0;
}

void outbox_close(struct outbox *outbox)
{
	if (!outbox)
		return;

	HASH_CLEAR(hh, outbox->by_topic);
	letters_free(&outbox->ready);
	letters_free(&outbox->replies);
	letters_free(&outbox->in_flight);
	letters_free(&outbox->told);
	free(outbox->kept);
	event_log_close(&outbox->events);
	free(outbox);
}

static void outbox_store(struct outbox *outbox, struct letter *letter)
{
	struct promise_row row = {
		.kind = letter->kind,
		.topic = letter->topic,
		.task = letter->task,
		.payload = letter->payload ? letter->payload : "",
		.correlation = letter->correlation,
		.correlation_size = letter->correlation_size,
		.age = letter->age,
		.packet = letter->packet,
		.message = letter->message,
	};

	if (!letter->number)
		letter->number = outbox->next_number++;
	row.number = letter->number;
	store_promise(outbox->options.store, &row);
}

/* The letter of a retained topic; a newer version takes the place of an older one. */
static void outbox_retained(struct outbox *outbox, enum promise kind, const char *topic,
			    const char *task, int64_t age, bool stored)
{
	struct letter *letter = outbox_find(outbox, topic);
	bool known = letter && letter->number && letter->kind == kind;

	if (!letter) {
		letter = letter_new(kind, topic);
		outbox_add_retained(outbox, letter);
	}
	letter->kind = kind;
	letter->age = age;
	letter->changed = true;
	letter->refused = false;
	snprintf(letter->task, sizeof(letter->task), "%s", task);
	if (stored && !known)
		outbox_store(outbox, letter);
}

void outbox_document(struct outbox *outbox, const char *task, int64_t age)
{
	char *topic = outbox->options.topic(outbox->options.context, task);

	outbox_retained(outbox, PROMISE_DOCUMENT, topic, task, age, true);
	free(topic);
}

void outbox_document_again(struct outbox *outbox, const char *task)
{
	char *topic = outbox->options.topic(outbox->options.context, task);

	if (!outbox_find(outbox, topic))
		outbox_retained(outbox, PROMISE_DOCUMENT, topic, task, 0, false);
	free(topic);
}

void outbox_clearing(struct outbox *outbox, const char *topic, int64_t age)
{
	outbox_retained(outbox, PROMISE_CLEARING, topic, "", age, true);
}

static void outbox_keep(struct outbox *outbox, int64_t number)
{
	if (!number)
		return;
	if (outbox->kept_count == outbox->kept_room) {
		size_t room = outbox->kept_room ? 2 * outbox->kept_room : 64;
		int64_t *kept = realloc(outbox->kept, room * sizeof(*kept));

		if (!kept)
			abort();
		outbox->kept = kept;
		outbox->kept_room = room;
	}
	outbox->kept[outbox->kept_count++] = number;
}

static void outbox_drop_oldest_reply(struct outbox *outbox)
{
	struct letter *letter = outbox->replies;

	DL_DELETE(outbox->replies, letter);
	outbox->reply_count--;
	outbox->dropped++;
	outbox_keep(outbox, letter->number);
	letter_free(letter);
}

void outbox_reply(struct outbox *outbox, const struct outbox_reply *reply)
{
	struct letter *letter = letter_new(PROMISE_REPLY, reply->topic);

	task_set_text(&letter->payload, reply->payload);
	letter_set_correlation(letter, reply->correlation, reply->correlation_size);
	letter->not_before = reply->not_before;
	letter->age = reply->age;
	if (reply->stored && reply->packet) {
		letter->packet = reply->packet;
		snprintf(letter->message, sizeof(letter->message), "%s", reply->message);
	}
	/* After a restart there may be more: those that were told count again. */
	while (outbox->reply_count >= OUTBOX_REPLIES_MAX && outbox->replies)
		outbox_drop_oldest_reply(outbox);
	DL_APPEND(outbox->replies, letter);
	outbox->reply_count++;
	if (reply->stored)
		outbox_store(outbox, letter);
}

void outbox_event(struct outbox *outbox, const char *name, const char *id,
		  const char *data, const char *store_name, int64_t wall_ms)
{
	event_log_add(&outbox->events, name, id, data, store_name, wall_ms);
}

void outbox_settle(struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->kept_count; i++)
		store_promise_kept(outbox->options.store, outbox->kept[i]);
	outbox->kept_count = 0;
	event_log_save_acked(&outbox->events);
	outbox->kept_since = 0;
}

bool outbox_wants_settling(const struct outbox *outbox, int64_t before)
{
	return outbox->kept_since && outbox->kept_since <= before;
}

static void letter_fly(struct outbox *outbox, struct letter **list, struct letter *letter,
		       uint64_t token)
{
	DL_DELETE(*list, letter);
	DL_APPEND(outbox->in_flight, letter);
	outbox->flying_count++;
	letter->token = token;
	letter->changed = false;
}

static void outbox_drop_old_replies(struct outbox *outbox, int64_t age)
{
	while (outbox->replies && age - outbox->replies->age > OUTBOX_REPLY_AGE_MS)
		outbox_drop_oldest_reply(outbox);
}

static bool pump_reply(struct outbox *outbox, struct effects *effects, uint32_t epoch,
		       int64_t now, bool unstored_only, uint64_t *token)
{
	struct letter *letter, *next;

	DL_FOREACH_SAFE(outbox->replies, letter, next) {
		struct effect *effect;
		char *payload = NULL;

		if (letter->not_before > now || letter->refused ||
		    (unstored_only && letter->number))
			continue;
		letter_fly(outbox, &outbox->replies, letter, ++*token);
		task_set_text(&payload, letter->payload);
		effect = effects_publish(effects, epoch, *token, letter->topic, payload);
		if (letter->correlation) {
			effect->correlation = malloc(letter->correlation_size + 1);
			if (!effect->correlation)
				abort();
			memcpy(effect->correlation, letter->correlation,
			       letter->correlation_size);
			effect->correlation_size = letter->correlation_size;
		}
		return true;
	}
	return false;
}

static bool pump_retained(struct outbox *outbox, struct effects *effects, uint32_t epoch,
			  uint64_t *token)
{
	struct letter *letter, *next;

	DL_FOREACH_SAFE(outbox->ready, letter, next) {
		char *payload = NULL;

		if (letter->refused)
			continue;
		if (letter->kind == PROMISE_DOCUMENT) {
			payload = outbox->options.document(outbox->options.context,
							   letter->task);
			/* Pruned meanwhile: the clearing has a letter of its own topic,
			 * which would be this one, so there is nothing to say. */
			if (!payload) {
				DL_DELETE(outbox->ready, letter);
				HASH_DEL(outbox->by_topic, letter);
				outbox_keep(outbox, letter->number);
				letter_free(letter);
				continue;
			}
		}
		letter_fly(outbox, &outbox->ready, letter, ++*token);
		effects_publish(effects, epoch, *token, letter->topic, payload)->retain =
			true;
		return true;
	}
	return false;
}

unsigned outbox_flying(const struct outbox *outbox)
{
	return outbox->flying_count + outbox->events.in_flight_count;
}

void outbox_pump(struct outbox *outbox, struct effects *effects, uint32_t epoch,
		 int64_t now, int64_t age, unsigned window, uint64_t *token)
{
	bool went = true;

	outbox_drop_old_replies(outbox, age);
	while (went) {
		went = false;
		if (outbox_flying(outbox) < window)
			went |= pump_reply(outbox, effects, epoch, now, false, token);
		if (outbox_flying(outbox) < window)
			went |= event_log_send(&outbox->events, effects, epoch, token);
		if (outbox_flying(outbox) < window)
			went |= pump_retained(outbox, effects, epoch, token);
	}
}

void outbox_pump_unstored(struct outbox *outbox, struct effects *effects, uint32_t epoch,
			  int64_t now, unsigned window, uint64_t *token)
{
	while (outbox_flying(outbox) < window)
		if (!pump_reply(outbox, effects, epoch, now, true, token))
			return;
}

bool outbox_answers(const struct outbox *outbox, int packet, const char *message)
{
	const struct letter *letter;

	DL_FOREACH(outbox->replies, letter)
		if (letter_answers(letter, packet, message))
			return true;
	DL_FOREACH(outbox->in_flight, letter)
		if (letter_answers(letter, packet, message))
			return true;
	DL_FOREACH(outbox->told, letter)
		if (letter_answers(letter, packet, message))
			return true;
	return false;
}

static void outbox_forget_told(struct outbox *outbox)
{
	struct letter *letter = outbox->told;

	DL_DELETE(outbox->told, letter);
	outbox->told_count--;
	outbox_keep(outbox, letter->number);
	letter_free(letter);
}

/* Our PUBACK went ahead of the reply, but perhaps on a connection that ended before the
 * broker had it: on the next one the reply may be acknowledged before its message comes
 * again, and once more before the broker has the PUBACK of that. */
static void outbox_told(struct outbox *outbox, struct letter *letter)
{
	if (outbox->told_count == OUTBOX_REPLIES_MAX)
		outbox_forget_told(outbox);
	DL_APPEND(outbox->told, letter);
	outbox->told_count++;
}

void outbox_backlog_came(struct outbox *outbox, uint64_t token)
{
	outbox->backlog_ends = token;
}

void outbox_heard(struct outbox *outbox, uint64_t token, int64_t now)
{
	if (!outbox->backlog || !outbox->backlog_ends || token <= outbox->backlog_ends)
		return;
	outbox->backlog = false;
	if (outbox->told && !outbox->kept_since)
		outbox->kept_since = now;
	while (outbox->told)
		outbox_forget_told(outbox);
}

void outbox_new_session(struct outbox *outbox)
{
	struct letter *letter;
	bool any = outbox->told != NULL;

	DL_FOREACH(outbox->replies, letter) {
		any |= letter->packet != 0;
		letter->packet = 0;
	}
	while (outbox->told)
		outbox_forget_told(outbox);
	if (any)
		store_new_session(outbox->options.store);
}

static void outbox_delivered(struct outbox *outbox, struct letter *letter)
{
	if (letter->kind == PROMISE_REPLY) {
		outbox->reply_count--;
		if (letter->packet && outbox->backlog) {
			outbox_told(outbox, letter);
			return;
		}
	} else if (letter->changed) {
		DL_APPEND(outbox->ready, letter);
		return;
	} else {
		HASH_DEL(outbox->by_topic, letter);
	}
	outbox_keep(outbox, letter->number);
	letter_free(letter);
}

static void outbox_refused(struct outbox *outbox, struct letter *letter)
{
	log_warn("the broker refused a message to %s", letter->topic);
	letter->refused = !letter->changed;
	if (letter->kind == PROMISE_REPLY)
		DL_PREPEND(outbox->replies, letter);
	else
		DL_PREPEND(outbox->ready, letter);
}

bool outbox_sent(struct outbox *outbox, uint64_t token, bool ok, int64_t now)
{
	struct letter *letter;

	DL_FOREACH(outbox->in_flight, letter)
		if (letter->token == token)
			break;
	if (letter) {
		DL_DELETE(outbox->in_flight, letter);
		outbox->flying_count--;
		letter->token = 0;
		if (ok)
			outbox_delivered(outbox, letter);
		else
			outbox_refused(outbox, letter);
	} else if (!event_log_completed(&outbox->events, token, ok)) {
		return false;
	}
	if (!outbox->kept_since)
		outbox->kept_since = now;
	return true;
}

void outbox_link_down(struct outbox *outbox)
{
	struct letter *letter, *next;
	struct letter *replies = NULL, *ready = NULL;

	/* What flew goes first again, in its old order. */
	DL_FOREACH_SAFE(outbox->in_flight, letter, next) {
		DL_DELETE(outbox->in_flight, letter);
		letter->token = 0;
		if (letter->kind == PROMISE_REPLY)
			DL_APPEND(replies, letter);
		else
			DL_APPEND(ready, letter);
	}
	DL_CONCAT(replies, outbox->replies);
	DL_CONCAT(ready, outbox->ready);
	outbox->replies = replies;
	outbox->ready = ready;
	outbox->flying_count = 0;
	event_log_disconnected(&outbox->events);
}

void outbox_link_up(struct outbox *outbox)
{
	struct letter *letter;

	outbox->backlog = true;
	outbox->backlog_ends = 0;
	DL_FOREACH(outbox->ready, letter)
		letter->refused = false;
	DL_FOREACH(outbox->replies, letter)
		letter->refused = false;
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

bool outbox_acknowledged(const struct outbox *outbox, const char *task)
{
	char *topic = outbox->options.topic(outbox->options.context, task);
	bool waits = outbox_find(outbox, topic) != NULL;

	free(topic);
	return !waits;
}

int64_t outbox_wake(const struct outbox *outbox, int64_t now)
{
	int64_t wake = outbox->kept_since ? outbox->kept_since + 1000 : -1;
	struct letter *letter;

	DL_FOREACH(outbox->replies, letter)
		if (letter->not_before > now && (wake < 0 || letter->not_before < wake))
			wake = letter->not_before;
	return wake;
}

int64_t outbox_last_seq(const struct outbox *outbox)
{
	return outbox->events.last;
}
