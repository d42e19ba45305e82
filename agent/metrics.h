/* Figures of the process and its host for R/<d>/health: memory, CPU, temperature, disk.
 */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include <stdint.h>

#include <cjson/cJSON.h>

struct metrics {
	int64_t started_ms, read_ms; /* monotonic */
	double cpu_s;		     /* CPU time used until read_ms */
};

void metrics_init(struct metrics *metrics, int64_t now_ms);

/* {uptime_s, rss_kb, cpu_percent, temperature_c|null, disk_free, disk_total} for the disk
 * of folder; cpu_percent since the last call.  The caller deletes it. */
cJSON *metrics_read(struct metrics *metrics, const char *folder, int64_t now_ms);

#endif
