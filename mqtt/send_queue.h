/* Something asked for over a connection, from its queue through Paho to its answer. */
#ifndef MQTT_SEND_QUEUE_H
#define MQTT_SEND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt/types.h"

enum item_kind { ITEM_PUBLISH, ITEM_SUBSCRIBE, ITEM_UNSUBSCRIBE, ITEM_PROBE };

struct item {
	struct item *next;
	enum item_kind kind;
	uint32_t epoch;
	uint64_t token;
	struct outgoing message;
	struct filter *filters;
	const char **topics; /* to unsubscribe */
	size_t n;
	_Alignas(max_align_t) char bytes[]; /* what the pointers above point to */
};

/* Each copies what it is given and is freed with free(); NULL when memory is missing. */
struct item *item_publish(const struct outgoing *message);
struct item *item_subscribe(const struct filter *filters, size_t n);
struct item *item_unsubscribe(const char *const *topics, size_t n);

/* A question whose answer only shows that the broker is still there: leaving a topic that
 * was never subscribed. */
struct item *item_probe(const char *topic);

/* Will the broker answer it? */
bool item_acknowledged(const struct item *item);

const char *item_topic(const struct item *item); /* the first one */

/* The bytes of its packet, or a few more. */
size_t item_size(const struct item *item);

void items_free(struct item *first); /* and all behind it */

#endif
