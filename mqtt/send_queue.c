/* Copies requests into items and keeps them in order. */
#include "mqtt/send_queue.h"

#include <stdlib.h>
#include <string.h>

/* At least the bytes of the header and properties of any of our messages. */
#define PACKET_OVERHEAD 64

static struct send_item *send_item_new(enum send_kind kind, size_t bytes)
{
	struct send_item *item = calloc(1, sizeof(*item) + bytes);

	if (item)
		item->kind = kind;
	return item;
}

/* Copies size bytes to *at and advances it. */
static void *put(char **at, const void *bytes, size_t size)
{
	char *here = *at;

	if (size)
		memcpy(here, bytes, size);
	*at += size;
	return here;
}

struct send_item *send_item_publish(const struct outgoing *m)
{
	size_t topic = strlen(m->topic) + 1;
	struct send_item *item =
		send_item_new(SEND_PUBLISH, topic + m->size + m->correlation_size);
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

struct send_item *send_item_subscribe(const struct filter *filters, size_t n)
{
	size_t bytes = n * sizeof(*filters);
	struct send_item *item;
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(filters[i].topic) + 1;
	item = send_item_new(SEND_SUBSCRIBE, bytes);
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

static struct send_item *send_item_of_topics(enum send_kind kind,
					     const char *const *topics, size_t n)
{
	size_t bytes = n * sizeof(*topics);
	struct send_item *item;
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(topics[i]) + 1;
	item = send_item_new(kind, bytes);
	if (!item)
		return NULL;
	at = item->bytes;
	item->n = n;
	item->topics = put(&at, topics, n * sizeof(*topics));
	for (size_t i = 0; i < n; i++)
		item->topics[i] = put(&at, topics[i], strlen(topics[i]) + 1);
	return item;
}

struct send_item *send_item_unsubscribe(const char *const *topics, size_t n)
{
	return send_item_of_topics(SEND_UNSUBSCRIBE, topics, n);
}

struct send_item *send_item_probe(const char *topic)
{
	return send_item_of_topics(SEND_PROBE, &topic, 1);
}

bool send_item_acknowledged(const struct send_item *item)
{
	return item->kind != SEND_PUBLISH || item->message.qos > 0;
}

const char *send_item_topic(const struct send_item *item)
{
	if (item->kind == SEND_PUBLISH)
		return item->message.topic;
	return item->kind == SEND_SUBSCRIBE ? item->filters[0].topic : item->topics[0];
}

size_t send_item_size(const struct send_item *item)
{
	const struct outgoing *m = &item->message;

	if (item->kind != SEND_PUBLISH)
		return PACKET_OVERHEAD;
	return m->size + strlen(m->topic) + m->correlation_size + PACKET_OVERHEAD;
}

void send_queue_init(struct send_queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

void send_queue_push(struct send_queue *queue, struct send_item *item)
{
	item->next = NULL;
	*queue->last = item;
	queue->last = &item->next;
}

struct send_item *send_queue_pop(struct send_queue *queue)
{
	struct send_item *item = queue->first;

	if (!item)
		return NULL;
	queue->first = item->next;
	if (!queue->first)
		queue->last = &queue->first;
	return item;
}

void send_queue_clear(struct send_queue *queue)
{
	struct send_item *item;

	while ((item = send_queue_pop(queue)))
		free(item);
}
