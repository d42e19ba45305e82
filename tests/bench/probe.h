/* The memory and CPU time of a process, as counted by the kernel. */
#ifndef TESTS_BENCH_PROBE_H
#define TESTS_BENCH_PROBE_H

#include <stdint.h>
#include <sys/types.h>

struct probe {
	double rss_mb;
	double cpu_ms; /* of all threads since their start */
	int64_t wakes; /* how often any of them waited and was woken up */
};

void probe_take(struct probe *probe, pid_t pid);

/* Runs a program; returns its peak memory (MB) and the time (ms) from its start to its
 * end. */
void probe_program(const char *const argv[], double *most_mb, double *ms);

#endif
