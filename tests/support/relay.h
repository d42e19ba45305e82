/* A relay between an agent and its broker that imitates what brokers and networks do to a
 * connection: refuse MQTT 5, break in the middle of a packet, fall silent without
 * closing, be slow. */
#ifndef TESTS_SUPPORT_RELAY_H
#define TESTS_SUPPORT_RELAY_H

#include <stdbool.h>
#include <stddef.h>

/* What it does with a CONNECT of version 5; version 3.1.1 is always forwarded. */
enum relay_manner {
	RELAY_REFUSES,	/* answers with a CONNACK of version 5: 0x84 */
	RELAY_ANSWERS,	/* answers with a CONNACK of 3.1.1: return code 1 */
	RELAY_HANGS_UP, /* closes the connection without an answer */
	RELAY_NO_MORE,	/* forwards it */
};

struct relay;

/* Starts a thread that listens; returns 0 or a negative errno. */
int relay_open(struct relay **out, int broker_port, enum relay_manner manner);
void relay_close(struct relay *old); /* NULL is fine */

int relay_port(const struct relay *old);

/* Applies to CONNECTs from now on. */
void relay_manner(struct relay *old, enum relay_manner manner);

/* The number of CONNECTs of version 5 so far. */
unsigned relay_asked(const struct relay *old);

enum relay_way { RELAY_UP, RELAY_DOWN }; /* to the broker; to the agent */

/* Forwards so many more bytes in that direction, then cuts the connection, possibly in
 * the middle of a packet. */
void relay_cut_after(struct relay *relay, enum relay_way way, long bytes);

/* While it is frozen nothing is forwarded and no end is passed on (half-open); new
 * connections are accepted and stay silent too. */
void relay_freeze(struct relay *relay, bool frozen);

/* Forwards at most so many bytes at a time and then rests for rest_ms; 0 ms: at full
 * speed. */
void relay_slow_down(struct relay *relay, size_t bytes, int rest_ms);

/* Cuts all connections. */
void relay_cut(struct relay *old);

#endif
