/* A growing array of durations that is sorted for percentiles. */
#include "tests/bench/sample.h"

#include <stdlib.h>
#include <time.h>

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void sample_add(struct sample *sample, double value)
{
	if (sample->count == sample->room) {
		sample->room = sample->room ? 2 * sample->room : 256;
		sample->values =
			realloc(sample->values, sample->room * sizeof(*sample->values));
		if (!sample->values)
			abort();
	}
	sample->values[sample->count++] = value;
}

void sample_since(struct sample *sample, int64_t since_ns)
{
	sample_add(sample, (double)(now_ns() - since_ns) / 1e6);
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double sample_at(struct sample *sample, double part)
{
	if (!sample->count)
		return 0;
	qsort(sample->values, sample->count, sizeof(*sample->values), by_size);
	return sample->values[(size_t)(part * (double)(sample->count - 1) + 0.5)];
}

void sample_free(struct sample *sample)
{
	free(sample->values);
	*sample = (struct sample){0};
}
