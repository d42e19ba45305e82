/* The life of a task, from its creation to its end: what commands and the turn ask of it.
 *
 * A task that ends is freed, and it may take others with it: those that come after it.
 * So after any of these calls a walk over the scheduler's live tasks must look again at
 * what is there, and a task must not be touched any more unless the call says that it
 * lives on. */
#ifndef AGENT_CORE_LIFECYCLE_H
#define AGENT_CORE_LIFECYCLE_H

#include "agent/core/state.h"

/* ---- requests ---- */

/* Takes a new task over and puts it into the queue. */
void lifecycle_admit(struct core *core, struct task *task);

/* Cancels a live task: at once where no run works on it, else when its run has ended. */
void lifecycle_cancel(struct core *core, struct task *task);

/* Asks the run of a running task to pause; the task lives on. */
void lifecycle_pause(struct core *core, struct task *task);

/* Lets a task go on that is paused or was asked to pause; the task lives on. */
void lifecycle_resume(struct core *core, struct task *task);

/* Queues an ended task again.  It was read from the store and is taken over. */
void lifecycle_restart(struct core *core, struct task *task, bool from_checkpoint);

/* Deletes an ended task, which stays the caller's; event: "task.deleted" or
 * "task.pruned". */
void lifecycle_delete(struct core *core, const struct task *task, const char *event);

/* Deletes ended tasks beyond keep in number or older than older_than_ms, the longest
 * ended first, at most most of them; returns how many. */
int64_t lifecycle_prune(struct core *core, int64_t keep, int64_t older_than_ms,
			int64_t most);

/* Stores a new revision of the task after its document has changed, and publishes it. */
void lifecycle_save(struct core *core, struct task *task);

/* Sets the open bit of each task that this one comes after and that has not ended yet.
 * False when one of them is unknown; its id is then in *missing. */
bool dependency_resolve(struct core *core, struct task *task, const char **missing);

/* ---- stopping ---- */

/* Stops the runs that hold one of these devices; reason decides what their end is
 * called. */
void lifecycle_stop_runs(struct core *core, uint64_t devices, enum stop_reason reason);

/* Starts nothing any more and stops every run: the agent stops in order. */
void lifecycle_shut_down(struct core *core);

/* Does any run still work? */
bool lifecycle_has_runs(const struct core *core);

/* ---- time ---- */

/* Starts whatever may start now. */
void lifecycle_schedule(struct core *core);

/* Saves progress that is due; ends runs whose time is up. */
void lifecycle_tick(struct core *core);

/* When lifecycle_tick() has something to do: monotonic ms, -1 for never. */
int64_t lifecycle_wake(const struct core *core);

/* ---- events and restart ---- */

/* An event of a run (EVENT_PROGRESS to EVENT_FINISHED). */
void run_events_handle(struct core *core, const struct event *event);

/* Reads the live tasks from the store and decides what becomes of each, contract
 * section 7. */
int restore_tasks(struct core *core, struct err *err);

#endif
