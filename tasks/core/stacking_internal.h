/* One run of focus_stacking_task; shared by the files of focus_stacking_task only. */
#ifndef TASKS_CORE_STACKING_INTERNAL_H
#define TASKS_CORE_STACKING_INTERNAL_H

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "tasks/project/focus_batch.h"
#include "tasks/project/scan.h"
#include "tasks/stack/stack.h"
#include "tasks/task_api.h"

struct stacking {
	const struct task_host *host;
	struct task_run *run;
	const struct folder *folder; /* the projects' */
	struct scan *scan;
	const char *align; /* "batch" "calibration" "none" */
	int quality;	   /* 0: that of the photos */

	struct focus_batch *batches;
	size_t count, complete; /* batches, and how many of them are complete */
	int after; /* batches of points up to this index are done; -1 for none */

	bool calibrated; /* known holds the calibration */
	struct stack_known known;
	cJSON *outputs, *incomplete, *unaligned; /* the lists of the result */
};

/* Describes the batch of the point source->index for stack.h; source must outlive the
 * job. */
struct stacking_source {
	const struct stacking *stacking;
	int index;
};

struct stack_job stacking_job(const struct stacking *s, struct stacking_source *source);

/* Reads the scan's calibration, or measures it on three batches and writes it.  0; the
 * gate's answer when stopped; -1 with err. */
int stacking_calibrate(struct stacking *s, struct stack_report *report, struct err *err);

/* Stacks one batch; tasks take turns, since a batch uses all processors and much memory.
 */
int stacking_take_turn(const struct stack_job *job, struct stack_report *report,
		       void **jpeg, size_t *size, struct err *err);

#endif
