/* What only the machine knows about the agent's health. */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include <stdint.h>

#include <cjson/cJSON.h>

struct machine {
	int64_t started_ms, looked_ms; /* monotonic */
	double cpu_s;		       /* used when it looked last */
};

void machine_init(struct machine *machine, int64_t now_ms);

/* {uptime_s, rss_kb, cpu_percent, temperature_c|null, disk_free, disk_total} for the disk
 * of folder; cpu_percent since the last look.  The caller deletes it. */
cJSON *machine_look(struct machine *machine, const char *folder, int64_t now_ms);

#endif
