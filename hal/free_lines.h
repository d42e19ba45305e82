/* The GPIO lines that a device config frees for the verbs of gpio: free_lines. */
#ifndef HAL_FREE_LINES_H
#define HAL_FREE_LINES_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

#define FREED_LINES 64 /* numbers of lines are below */

struct freed {
	bool lines[FREED_LINES];
};

/* Reads free_lines of config.  A line that a device has is not free: owner names the
 * device or gives NULL.  What the config says wrong is a sentence each in problems. */
void freed_read(struct freed *freed, const cJSON *config,
		const char *(*owner)(const void *context, unsigned line),
		const void *context, cJSON *problems);

/* 0, or "invalid_args" with the lines that are free. */
int freed_check(const struct freed *freed, int line, struct err *err);

#endif
