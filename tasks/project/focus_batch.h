/* The focus batches of a scan: the photos of each point, which become one stacked
 * picture. One thread at a time; blocks on the disk. */
#ifndef TASKS_PROJECT_FOCUS_BATCH_H
#define TASKS_PROJECT_FOCUS_BATCH_H

#include <stddef.h>

#include "agent/base/err.h"
#include "tasks/project/scan.h"

struct folder;

struct focus_batch {
	int index;  /* of its point */
	int photos; /* on disk; scan_stacks() when the batch is complete */
};

/* The batches with at least one photo, sorted by index; the caller frees *out.
 * "invalid_state" when the scan was made without focus_stacks or its photos are not
 * JPEGs, "not_found" when there is no batch. */
int focus_batches_find(struct focus_batch **out, size_t *count, const struct scan *scan,
		       const struct folder *folder, struct err *err);

/* The stacked picture's path below the scan's folder: "stacked/stacked_scan01_007.jpg".
 */
void focus_batch_output(const struct scan *scan, int index, char name[SCAN_PATH]);

/* "stacked/calibration_scan01.json". */
void focus_batch_calibration(const struct scan *scan, char name[SCAN_PATH]);

#endif
