/* A wire between the agent and its broker that reads along.
 *
 * It takes the agent's connections on a port of its own and passes the bytes on; while
 * the broker does not answer, the agent's connection is closed at once.  It notes when a
 * connection began that got through, and when the broker acknowledged each retained
 * publish on it. */
#ifndef TESTS_BENCH_PROXY_H
#define TESTS_BENCH_PROXY_H

#include <stddef.h>

struct proxy;

/* Listens and passes on from now on, on a thread of its own. */
int proxy_open(struct proxy **out, int broker_port);
void proxy_close(struct proxy *proxy); /* NULL is fine */

int proxy_port(const struct proxy *proxy);

/* Forgets what it saw. */
void proxy_reset(struct proxy *proxy);

/* From the newest connection until the number-th retained publish on it was
 * acknowledged, in ms; -1 while that has not happened. */
double proxy_retained(struct proxy *proxy, size_t number);

/* How many retained publishes of the newest connection were acknowledged. */
size_t proxy_count(struct proxy *proxy);

#endif
