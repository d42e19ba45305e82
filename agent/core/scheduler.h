/* Decides what runs next.  Knows no threads, no clock and no disk.
 *
 * It keeps the live tasks in queue order (priority, then arrival).  The tasks belong to
 * the caller; the scheduler only reads them. */
#ifndef AGENT_CORE_SCHEDULER_H
#define AGENT_CORE_SCHEDULER_H

#include "agent/model/task.h"

#define SCHEDULER_LIVE_MAX 256

struct scheduler {
	int max_concurrent;	  /* async tasks at once; a paused one keeps its slot */
	int blocking_threads;	  /* blocking tasks at once */
	bool paused;		  /* nothing starts */
	bool draining;		  /* only tasks that ran before start */
	uint64_t command_devices; /* devices held by direct commands */
	struct task *live[SCHEDULER_LIVE_MAX];
	size_t count;
};

/* -ENOSPC when SCHEDULER_LIVE_MAX tasks are live. */
int scheduler_add(struct scheduler *s, struct task *task);
void scheduler_remove(struct scheduler *s, struct task *task);

/* Restores the order after a priority or arrival has changed. */
void scheduler_sort(struct scheduler *s);

struct task *scheduler_find(const struct scheduler *s, const char *id);
struct task *scheduler_find_run(const struct scheduler *s, uint64_t run);

/* The pending task to start at time now, or NULL when none may start yet.  The caller
 * marks it running before it asks again. */
struct task *scheduler_next(const struct scheduler *s, int64_t now);

/* May a direct command use these devices now?  If not, *holder is the task that holds one
 * of them, or NULL when another command does. */
bool scheduler_devices_free(const struct scheduler *s, uint64_t devices,
			    const struct task **holder);

/* The place of a task among the pending ones, 0 at the head; -1 when it is not pending.
 */
int scheduler_position(const struct scheduler *s, const struct task *task);

/* The running or paused exclusive task; else the one that started last; else NULL. */
struct task *scheduler_current(const struct scheduler *s);

/* Is no task running, paused, or pending because it ran before? */
bool scheduler_idle(const struct scheduler *s);

/* When a retry delay ends next, or -1. */
int64_t scheduler_wake(const struct scheduler *s, int64_t now);

#endif
