/* The focus batches of a scan: at each point the photos that become one stacked picture.
 * One thread at a time; blocks on the disk. */
#ifndef TASKS_PROJECT_FOCUS_BATCH_H
#define TASKS_PROJECT_FOCUS_BATCH_H

#include <stddef.h>

#include "agent/base/err.h"
#include "tasks/project/scan.h"

struct folder;

struct focus_batch {
	int index;  /* of its point */
	int photos; /* how many of its photos are on disk; a complete one has all */
};

/* The batches of which there is a photo, by their points' numbers; the caller frees *out.
 * "invalid_state" when the scan was not made with focus_stacks or its photos are no
 * JPEGs, "not_found" when there is none. */
int focus_batches_find(struct focus_batch **out, size_t *count, const struct scan *scan,
		       const struct folder *folder, struct err *err);

/* "stacked/stacked_scan01_007.jpg": below the scan's folder. */
void focus_batch_output(const struct scan *scan, int index, char name[SCAN_PATH]);

/* "stacked/calibration_scan01.json". */
void focus_batch_calibration(const struct scan *scan, char name[SCAN_PATH]);

#endif
