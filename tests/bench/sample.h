/* Durations and their percentiles. */
#ifndef TESTS_BENCH_SAMPLE_H
#define TESTS_BENCH_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct sample {
	double *values; /* in ms, or in the caller's unit */
	size_t count, room;
};

int64_t now_ns(void);

void sample_add(struct sample *sample, double value);

/* Adds the time since since_ns, in ms. */
void sample_since(struct sample *sample, int64_t since_ns);

/* part 0.5: the median; 0.99: exceeded by only one in a hundred. 0 without any values. */
double sample_at(struct sample *sample, double part);
void sample_free(struct sample *sample);

#endif
