/* A relay between an agent and its broker, for what brokers and networks do to a
 * connection: one that knows no MQTT 5, one that breaks in the middle of a packet, one
 * that is silent without being closed, one that is slow. */
#ifndef TESTS_SUPPORT_RELAY_H
#define TESTS_SUPPORT_RELAY_H

#include <stdbool.h>
#include <stddef.h>

/* What it does with a CONNECT of version 5; everything of 3.1.1 is passed on. */
enum relay_manner {
	RELAY_REFUSES,	/* with a CONNACK of version 5: 0x84 */
	RELAY_ANSWERS,	/* with a CONNACK of 3.1.1: return code 1 */
	RELAY_HANGS_UP, /* without a word */
	RELAY_NO_MORE,	/* it passes it on as well */
};

struct relay;

/* Listens from now on, on a thread of its own; 0 or a negative errno. */
int relay_open(struct relay **out, int broker_port, enum relay_manner manner);
void relay_close(struct relay *old); /* NULL is fine */

int relay_port(const struct relay *old);

/* For CONNECTs that come from now on. */
void relay_manner(struct relay *old, enum relay_manner manner);

/* How many CONNECTs of version 5 came so far. */
unsigned relay_asked(const struct relay *old);

enum relay_way { RELAY_UP, RELAY_DOWN }; /* to the broker; to the agent */

/* Passes so many bytes more on that way, then cuts that connection, in mid-packet as it
 * may be. */
void relay_cut_after(struct relay *relay, enum relay_way way, long bytes);

/* Half-open: while it is frozen nothing is passed on, and no end is told; new connections
 * are taken and stay silent too. */
void relay_freeze(struct relay *relay, bool frozen);

/* Passes at most so many bytes on at once, with a rest after them; 0 ms: as fast as it
 * can. */
void relay_slow_down(struct relay *relay, size_t bytes, int rest_ms);

/* Cuts all connections. */
void relay_cut(struct relay *old);

#endif
