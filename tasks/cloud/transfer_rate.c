/* Computes a transfer rate from samples at least half a second apart. */
#include "tasks/cloud/transfer_rate.h"

#include <stdio.h>

#define SAMPLE_MS 500

static size_t last_sample(const struct transfer_rate *rate)
{
	return (rate->count + TRANSFER_RATE_SAMPLES - 1) % TRANSFER_RATE_SAMPLES;
}

void transfer_rate_add(struct transfer_rate *rate, int64_t now_ms, int64_t bytes)
{
	size_t last = last_sample(rate);
	size_t next = rate->count % TRANSFER_RATE_SAMPLES;

	if (rate->count > 0 && bytes < rate->bytes[last])
		rate->count = next = 0;
	else if (rate->count > 0 && now_ms - rate->at_ms[last] < SAMPLE_MS)
		return;
	rate->at_ms[next] = now_ms;
	rate->bytes[next] = bytes;
	rate->count++;
}

double transfer_rate_per_second(const struct transfer_rate *rate)
{
	size_t last = last_sample(rate);
	size_t first = rate->count > TRANSFER_RATE_SAMPLES
			       ? rate->count % TRANSFER_RATE_SAMPLES
			       : 0;
	int64_t ms;

	if (rate->count < 2)
		return 0;
	ms = rate->at_ms[last] - rate->at_ms[first];
	if (ms <= 0)
		return 0;
	return (double)(rate->bytes[last] - rate->bytes[first]) * 1000 / (double)ms;
}

static void time_text(double seconds, char *text, size_t size)
{
	if (seconds < 90)
		snprintf(text, size, "%.0f s", seconds);
	else if (seconds < 5400)
		snprintf(text, size, "%.0f min", seconds / 60);
	else
		snprintf(text, size, "%.1f h", seconds / 3600);
}

void transfer_rate_text(const struct transfer_rate *rate, int64_t left,
			char text[TRANSFER_RATE_TEXT])
{
	double per_second = transfer_rate_per_second(rate);
	char time[24];

	text[0] = '\0';
	if (per_second <= 0)
		return;
	time_text((double)left / per_second, time, sizeof(time));
	if (per_second >= 1e6)
		snprintf(text, TRANSFER_RATE_TEXT, ", %.1f MB/s, %s left",
			 per_second / 1e6, time);
	else
		snprintf(text, TRANSFER_RATE_TEXT, ", %.0f kB/s, %s left",
			 per_second / 1e3, time);
}
