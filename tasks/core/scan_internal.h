/* One run of scan_task; shared by the files of scan_task only. */
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
	SHOT_WRITING, /* exposed, and handed to the writer */
	SHOT_SAVED,   /* on disk */
	SHOT_FAILED,  /* tried, without a photo */
};

/* One photo that the run has to take. */
struct scan_shot {
	const struct path_point *point; /* of the plan */
	struct scan_photo photo;
	enum scan_shot_state state;
	char *reason; /* of the latest failure, or NULL */
};

struct scan_run {
	const struct task_host *host;
	struct task_run *run;
	struct rig *rig;
	struct projects *projects;

	struct scan_plan plan;
	int index; /* of the scan, also before its folder exists */
	struct scan *scan;
	struct photo_writer *writer;
	struct contact_sheet *sheet;
	cJSON *lights;	/* as the run found them: [{name,on,brightness}] */
	cJSON *camera;	/* the settings it found; NULL while it has changed none */
	cJSON *missing; /* [{photo,reason}] of the photos that failed for good */
	bool stop_on_error;

	struct scan_shot *shots; /* in the order of the plan's points */
	size_t n_shots;
	bool retrying; /* after the last point: failed photos get a second chance */

	size_t total, done; /* photos of the scan, and how many of them are on disk */
	int failed_in_a_row;
	struct err camera_err; /* of the last photo that failed */
	bool moved;	       /* the axes are not where the run found them */
	bool halted;	       /* somebody stopped the motion: do not move again */
	int64_t waited_ms;     /* at gates */
	struct err err;	       /* why the run fails; number 0 while it does not */
};

/* Reports the failure to the host, the first one only; returns what run() must return. */
int scan_run_fail(struct scan_run *s, const struct err *err);

/* Saves how far the scan is, for a resumed run; 0, or the gate's answer. */
int scan_run_checkpoint(struct scan_run *s);

/* Lists the photos that are missing on disk; scan_run_free_shots() frees the list. */
int scan_run_list_shots(struct scan_run *s, struct err *err);
void scan_run_free_shots(struct scan_run *s);

/* Takes every photo of the list.  0 when each is on disk or named in missing, the gate's
 * answer when the run should stop, else -1 after scan_run_fail(). */
int scan_run_shoot(struct scan_run *s);

/* Handles the writer's reports: those that are ready, all that are still to come, or
 * those that come until *over is true and photo_writer_wake() was called.  Returns as
 * scan_run_shoot(). */
int scan_run_collect(struct scan_run *s);
int scan_run_collect_all(struct scan_run *s);
int scan_run_collect_until(struct scan_run *s, const atomic_bool *over);

/* A photo failed because of err; it may be tried again. */
void scan_run_note_failure(struct scan_run *s, struct scan_shot *shot,
			   const struct err *err);

/* Photo number i of the scan, counted through the points and their brackets. */
struct scan_photo scan_run_photo(const struct scan_run *s, size_t i);

/* Completes and writes the contact sheet, and hands the result to the host. */
void scan_run_report_result(struct scan_run *s);

/* One line of the task's log: "what: why". */
void scan_run_log_error(const struct scan_run *s, const char *what,
			const struct err *err);

/* The place of a point's photo on the contact sheet, which is ordered by index. */
int scan_run_sheet_place(const struct scan_run *s, int index);

#endif
