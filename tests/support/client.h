/* An MQTT 5 client that keeps every message it has received, in order.
 *
 * It reconnects when the broker has gone away, and subscribes again, so retained messages
 * are received again.  All functions are for the test's thread; messages live as long as
 * the client. */
#ifndef TESTS_SUPPORT_CLIENT_H
#define TESTS_SUPPORT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

struct message {
	char *topic;
	char *payload; /* NUL-terminated; size does not count the NUL */
	size_t size;
	int qos;
	bool retain; /* as published: the client subscribes with Retain As Published */
	char *response_topic; /* NULL without one */
	char *correlation;    /* NULL without one; NUL-terminated */
	size_t correlation_size;
	int64_t at_ms; /* deadline_now() when it was received */
};

struct client_options {
	int port;
	const char *const *filters; /* NULL-terminated */
};

/* Returns when the broker has granted the filters. */
int client_open(struct client **out, const struct client_options *options);
void client_close(struct client *client); /* NULL is fine */

/* How often the broker has granted the filters so far. */
size_t client_subscriptions(struct client *client);

/* Waits until it has done so once more than before; returns 0 or -ETIMEDOUT. */
int client_wait_subscribed(struct client *client, size_t before);

/* The number of messages received so far: a mark to wait from. */
size_t client_mark(struct client *client);

/* The message with this number, below client_mark(). */
const struct message *client_at(struct client *client, size_t i);

typedef bool (*message_test)(const struct message *message, const void *context);

/* The first message from number `from` on whose topic matches filter and that passes test
 * (NULL: any), or NULL when none has come within timeout_ms.  Its number goes to *number
 * unless that is NULL. */
const struct message *client_wait(struct client *client, size_t from, const char *filter,
				  message_test test, const void *context,
				  int64_t timeout_ms, size_t *number);

/* The newest message on a topic, or NULL. */
const struct message *client_last(struct client *client, const char *topic);

/* The number of messages from number `from` on that match filter. */
size_t client_count(struct client *client, size_t from, const char *filter);

struct publish {
	int qos; /* 0 does not wait, 1 waits for the broker's PUBACK */
	bool retain;
	bool no_wait; /* QoS 1 without waiting */
	const char *response_topic;
	const char *correlation;
};

/* options NULL: QoS 1.  Returns 0, or -ETIMEDOUT when the broker did not acknowledge. */
int client_publish(struct client *client, const char *topic, const void *payload,
		   size_t size, const struct publish *options);

#endif
