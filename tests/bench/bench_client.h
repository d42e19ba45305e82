/* An MQTT 5 client without a thread, for measuring: messages are sent at once
 * (TCP_NODELAY), and received ones are passed to a function at once. */
#ifndef TESTS_BENCH_BENCH_CLIENT_H
#define TESTS_BENCH_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct bench_client;

typedef void (*bench_client_on_message)(void *context, const char *topic,
					const char *payload, size_t size);

/* filters: NULL-terminated, or NULL. Returns when the broker has granted them. */
int bench_client_open(struct bench_client **out, int port, const char *const *filters,
		      bench_client_on_message function, void *context);
void bench_client_close(struct bench_client *client); /* NULL is fine */

/* Publishes with QoS 1; may be called in the function. */
void bench_client_send(struct bench_client *client, const char *topic,
		       const char *payload, bool retain);

/* The number of messages that the broker has acknowledged. */
size_t bench_client_acknowledged(const struct bench_client *client);

/* Waits for the network, for at most timeout_ms. */
void bench_client_turn(struct bench_client *client, int timeout_ms);

/* Calls bench_client_turn() until *done, for at most timeout_ms; returns *done. */
bool bench_client_until(struct bench_client *client, const bool *done, int timeout_ms);

#endif
