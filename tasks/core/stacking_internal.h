/* One run of focus_stacking_task, as its files share it. */
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
	int quality;	   /* 0: the photos' */

	struct focus_batch *batches;
	size_t count, complete; /* batches, and how many have all their photos */
	int after; /* batches of points up to this number are done; -1 none */

	bool calibrated; /* what is known of how frames lie is in known */
	struct stack_known known;
	cJSON *outputs, *incomplete, *unaligned; /* as the result has them */
};

/* What stack.h needs to know for the batch of that point; context is to outlive the job.
 */
struct stacking_source {
	const struct stacking *stacking;
	int index;
};

struct stack_job stacking_job(const struct stacking *s, struct stacking_source *source);

/* Where the scan's calibration is read from, or found out from three batches and written.
 * 0; what the gate said when stopped; -1 with err. */
int stacking_calibrate(struct stacking *s, struct stack_report *report, struct err *err);

/* Does the work of one batch at a time in this process, whichever task's it is: a batch
 * takes all processors and much memory. */
int stacking_take_turn(const struct stack_job *job, struct stack_report *report,
		       void **jpeg, size_t *size, struct err *err);

#endif
