/* Reads the metrics from the kernel. */
#include "agent/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Reads the first line of a small kernel file; false when it cannot be read. */
static bool read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	bool read = file && fgets(line, size, file);

	if (file)
		fclose(file);
	return read;
}

/* The second number of statm is the resident set size in pages. */
static long rss_kb(void)
{
	char line[128], *rest;

	if (!read_line("/proc/self/statm", line, sizeof(line)))
		return 0;
	strtol(line, &rest, 10);
	return strtol(rest, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

static cJSON *temperature(void)
{
	char line[32];

	if (!read_line("/sys/class/thermal/thermal_zone0/temp", line, sizeof(line)))
		return cJSON_CreateNull();
	return cJSON_CreateNumber((double)strtol(line, NULL, 10) / 1000);
}

/* To one decimal. */
static double rounded(double value)
{
	return round(value * 10) / 10;
}

void metrics_init(struct metrics *metrics, int64_t now_ms)
{
	metrics->started_ms = now_ms;
	metrics->read_ms = now_ms;
	metrics->cpu_s = cpu_seconds();
}

cJSON *metrics_read(struct metrics *metrics, const char *folder, int64_t now_ms)
{
	cJSON *health = cJSON_CreateObject();
	struct statvfs disk;
	double cpu = cpu_seconds();
	double age = (double)(now_ms - metrics->started_ms) / 1000;
	double passed = (double)(now_ms - metrics->read_ms) / 1000;

	cJSON_AddNumberToObject(health, "uptime_s", floor(age));
	cJSON_AddNumberToObject(health, "rss_kb", (double)rss_kb());
	cJSON_AddNumberToObject(
		health, "cpu_percent",
		passed > 0 ? rounded((cpu - metrics->cpu_s) / passed * 100) : 0);
	cJSON_AddItemToObject(health, "temperature_c", temperature());
	if (statvfs(folder, &disk) == 0) {
		cJSON_AddNumberToObject(health, "disk_free",
					(double)disk.f_bavail * (double)disk.f_frsize);
		cJSON_AddNumberToObject(health, "disk_total",
					(double)disk.f_blocks * (double)disk.f_frsize);
	}
	metrics->read_ms = now_ms;
	metrics->cpu_s = cpu;
	return health;
}
