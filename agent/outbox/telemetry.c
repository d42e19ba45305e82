/* The newest value per topic, sent at the topic's rate. */
#include "agent/outbox/telemetry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#define SENDS_PER_CLEAN_UP 256 /* calls of telemetry_send() */

struct entry {
	char *topic;
	int qos;
	bool retain, once;
	int64_t interval_ms, next_at;
	int expiry_s;
	char *value;
	size_t size;
	bool unsent;		   /* the value is newer than what was sent */
	uint64_t token;		   /* of the message in flight; 0: none */
	struct entry *prev, *next; /* in telemetry->waiting */
	bool listed;		   /* there */
	UT_hash_handle hh;	   /* by topic */
};

struct telemetry {
	struct entry *entries;
	struct entry *waiting; /* oldest first */
	unsigned in_flight;    /* with QoS 1 */
	unsigned sends;
	int64_t dropped;
};

int telemetry_open(struct telemetry **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

static void entry_free(struct entry *entry)
{
	free(entry->topic);
	free(entry->value);
	free(entry);
}

void telemetry_close(struct telemetry *telemetry)
{
	struct entry *entry, *next;

	if (!telemetry)
		return;
	HASH_ITER(hh, telemetry->entries, entry, next) {
		HASH_DEL(telemetry->entries, entry);
		entry_free(entry);
	}
	free(telemetry);
}

static struct entry *find(const struct telemetry *telemetry, const char *topic)
{
	struct entry *entry;

	HASH_FIND_STR(telemetry->entries, topic, entry);
	return entry;
}

static struct entry *add_entry(struct telemetry *telemetry,
			       const struct telemetry_topic *topic)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry || !(entry->topic = strdup(topic->topic)))
		abort(); /* see effects_add() */
	entry->qos = topic->qos;
	entry->retain = topic->retain;
	entry->once = topic->once;
	entry->interval_ms = topic->interval_ms;
	entry->expiry_s = topic->expiry_s;
	HASH_ADD_KEYPTR(hh, telemetry->entries, entry->topic, strlen(entry->topic),
			entry);
	return entry;
}

static void enqueue(struct telemetry *telemetry, struct entry *entry)
{
	entry->unsent = true;
	if (entry->listed)
		return;
	entry->listed = true;
	DL_APPEND(telemetry->waiting, entry);
}

static void dequeue(struct telemetry *telemetry, struct entry *entry)
{
	if (!entry->listed)
		return;
	entry->listed = false;
	DL_DELETE(telemetry->waiting, entry);
}

void telemetry_set(struct telemetry *telemetry, const struct telemetry_topic *topic,
		   const void *value, size_t size)
{
	struct entry *entry = find(telemetry, topic->topic);

	if (!entry)
		entry = add_entry(telemetry, topic);
	else if (entry->retain && entry->size == size && entry->value &&
		 !memcmp(entry->value, value, size))
		return;
	if (entry->unsent && entry->once)
		telemetry->dropped++;
	if (size > entry->size || !entry->value) {
		char *room = realloc(entry->value, size + 1);

		if (!room)
			abort();
		entry->value = room;
	}
	memcpy(entry->value, value, size);
	entry->size = size;
	enqueue(telemetry, entry);
}

void telemetry_resend(struct telemetry *telemetry)
{
	struct entry *entry, *next;

	HASH_ITER(hh, telemetry->entries, entry, next)
		if (entry->retain && entry->value)
			enqueue(telemetry, entry);
}

void telemetry_resend_topic(struct telemetry *telemetry, const char *topic)
{
	struct entry *entry = find(telemetry, topic);

	if (!entry || !entry->value)
		return;
	dequeue(telemetry, entry);
	enqueue(telemetry, entry);
}

bool telemetry_due(const struct telemetry *telemetry, const char *topic, int64_t now)
{
	const struct entry *entry = find(telemetry, topic);

	return !entry || entry->next_at <= now;
}

static void publish(struct telemetry *telemetry, struct entry *entry,
		    struct effects *effects, uint32_t epoch, int64_t now, uint64_t token)
{
	struct effect *effect = effects_add(effects, EFFECT_PUBLISH);

	effect->epoch = epoch;
	effect->token = token;
	effect->name = strdup(entry->topic);
	effect->text = malloc(entry->size + 1);
	if (!effect->name || !effect->text)
		abort();
	memcpy(effect->text, entry->value, entry->size);
	effect->size = entry->size;
	effect->qos = entry->qos;
	effect->retain = entry->retain;
	effect->expiry_s = entry->expiry_s;
	entry->token = token;
	entry->unsent = false;
	entry->next_at = now + entry->interval_ms;
	if (entry->qos)
		telemetry->in_flight++;
}

/* Removes progress topics of tasks that have ended.  They stay for at least their
 * interval, because that is what keeps the rate. */
static void remove_spent(struct telemetry *telemetry, int64_t now)
{
	struct entry *entry, *next;

	HASH_ITER(hh, telemetry->entries, entry, next) {
		if (!entry->once || entry->unsent || entry->token || entry->next_at > now)
			continue;
		HASH_DEL(telemetry->entries, entry);
		entry_free(entry);
	}
}

void telemetry_send(struct telemetry *telemetry, struct effects *effects, uint32_t epoch,
		    int64_t now, unsigned in_flight, unsigned window, uint64_t *token)
{
	struct entry *entry, *next;

	if (++telemetry->sends % SENDS_PER_CLEAN_UP == 0)
		remove_spent(telemetry, now);
	DL_FOREACH_SAFE(telemetry->waiting, entry, next) {
		if (entry->token || entry->next_at > now)
			continue;
		if (entry->qos && in_flight + telemetry->in_flight >= window)
			continue;
		dequeue(telemetry, entry);
		publish(telemetry, entry, effects, epoch, now, ++*token);
	}
}

bool telemetry_completed(struct telemetry *telemetry, uint64_t token)
{
	struct entry *entry, *next;

	HASH_ITER(hh, telemetry->entries, entry, next) {
		if (entry->token != token)
			continue;
		entry->token = 0;
		if (entry->qos)
			telemetry->in_flight--;
		return true;
	}
	return false;
}

void telemetry_disconnected(struct telemetry *telemetry)
{
	struct entry *entry, *next;

	HASH_ITER(hh, telemetry->entries, entry, next) {
		if (entry->token && entry->retain)
			enqueue(telemetry, entry);
		entry->token = 0;
		if (!entry->once)
			continue;
		/* Progress made while disconnected is of no use to anybody. */
		dequeue(telemetry, entry);
		HASH_DEL(telemetry->entries, entry);
		entry_free(entry);
	}
	telemetry->in_flight = 0;
}

unsigned telemetry_in_flight(const struct telemetry *telemetry)
{
	return telemetry->in_flight;
}

bool telemetry_all_acknowledged(const struct telemetry *telemetry)
{
	return !telemetry->in_flight && !telemetry->waiting;
}

int64_t telemetry_wake(const struct telemetry *telemetry, int64_t now)
{
	const struct entry *entry;
	int64_t wake = -1;

	DL_FOREACH(telemetry->waiting, entry) {
		int64_t at = entry->next_at > now ? entry->next_at : now;

		if (!entry->token && (wake < 0 || at < wake))
			wake = at;
	}
	return wake;
}

int64_t telemetry_dropped(const struct telemetry *telemetry)
{
	return telemetry->dropped;
}
