/* An MQTT 5 client without a thread of its own, for measuring: what it sends leaves when
 * it is sent (TCP_NODELAY), and what comes is given to a function at once. */
#ifndef TESTS_BENCH_BENCH_CLIENT_H
#define TESTS_BENCH_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct post;

typedef void (*post_function)(void *context, const char *topic, const char *payload,
			      size_t size);

/* filters: NULL-terminated, or NULL for none.  Returns when the broker has granted them.
 */
int post_open(struct post **out, int port, const char *const *filters,
	      post_function function, void *context);
void post_close(struct post *post); /* NULL is fine */

/* QoS 1; may be called in the function. */
void post_send(struct post *post, const char *topic, const char *payload, bool retain);

/* How many of what was sent the broker has acknowledged. */
size_t post_acknowledged(const struct post *post);

/* Waits for the network, at most that long. */
void post_turn(struct post *post, int timeout_ms);

/* Turns until *done, at most that long; *done. */
bool post_until(struct post *post, const bool *done, int timeout_ms);

#endif
