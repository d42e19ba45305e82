/* The notice board: what is made from memory and never stored.
 *
 * Telemetry (progress, device states, current, images, health) and the retained topics
 * that the agent can make again at any time (status, info, types, queue).  The newest
 * value of a topic is kept and sent at its rate; at most one message of a topic is in
 * flight. */
#ifndef AGENT_OUTBOX_TELEMETRY_H
#define AGENT_OUTBOX_TELEMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/model/effect.h"

struct board;

struct board_topic {
	const char *topic;
	int qos;
	bool retain;
	int64_t interval_ms; /* at least so much time between two messages; 0: none */
	int expiry_s;
	bool once; /* forgotten when it is sent: progress, log lines */
};

int board_open(struct board **out);
void board_close(struct board *board); /* NULL is fine */

/* The topic's newest value (copied).  Nothing happens when a retained one is unchanged.
 */
void board_set(struct board *board, const struct board_topic *topic, const void *value,
	       size_t size);

/* Every retained topic goes out again. */
void board_again(struct board *board);

/* The broker may hold something else on this retained topic: its value goes out again,
 * behind all that waits now. */
void board_again_topic(struct board *board, const char *topic);

/* Would a new value of topic be sent at once?  For values that cost something to make. */
bool board_due(const struct board *board, const char *topic, int64_t now);

void board_pump(struct board *board, struct effects *effects, uint32_t epoch, int64_t now,
		unsigned flying, unsigned window, uint64_t *token);
/* True when token was one of the board's.  Whether the broker took it makes no
 * difference: a newer value will try again. */
bool board_sent(struct board *board, uint64_t token);
void board_link_down(struct board *board);
unsigned board_flying(const struct board *board); /* QoS 1 only */

/* Is every retained topic acknowledged in its newest version? */
bool board_settled(const struct board *board);

/* When something waits for its time, -1 for nothing. */
int64_t board_wake(const struct board *board, int64_t now);

/* Values of once-topics that a newer one replaced before they were sent. */
int64_t board_dropped(const struct board *board);

#endif
