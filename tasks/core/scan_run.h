/* One run of scan_task, as far as it has got.  For the files of scan_task only. */
#ifndef TASKS_CORE_SCAN_RUN_H
#define TASKS_CORE_SCAN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "tasks/core/scan_plan.h"
#include "tasks/task_api.h"

struct scan;
struct sheet;
struct writer;

struct scan_run {
	const struct task_host *host;
	struct task_run *run;
	struct rig *rig;
	struct projects *projects;

	struct scan_plan plan;
	int index; /* of the scan, also before it is made */
	struct scan *scan;
	struct writer *writer;
	struct sheet *sheet;
	cJSON *lights;	/* as they were: [{name,on,brightness}] */
	cJSON *camera;	/* its settings as they were, when the run changed them */
	cJSON *missing; /* names of the photos that failed */
	bool stop_on_error;

	size_t total, done; /* photos of the scan, and those that are on disk */
	int failed_in_a_row;
	struct err camera_err; /* of the last photo that was given up */
	bool moved;	       /* the axes are not where they were */
	bool halted;	       /* somebody stopped the motion: no more of it */
	int64_t waited_ms;     /* at gates */
	struct err err;	       /* why it fails; number 0 while it does not */
};

/* Explains the failure to the host; returns what run() must return. */
int scan_run_fail(struct scan_run *s, const struct err *err);

/* Saves how far the scan is for a run that goes on; 0, or the gate's answer. */
int scan_run_checkpoint(struct scan_run *s);

/* Takes every photo of the plan.  0 when all are on disk or named as missing, the gate's
 * answer when the run shall stop, else -1: the failure is explained. */
int scan_run_shoot(struct scan_run *s);

/* Takes the writer's reports; wait: all that are still to come.  As scan_run_shoot(). */
int scan_run_collect(struct scan_run *s, bool wait);

/* Where a photo stands on the contact sheet, which follows the numbers. */
int scan_run_place(const struct scan_run *s, int index);

#endif
