/* Durations, and what lies in their middle and at their end. */
#ifndef TESTS_BENCH_SAMPLE_H
#define TESTS_BENCH_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct sample {
	double *values; /* milliseconds, or what the caller adds */
	size_t count, room;
};

int64_t now_ns(void);

void sample_add(struct sample *sample, double value);

/* Adds the time since then. */
void sample_since(struct sample *sample, int64_t since_ns);

/* part 0.5: the median; 0.99: what only one of a hundred exceeds.  0 without any. */
double sample_at(struct sample *sample, double part);
void sample_free(struct sample *sample);

#endif
