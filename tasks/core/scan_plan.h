/* The plan of a scan: whether it is possible on this rig, its path, and its size and
 * time.
 *
 * Queries the rig and the disk without changing them.  Any thread. */
#ifndef TASKS_CORE_SCAN_PLAN_H
#define TASKS_CORE_SCAN_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "hal/rig.h"
#include "tasks/core/orbit_axes.h"
#include "tasks/core/scan_settings.h"
#include "tasks/capture/path.h"
#include "tasks/services.h"

struct scan;

struct scan_plan {
	struct orbit_axes axes;
	size_t camera;
	struct scan_settings settings;
	struct path_point *points; /* still to be photographed, in visiting order */
	size_t n;
	size_t photos;	       /* photos that are missing on disk */
	double bytes, seconds; /* of the missing photos */
	int64_t bytes_free;
};

/* Plans the scan that args describe; with scan, the photos that it lacks, along its
 * stored path.  With problems, every problem is added to that array as {"code","message"}
 * and 0 is returned; without, the first problem is the error.  Close the plan in either
 * case. */
int scan_plan_open(struct scan_plan *plan, const struct task_services *services,
		   const struct scan *scan, const cJSON *args, cJSON *problems,
		   struct err *err);
void scan_plan_close(struct scan_plan *plan);

#endif
