/* What happens to a task from its creation to its end.
 *
 * life.c looks tasks up, makes every change, does what people ask for, starts what may
 * start; after.c decides what comes after what; runs.c takes in what runs tell; ending.c
 * gives an end its name; restore.c finds out what a start finds.  All within a turn, on
 * the loop's thread. */
#ifndef AGENT_CORE_LIFECYCLE_H
#define AGENT_CORE_LIFECYCLE_H

#include "agent/core/state.h"

#define INTERRUPTED_BY_SHUTDOWN "Task was interrupted by application shutdown."
#define PROGRESS_SAVE_MS 2000 /* progress alone is committed at most so often */

bool lifecycle_has_runs(const struct core *core); /* is a run at work? */

/* ---- life.c: every change ---- */

void lifecycle_save(struct core *core, struct task *task); /* a new revision */
void lifecycle_save_progress(struct core *core,
			     struct task *task);	       /* one of progress alone */
void lifecycle_save_row(struct core *core, struct task *task); /* the row, no revision */
void lifecycle_emit_event(struct core *core, const struct task *task, const char *name);
void lifecycle_clear_run(struct core *core,
			 struct task *task); /* nobody works on it any more */
void lifecycle_set_paused(struct core *core,
			  struct task *task); /* it is at rest, waits for a resume */
void lifecycle_stop_clock(struct core *core, struct task *task); /* of its running time */

/* ---- life.c: what people ask for.  A task that ends here is freed ---- */

void lifecycle_admit(struct core *core, struct task *task); /* takes a new task over */
void lifecycle_cancel(struct core *core, struct task *task);
void lifecycle_pause(struct core *core, struct task *task);
void lifecycle_resume(struct core *core, struct task *task);

/* task was read from the store and is the scheduler's from now on. */
void lifecycle_restart(struct core *core, struct task *task, bool from_checkpoint);
void lifecycle_delete(struct core *core, const struct task *task, const char *event);

/* Takes away ended tasks beyond keep in number or older than older_than_ms, the longest
 * ended first, at most most of them. */
int64_t lifecycle_prune(struct core *core, int64_t keep, int64_t older_than_ms,
			int64_t most);

/* Stops the runs that hold one of these devices, and nothing of them moves on its way
 * out. */
void lifecycle_stop_runs(struct core *core, uint64_t devices, enum stop_reason reason);
void lifecycle_shut_down(struct core *core); /* the agent stops in order */

/* ---- life.c: time ---- */

void lifecycle_schedule(struct core *core);
void lifecycle_tick(struct core *core);
int64_t lifecycle_wake(const struct core *core);

/* ---- after.c ---- */

/* Is every task that this one comes after there, or known to have completed?  Sets the
 * bits of those that are not decided; false with the id that was never heard of. */
bool dependency_resolve(struct core *core, struct task *task, const char **missing);

/* An open bit for a task that has ended is a dependency that failed: false, and task is
 * gone. */
bool dependency_check(struct core *core, struct task *task);

/* ended has ended for good: decides it for everybody who waits for it. */
void dependency_settle(struct core *core, const struct task *ended);

/* ---- runs.c ---- */

void runs_event(struct core *core, struct event *event);

/* ---- ending.c: task is freed where it ends ---- */

void outcome_end(struct core *core, struct task *task, enum task_status status);
void outcome_fail(struct core *core, struct task *task, const char *code,
		  const char *text);
void outcome_fail_or_retry(struct core *core, struct task *task, const char *code,
			   const char *text);
void outcome_cancel(struct core *core, struct task *task);
void outcome_interrupt(struct core *core, struct task *task, const char *text);
void outcome_estop(struct core *core, struct task *task);
void outcome_of_run(struct core *core, struct task *task, const struct event *event);

/* ---- restore.c ---- */

/* Reads the live tasks and decides what becomes of each, contract section 7. */
int restore_tasks(struct core *core, struct err *err);

#endif
