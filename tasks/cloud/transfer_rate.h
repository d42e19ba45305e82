/* The rate of a transfer and the time left.  One thread. */
#ifndef TASKS_CLOUD_TRANSFER_RATE_H
#define TASKS_CLOUD_TRANSFER_RATE_H

#include <stddef.h>
#include <stdint.h>

#define TRANSFER_RATE_SAMPLES 20
#define TRANSFER_RATE_TEXT 64

struct transfer_rate {
	int64_t at_ms[TRANSFER_RATE_SAMPLES], bytes[TRANSFER_RATE_SAMPLES];
	size_t count; /* samples ever taken; the newest replaces the oldest */
};

/* Records the number of bytes transferred so far.  A smaller number than before starts a
 * new measurement.  May be called as often as convenient. */
void transfer_rate_add(struct transfer_rate *rate, int64_t now_ms, int64_t bytes);

/* Bytes per second over the last ten seconds; 0 while unknown. */
double transfer_rate_per_second(const struct transfer_rate *rate);

/* ", 3.4 MB/s, 2 min left", or "" while the rate is unknown.  left is in bytes. */
void transfer_rate_text(const struct transfer_rate *rate, int64_t left,
			char text[TRANSFER_RATE_TEXT]);

#endif
