/* The figures of a measurement: each with what it should be and the floor that was
 * measured beside it. */
#ifndef TESTS_BENCH_FIGURE_H
#define TESTS_BENCH_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

enum aim {
	AIM_NONE, /* shown for the curious */
	AIM_AT_MOST,
	AIM_AT_LEAST,
};

struct figure {
	const char *name, *unit;
	double value;
	enum aim aim;
	double target;
	const char *floor_name; /* what the floor is; NULL without one */
	double floor;		/* in the same unit */
};

struct figures {
	struct figure list[32];
	size_t count;
};

void figures_add(struct figures *figures, const struct figure *figure);

/* The table, a missed target marked with its ratio; how many were missed. */
size_t figures_print(const struct figures *figures);

/* The same as JSON; 0 or a negative errno. */
int figures_write(const struct figures *figures, const char *path);

#endif
