/* Messages that are made from memory and never stored, the newest value per topic.
 *
 * These are telemetry (progress, device states, current, images, health) and the retained
 * topics that the agent can make again at any time (status, info, types, queue).  A topic
 * is sent at its own rate and has at most one message in flight.  For the loop's thread.
 */
#ifndef AGENT_OUTBOX_TELEMETRY_H
#define AGENT_OUTBOX_TELEMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/model/effect.h"

struct telemetry;

struct telemetry_topic {
	const char *topic;
	int qos;
	bool retain;
	int64_t interval_ms; /* least time between two messages; 0: none */
	int expiry_s;
	bool once; /* forgotten when it is sent: progress, log lines */
};

int telemetry_open(struct telemetry **out);
void telemetry_close(struct telemetry *telemetry); /* NULL is fine */

/* Sets the topic's newest value, which is copied.  Does nothing when a retained value is
 * unchanged. */
void telemetry_set(struct telemetry *telemetry, const struct telemetry_topic *topic,
		   const void *value, size_t size);

/* Sends every retained topic again. */
void telemetry_resend(struct telemetry *telemetry);

/* Sends this retained topic again, after everything that is waiting now: the broker may
 * hold another value. */
void telemetry_resend_topic(struct telemetry *telemetry, const char *topic);

/* Would a new value of topic be sent without waiting for its interval?  Ask before making
 * a value that costs something. */
bool telemetry_due(const struct telemetry *telemetry, const char *topic, int64_t now);

/* Adds what is due to effects.  in_flight counts the QoS 1 messages of others, window is
 * the limit for all of them; tokens are taken from *token. */
void telemetry_send(struct telemetry *telemetry, struct effects *effects, uint32_t epoch,
		    int64_t now, unsigned in_flight, unsigned window, uint64_t *token);

/* The delivery of token has ended; returns false if it was not one of telemetry's.  Its
 * success makes no difference: a newer value will try again. */
bool telemetry_completed(struct telemetry *telemetry, uint64_t token);

void telemetry_disconnected(struct telemetry *telemetry);

unsigned telemetry_in_flight(const struct telemetry *telemetry); /* QoS 1 only */

/* Is every retained topic acknowledged in its newest version? */
bool telemetry_all_acknowledged(const struct telemetry *telemetry);

/* When a waiting value is due, -1 without any. */
int64_t telemetry_wake(const struct telemetry *telemetry, int64_t now);

/* How many values of once-topics were replaced before they were sent. */
int64_t telemetry_dropped(const struct telemetry *telemetry);

#endif
