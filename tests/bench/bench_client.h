/* An MQTT 5 client without a thread of its own, for measuring: what it sends leaves when
 * it is sent (TCP_NODELAY), and what comes is given to a function at once. */
#ifndef TESTS_BENCH_BENCH_CLIENT_H
#define TESTS_BENCH_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct bench_client;

typedef void (*bench_client_on_message)(void *context, const char *topic,
					const char *payload, size_t size);

/* filters: NULL-terminated, or NULL for none.  Returns when the broker has granted them.
 */
int bench_client_open(struct bench_client **out, int port, const char *const *filters,
		      bench_client_on_message function, void *context);
void bench_client_close(struct bench_client *client); /* NULL is fine */

/* QoS 1; may be called in the function. */
void bench_client_send(struct bench_client *client, const char *topic,
		       const char *payload, bool retain);

/* How many of what was sent the broker has acknowledged. */
size_t bench_client_acknowledged(const struct bench_client *client);

/* Waits for the network, at most that long. */
void bench_client_turn(struct bench_client *client, int timeout_ms);

/* Turns until *done, at most that long; *done. */
bool bench_client_until(struct bench_client *client, const bool *done, int timeout_ms);

#endif
