/* A proxy between the agent and its broker that parses what passes.
 *
 * It accepts the agent's connections on its port and forwards the bytes; while the broker
 * does not answer, it closes the agent's connection at once.  It records when the newest
 * connection that reached the broker began, and when the broker acknowledged each
 * retained publish on it. */
#ifndef TESTS_BENCH_PROXY_H
#define TESTS_BENCH_PROXY_H

#include <stddef.h>

struct proxy;

/* Starts a thread that listens and forwards. */
int proxy_open(struct proxy **out, int broker_port);
void proxy_close(struct proxy *proxy); /* NULL is fine */

int proxy_port(const struct proxy *proxy);

/* Forgets what it has recorded. */
void proxy_reset(struct proxy *proxy);

/* The ms from the start of the newest connection until its number-th retained publish was
 * acknowledged; -1 while it has not been. */
double proxy_retained(struct proxy *proxy, size_t number);

/* The number of acknowledged retained publishes of the newest connection. */
size_t proxy_count(struct proxy *proxy);

#endif
