/* The figures of a measurement, each with its target and with the baseline that was
 * measured beside it. */
#ifndef TESTS_BENCH_FIGURE_H
#define TESTS_BENCH_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

enum aim {
	AIM_NONE, /* without a target */
	AIM_AT_MOST,
	AIM_AT_LEAST,
};

struct figure {
	const char *name, *unit;
	double value;
	enum aim aim;
	double target;
	const char *baseline_name; /* what the baseline measures, or NULL */
	double baseline;	   /* in the same unit */
};

struct figures {
	struct figure list[32];
	size_t count;
};

void figures_add(struct figures *figures, const struct figure *figure);

/* Prints the table, with missed targets marked by their ratio; returns how many were
 * missed. */
size_t figures_print(const struct figures *figures);

/* Writes them as JSON; returns 0 or a negative errno. */
int figures_write(const struct figures *figures, const char *path);

#endif
