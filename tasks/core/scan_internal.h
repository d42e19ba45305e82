/* One run of scan_task, as far as it has got.  For the files of scan_task only. */
#ifndef TASKS_CORE_SCAN_INTERNAL_H
#define TASKS_CORE_SCAN_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/base/err.h"
#include "tasks/core/scan_plan.h"
#include "tasks/project/scan.h"
#include "tasks/task_api.h"

struct contact_sheet;
struct photo_writer;

enum scan_shot_state {
	SHOT_WANTED,  /* not tried yet */
	SHOT_WRITING, /* exposed; the writer has it */
	SHOT_SAVED,   /* on disk */
	SHOT_FAILED,  /* tried in vain */
};

/* One photo that the run shall take. */
struct scan_shot {
	const struct path_point *point; /* of the plan */
	struct scan_photo photo;
	enum scan_shot_state state;
	char *reason; /* why it failed the last time, or NULL */
};

struct scan_run {
	const struct task_host *host;
	struct task_run *run;
	struct rig *rig;
	struct projects *projects;

	struct scan_plan plan;
	int index; /* of the scan, also before it is made */
	struct scan *scan;
	struct photo_writer *writer;
	struct contact_sheet *sheet;
	cJSON *lights;	/* as they were: [{name,on,brightness}] */
	cJSON *camera;	/* its settings as they were, when the run changed them */
	cJSON *missing; /* [{photo,reason}] of those that failed for good */
	bool stop_on_error;

	struct scan_shot *shots; /* in the order of the plan's points */
	size_t n_shots;
	bool again; /* after the last point: what failed gets another chance */

	size_t total, done; /* photos of the scan, and those that are on disk */
	int failed_in_a_row;
	struct err camera_err; /* of the last photo that failed */
	bool moved;	       /* the axes are not where they were */
	bool halted;	       /* somebody stopped the motion: no more of it */
	int64_t waited_ms;     /* at gates */
	struct err err;	       /* why it fails; number 0 while it does not */
};

/* Explains the failure to the host; returns what run() must return. */
int scan_run_fail(struct scan_run *s, const struct err *err);

/* Saves how far the scan is for a run that goes on; 0, or the gate's answer. */
int scan_run_checkpoint(struct scan_run *s);

/* Lists the photos that are to be taken; scan_run_forget() frees the list. */
int scan_run_list(struct scan_run *s, struct err *err);
void scan_run_forget(struct scan_run *s);

/* Takes every photo of the list.  0 when all are on disk or named as missing, the gate's
 * answer when the run shall stop, else -1: the failure is explained. */
int scan_run_shoot(struct scan_run *s);

/* Takes the writer's reports: those that are there, all that are still to come, or those
 * that come until *enough is true and photo_writer_wake() says so.  As scan_run_shoot().
 */
int scan_run_collect(struct scan_run *s);
int scan_run_collect_all(struct scan_run *s);
int scan_run_collect_until(struct scan_run *s, const atomic_bool *enough);

/* A photo failed for now: err is the reason. */
void scan_run_note_failure(struct scan_run *s, struct scan_shot *shot,
			   const struct err *err);

/* Photo number i of the scan, counted through the points and their brackets. */
struct scan_photo scan_run_photo(const struct scan_run *s, size_t i);

/* Completes and writes the contact sheet, and hands the host the result. */
void scan_run_tell_result(struct scan_run *s);

/* One line of the task's log: "what: why". */
void scan_run_log_error(const struct scan_run *s, const char *what,
			const struct err *err);

/* Where a photo stands on the contact sheet, which follows the numbers. */
int scan_run_place(const struct scan_run *s, int index);

#endif
