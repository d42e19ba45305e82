/* How fast bytes go, and when they will be there.  One thread. */
#ifndef TASKS_CLOUD_TRANSFER_RATE_H
#define TASKS_CLOUD_TRANSFER_RATE_H

#include <stddef.h>
#include <stdint.h>

#define METER_SAMPLES 20
#define METER_TEXT 64

struct meter {
	int64_t at_ms[METER_SAMPLES], bytes[METER_SAMPLES];
	size_t count; /* ever taken; the newest replace the oldest */
};

/* bytes have gone so far; fewer than before begins a new measurement.  As often as
 * wanted. */
void meter_see(struct meter *meter, int64_t now_ms, int64_t bytes);

/* Bytes a second over the last ten seconds; 0 while nobody can tell. */
double meter_rate(const struct meter *meter);

/* ", 3.4 MB/s, 2 min left"; "" while nobody can tell. */
void meter_text(const struct meter *meter, int64_t left, char text[METER_TEXT]);

#endif
