/* The requests of a connection that wait to be handed to Paho, first come, first served.
 *
 * An item leaves the queue when it is handed over and lives on, as the tag of its
 * request, until the answer comes. */
#ifndef MQTT_SEND_QUEUE_H
#define MQTT_SEND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt/types.h"

enum send_kind { SEND_PUBLISH, SEND_SUBSCRIBE, SEND_UNSUBSCRIBE, SEND_PROBE };

struct send_item {
	struct send_item *next;
	enum send_kind kind;
	uint32_t epoch;
	uint64_t token;
	struct outgoing message;	    /* SEND_PUBLISH */
	struct filter *filters;		    /* SEND_SUBSCRIBE */
	const char **topics;		    /* SEND_UNSUBSCRIBE and SEND_PROBE */
	size_t n;			    /* of filters or topics */
	_Alignas(max_align_t) char bytes[]; /* storage of all the pointers above */
};

/* Each copies its arguments.  Free with free(); NULL when out of memory. */
struct send_item *send_item_publish(const struct outgoing *message);
struct send_item *send_item_subscribe(const struct filter *filters, size_t n);
struct send_item *send_item_unsubscribe(const char *const *topics, size_t n);

/* Unsubscribes from a topic that was never subscribed: any answer shows that the broker
 * is still there. */
struct send_item *send_item_probe(const char *topic);

/* Will the broker answer it? */
bool send_item_acknowledged(const struct send_item *item);

const char *send_item_topic(const struct send_item *item); /* the first one */

/* Bytes of its packet, rounded up. */
size_t send_item_size(const struct send_item *item);

struct send_queue {
	struct send_item *first, **last;
};

void send_queue_init(struct send_queue *queue);

/* Takes item. */
void send_queue_push(struct send_queue *queue, struct send_item *item);

/* Gives the first item back; NULL when the queue is empty. */
struct send_item *send_queue_pop(struct send_queue *queue);

/* Frees the items. */
void send_queue_clear(struct send_queue *queue);

#endif
