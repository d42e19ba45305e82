/* Restores the live tasks when the agent starts: each continues, pauses or ends. */
#include "agent/core/lifecycle_internal.h"

#include <errno.h>
#include <stdio.h>

#define CRASHES_MAX 3

static void restore_running(struct core *core, struct task *task)
{
	bool resumes = task->resumable && task->resumes;

	task->crashes++;
	if (task->crashes >= CRASHES_MAX) {
		outcome_fail(
			core, task, "crash_loop",
			"the agent ended three times in a row while this task stood at "
			"the same place");
	} else if (core->estop && task->claim) {
		outcome_estop(core, task);
	} else if (!resumes && task->has_effects) {
		outcome_interrupt(core, task, INTERRUPTED_BY_SHUTDOWN);
	} else {
		lifecycle_clear_run(core, task);
		task->status = TASK_PENDING;
		task->requeued = true;
		lifecycle_save(core, task);
	}
}

static void restore_paused(struct core *core, struct task *task)
{
	bool was_stopping = task->stopping == STOPPING_PAUSE;

	if (!task->resumable) {
		outcome_interrupt(core, task, INTERRUPTED_BY_SHUTDOWN);
		return;
	}
	if (core->estop && task->claim) {
		outcome_estop(core, task);
		return;
	}
	task->status = TASK_PAUSED;
	task->stopping = STOPPING_NOT;
	task->paused_since = core->now.ms;
	if (was_stopping) {
		lifecycle_save(core, task);
		lifecycle_emit_event(core, task, "task.paused");
	}
}

static void restore_task(struct core *core, struct task *task)
{
	char text[160];

	if (!task->type) {
		snprintf(text, sizeof(text),
			 "Task type '%s' is not registered. Cannot restore.",
			 task->type_name);
		outcome_fail(core, task, "unknown_type", text);
	} else if (task->stopping == STOPPING_CANCEL) {
		/* Nothing moves: the rig was made safe when it was opened. */
		outcome_cancel(core, task);
	} else if (task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE) {
		restore_paused(core, task);
	} else if (task->status == TASK_RUNNING) {
		restore_running(core, task);
	}
}

int restore_tasks(struct core *core, struct err *err)
{
	struct task *tasks[SCHEDULER_LIVE_MAX];
	size_t n = 0;

	for (int64_t number = 0;;) {
		struct task *task = store_task_after(core->store, number);

		if (!task)
			break;
		number = task->number;
		if (!task_is_live(task)) {
			task_free(task);
			continue;
		}
		task->type = registry_find(core->options.registry, task->type_name);
		task->claim = task->type ? core_devices(core, task->type->type->uses) : 0;
		if (scheduler_add(&core->scheduler, task) < 0) {
			task_free(task);
			return err_code(err, -ENOSPC, "storage_error",
					"the database holds more than %d live tasks",
					SCHEDULER_LIVE_MAX);
		}
		tasks[n++] = task;
	}
	/* An end may end dependent tasks too, so check which ones still exist. */
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < core->scheduler.count; k++)
			if (core->scheduler.live[k] == tasks[i]) {
				restore_task(core, tasks[i]);
				break;
			}
	return 0;
}
