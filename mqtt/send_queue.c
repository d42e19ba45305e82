#include "mqtt/send_queue.h"

#include <stdlib.h>
#include <string.h>

#define PACKET_OVERHEAD 64 /* more than header and properties of a message of ours */

static struct item *item_new(enum item_kind kind, size_t bytes)
{
	struct item *item = calloc(1, sizeof(*item) + bytes);

	if (item)
		item->kind = kind;
	return item;
}

/* Copies size bytes to *at, which moves on. */
static void *put(char **at, const void *bytes, size_t size)
{
	char *here = *at;

	if (size)
		memcpy(here, bytes, size);
	*at += size;
	return here;
}

struct item *item_publish(const struct outgoing *m)
{
	size_t topic = strlen(m->topic) + 1;
	struct item *item = item_new(ITEM_PUBLISH, topic + m->size + m->correlation_size);
	char *at;

	if (!item)
		return NULL;
	at = item->bytes;
	item->message = *m;
	item->message.topic = put(&at, m->topic, topic);
	item->message.payload = put(&at, m->payload, m->size);
	if (m->correlation)
		item->message.correlation = put(&at, m->correlation, m->correlation_size);
	return item;
}

struct item *item_subscribe(const struct filter *filters, size_t n)
{
	size_t bytes = n * sizeof(*filters);
	struct item *item;
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(filters[i].topic) + 1;
	item = item_new(ITEM_SUBSCRIBE, bytes);
	if (!item)
		return NULL;
	at = item->bytes;
	item->n = n;
	item->filters = put(&at, filters, n * sizeof(*filters));
	for (size_t i = 0; i < n; i++)
		item->filters[i].topic =
			put(&at, filters[i].topic, strlen(filters[i].topic) + 1);
	return item;
}

static struct item *item_of_topics(enum item_kind kind, const char *const *topics,
				   size_t n)
{
	size_t bytes = n * sizeof(*topics);
	struct item *item;
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(topics[i]) + 1;
	item = item_new(kind, bytes);
	if (!item)
		return NULL;
	at = item->bytes;
	item->n = n;
	item->topics = put(&at, topics, n * sizeof(*topics));
	for (size_t i = 0; i < n; i++)
		item->topics[i] = put(&at, topics[i], strlen(topics[i]) + 1);
	return item;
}

struct item *item_unsubscribe(const char *const *topics, size_t n)
{
	return item_of_topics(ITEM_UNSUBSCRIBE, topics, n);
}

struct item *item_probe(const char *topic)
{
	return item_of_topics(ITEM_PROBE, &topic, 1);
}

bool item_acknowledged(const struct item *item)
{
	return item->kind != ITEM_PUBLISH || item->message.qos > 0;
}

const char *item_topic(const struct item *item)
{
	if (item->kind == ITEM_PUBLISH)
		return item->message.topic;
	return item->kind == ITEM_SUBSCRIBE ? item->filters[0].topic : item->topics[0];
}

size_t item_size(const struct item *item)
{
	const struct outgoing *m = &item->message;

	if (item->kind != ITEM_PUBLISH)
		return PACKET_OVERHEAD;
	return m->size + strlen(m->topic) + m->correlation_size + PACKET_OVERHEAD;
}

void items_free(struct item *item)
{
	while (item) {
		struct item *next = item->next;

		free(item);
		item = next;
	}
}
