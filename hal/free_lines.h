/* The GPIO lines that a device config frees for the verbs of gpio: free_lines. */
#ifndef HAL_FREE_LINES_H
#define HAL_FREE_LINES_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"

#define FREE_LINES_COUNT 64 /* line numbers are below it */

struct free_lines {
	bool lines[FREE_LINES_COUNT];
};

/* Reads free_lines of the config.  A line that a device uses is not free: owner() returns
 * the device's name, or NULL if the line has no user.  Each mistake in the config becomes
 * a sentence in problems. */
void free_lines_read(struct free_lines *free_lines, const cJSON *config,
		     const char *(*owner)(const void *context, unsigned line),
		     const void *context, cJSON *problems);

/* 0 if the line is free, else "invalid_args" with the list of those that are. */
int free_lines_check(const struct free_lines *free_lines, int line, struct err *err);

#endif
