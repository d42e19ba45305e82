/* What a process costs, as the kernel counts it. */
#ifndef TESTS_BENCH_PROBE_H
#define TESTS_BENCH_PROBE_H

#include <stdint.h>
#include <sys/types.h>

struct probe {
	double rss_mb;
	double cpu_ms; /* of all threads since they began */
	int64_t wakes; /* how often any of them waited and was woken */
};

void probe_take(struct probe *probe, pid_t pid);

/* The most memory (MB) that a program held, and how long (ms) it took, from its start to
 * its end. */
void probe_program(const char *const argv[], double *most_mb, double *ms);

#endif
