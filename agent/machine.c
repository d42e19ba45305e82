#include "agent/machine.h"

#include <stdio.h>
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

/* The second number of statm is the resident set in pages. */
static long rss_kb(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static cJSON *temperature(void)
{
	FILE *file = fopen("/sys/class/thermal/thermal_zone0/temp", "re");
	cJSON *value = NULL;
	long milli;

	if (file && fscanf(file, "%ld", &milli) == 1)
		value = cJSON_CreateNumber((double)milli / 1000);
	if (file)
		fclose(file);
	return value ? value : cJSON_CreateNull();
}

void machine_init(struct machine *machine, int64_t now_ms)
{
	machine->started_ms = now_ms;
	machine->looked_ms = now_ms;
	machine->cpu_s = cpu_seconds();
}

cJSON *machine_look(struct machine *machine, const char *folder, int64_t now_ms)
{
	cJSON *health = cJSON_CreateObject();
	struct statvfs disk;
	double cpu = cpu_seconds();
	double passed = (double)(now_ms - machine->looked_ms) / 1000;

	cJSON_AddNumberToObject(health, "uptime_s", (double)((now_ms - machine->started_ms) / 1000));
	cJSON_AddNumberToObject(health, "rss_kb", (double)rss_kb());
	cJSON_AddNumberToObject(health, "cpu_percent",
				passed > 0 ? (double)(long)((cpu - machine->cpu_s) / passed * 1000) / 10
					   : 0);
	cJSON_AddItemToObject(health, "temperature_c", temperature());
	if (statvfs(folder, &disk) == 0) {
		cJSON_AddNumberToObject(health, "disk_free",
					(double)disk.f_bavail * (double)disk.f_frsize);
		cJSON_AddNumberToObject(health, "disk_total",
					(double)disk.f_blocks * (double)disk.f_frsize);
	}
	machine->looked_ms = now_ms;
	machine->cpu_s = cpu;
	return health;
}
