/* The transitions of a task's state machine, for the files that are its parts.
 *
 *   lifecycle.c   saves, starts and stops; what people ask for
 *   run_events.c  what a run reports
 *   outcome.c     what the end of a run means for its task
 *   dependency.c  what the end of a task means for the tasks after it
 *   restore.c     what the start of the agent finds
 *
 * lifecycle.c, outcome.c and dependency.c call each other in a circle, and that is right:
 * a stop may end a task at once, an end decides the tasks that come after it, and where
 * the dependency has failed such a task ends too, which decides others in turn.  Every
 * step ends one live task, so the recursion is no deeper than a chain of tasks is long
 * (SCHEDULER_LIVE_MAX).  It all happens within one turn, hence in one transaction.
 *
 * Whatever ends a task frees it. */
#ifndef AGENT_CORE_LIFECYCLE_INTERNAL_H
#define AGENT_CORE_LIFECYCLE_INTERNAL_H

#include "agent/core/lifecycle.h"

#define INTERRUPTED_BY_SHUTDOWN "Task was interrupted by application shutdown."
#define PROGRESS_SAVE_MS 2000 /* progress alone is committed at most this often */

/* ---- lifecycle.c ---- */

/* Stores a new revision that differs by its progress alone. */
void lifecycle_save_progress(struct core *core, struct task *task);

/* Stores the row without a new revision: nothing in the document has changed. */
void lifecycle_save_row(struct core *core, struct task *task);

/* Publishes an event ("task.started") about the task. */
void lifecycle_emit_event(struct core *core, const struct task *task, const char *name);

/* No run works on the task any more; its status is the caller's to set. */
void lifecycle_clear_run(struct core *core, struct task *task);

/* The task is at rest and waits for a resume. */
void lifecycle_set_paused(struct core *core, struct task *task);

/* ---- outcome.c ---- */

/* Ends the task: saves it, takes it from the queue, decides those that come after it. */
void outcome_end(struct core *core, struct task *task, enum task_status status);
void outcome_fail(struct core *core, struct task *task, const char *code,
		  const char *text);

/* As outcome_fail(), but back to the queue while the task has retries left and the code
 * is of a kind that may succeed next time. */
void outcome_fail_or_retry(struct core *core, struct task *task, const char *code,
			   const char *text);
void outcome_cancel(struct core *core, struct task *task);
void outcome_interrupt(struct core *core, struct task *task, const char *text);
void outcome_estop(struct core *core, struct task *task);

/* EVENT_FINISHED: decides from the outcome of the run and from what it was asked. */
void outcome_of_run(struct core *core, struct task *task, const struct event *event);

/* ---- dependency.c ---- */

/* Ends the task when one that it waits for has ended already; false then. */
bool dependency_check(struct core *core, struct task *task);

/* Tells every live task that comes after ended, which has ended for good. */
void dependency_settle(struct core *core, const struct task *ended);

#endif
