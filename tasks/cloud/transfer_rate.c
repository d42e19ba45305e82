#include "tasks/cloud/transfer_rate.h"

#include <stdio.h>

#define SAMPLE_MS 500

void meter_see(struct meter *meter, int64_t now_ms, int64_t bytes)
{
	size_t last = (meter->count + METER_SAMPLES - 1) % METER_SAMPLES;
	size_t next = meter->count % METER_SAMPLES;

	if (meter->count > 0 && bytes < meter->bytes[last])
		meter->count = next = 0;
	else if (meter->count > 0 && now_ms - meter->at_ms[last] < SAMPLE_MS)
		return;
	meter->at_ms[next] = now_ms;
	meter->bytes[next] = bytes;
	meter->count++;
}

double meter_rate(const struct meter *meter)
{
	size_t last = (meter->count + METER_SAMPLES - 1) % METER_SAMPLES;
	size_t first = meter->count > METER_SAMPLES ? meter->count % METER_SAMPLES : 0;
	int64_t ms;

	if (meter->count < 2)
		return 0;
	ms = meter->at_ms[last] - meter->at_ms[first];
	if (ms <= 0)
		return 0;
	return (double)(meter->bytes[last] - meter->bytes[first]) * 1000 / (double)ms;
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

void meter_text(const struct meter *meter, int64_t left, char text[METER_TEXT])
{
	double rate = meter_rate(meter);
	char time[24];

	text[0] = '\0';
	if (rate <= 0)
		return;
	time_text((double)left / rate, time, sizeof(time));
	if (rate >= 1e6)
		snprintf(text, METER_TEXT, ", %.1f MB/s, %s left", rate / 1e6, time);
	else
		snprintf(text, METER_TEXT, ", %.0f kB/s, %s left", rate / 1e3, time);
}
