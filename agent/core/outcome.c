/* What the end of a run means for its task: its status, its error, another attempt. */
#include "agent/core/lifecycle_internal.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/utf8.h"

static const char *const INTERRUPTED_BY_MOTOR_STOP = "motor/stop interrupted it";

void outcome_end(struct core *core, struct task *task, enum task_status status)
{
	static const char *const events[] = {
		[TASK_COMPLETED] = "task.completed",
		[TASK_CANCELLED] = "task.cancelled",
		[TASK_ERROR] = "task.error",
		[TASK_INTERRUPTED] = "task.interrupted",
	};

	lifecycle_clear_run(core, task);
	task->status = status;
	task->requeued = false;
	task->after_open = 0;
	task->completed_at = core->now.wall;
	task->ended_age = core_age(core);
	lifecycle_save(core, task);
	lifecycle_emit_event(core, task, events[status]);
	scheduler_remove(&core->scheduler, task);
	core->ended_count++;
	dependency_settle(core, task);
	task_free(task);
}

void outcome_fail(struct core *core, struct task *task, const char *code,
		  const char *text)
{
	task_set_error(task, code, text);
	outcome_end(core, task, TASK_ERROR);
}

void outcome_cancel(struct core *core, struct task *task)
{
	task_set_error(task, "cancelled", "Task was cancelled by user.");
	outcome_end(core, task, TASK_CANCELLED);
}

static bool is_retryable(const char *code)
{
	static const char *const codes[] = {"task_failed", "hardware_fault",
					    "hal_unavailable", "timeout", NULL};

	for (const char *const *known = codes; *known; known++)
		if (!strcmp(*known, code))
			return true;
	return false;
}

void outcome_fail_or_retry(struct core *core, struct task *task, const char *code,
			   const char *text)
{
	bool pauses;

	if (!is_retryable(code) || !task->retries_left) {
		outcome_fail(core, task, code, text);
		return;
	}
	/* The cancel was meant for the task, not for this attempt. */
	if (task->stop == STOP_CANCEL) {
		outcome_cancel(core, task);
		return;
	}
	pauses = task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE;
	lifecycle_clear_run(core, task);
	task_set_error(task, code, text);
	task->has_effects = false;
	task->retries_left--;
	task->attempt++;
	task->attempt_ms = 0;
	/* A person paused it: the next attempt waits for a resume. */
	if (pauses) {
		lifecycle_set_paused(core, task);
		return;
	}
	task->status = TASK_PENDING;
	task->requeued = true;
	task->not_before = core->now.ms + task->retry_delay_ms;
	lifecycle_save(core, task);
	lifecycle_emit_event(core, task, "task.retry");
}

void outcome_interrupt(struct core *core, struct task *task, const char *text)
{
	task_set_error(task, "interrupted", text);
	outcome_end(core, task, TASK_INTERRUPTED);
}

void outcome_estop(struct core *core, struct task *task)
{
	task_set_error(task, "estopped", "an emergency stop interrupted it");
	outcome_end(core, task, TASK_INTERRUPTED);
}

/* The run was stopped because the agent stops in order. */
static void outcome_shut_down(struct core *core, struct task *task)
{
	bool resumes = task->resumable && task->resumes;
	bool pauses = task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE;

	if (task->status == TASK_PAUSED && task->resumable) {
		lifecycle_clear_run(core, task);
		task->paused_since = core->now.ms;
		lifecycle_save_row(core, task);
		return;
	}
	if (task->stopping == STOPPING_PAUSE && task->resumable) {
		lifecycle_clear_run(core, task);
		lifecycle_set_paused(core, task);
		return;
	}
	/* A person paused it: it must not start again by itself, even if it has had no
	 * effects. */
	if (!resumes && (task->has_effects || pauses)) {
		outcome_interrupt(core, task, INTERRUPTED_BY_SHUTDOWN);
		return;
	}
	lifecycle_clear_run(core, task);
	task->status = TASK_PENDING;
	task->requeued = true;
	lifecycle_save(core, task);
}

static void outcome_stopped(struct core *core, struct task *task)
{
	char text[128];

	switch (task->stop) {
	case STOP_CANCEL:
		outcome_cancel(core, task);
		break;
	case STOP_TIMEOUT:
		snprintf(text, sizeof(text), "it ran longer than its timeout of %g s",
			 (double)task->timeout_ms / 1000);
		outcome_fail_or_retry(core, task, "timeout", text);
		break;
	case STOP_ESTOP:
		outcome_estop(core, task);
		break;
	case STOP_MOTION:
		outcome_interrupt(core, task, INTERRUPTED_BY_MOTOR_STOP);
		break;
	case STOP_SHUTDOWN:
		outcome_shut_down(core, task);
		break;
	case STOP_PAUSED_TOO_LONG:
		outcome_interrupt(
			core, task,
			"it was paused longer than scheduler.max_pause_s allows");
		break;
	case STOP_NONE:
		outcome_fail_or_retry(core, task, "internal",
				      "the task ended as stopped, but nobody stopped it");
		break;
	}
}

/* The rig no longer knows the position of an axis: the task pauses until a person has set
 * it and resumes the task. */
static void outcome_wait_for_person(struct core *core, struct task *task,
				    const char *text)
{
	lifecycle_clear_run(core, task);
	snprintf(task->message, sizeof(task->message), "%.256s", text);
	utf8_trim(task->message);
	lifecycle_set_paused(core, task);
}

static void outcome_failed_run(struct core *core, struct task *task,
			       const struct event *event)
{
	const char *code = event->code[0] ? event->code : "task_failed";
	const char *text =
		event->text ? event->text : "the task failed and did not say why";

	if (task->stop == STOP_ESTOP || !strcmp(code, "estopped"))
		outcome_estop(core, task);
	else if (!strcmp(code, "interrupted"))
		outcome_interrupt(core, task, text);
	else if (!strcmp(code, "cancelled") && task->stop == STOP_CANCEL)
		outcome_cancel(core, task);
	else if (!strcmp(code, "invalid_state") && task->checkpoint &&
		 task->stop == STOP_NONE)
		outcome_wait_for_person(core, task, text);
	else
		outcome_fail_or_retry(core, task, code, text);
}

void outcome_of_run(struct core *core, struct task *task, const struct event *event)
{
	if (event->outcome == OUTCOME_STOPPED) {
		outcome_stopped(core, task);
	} else if (event->outcome == OUTCOME_FAILED) {
		outcome_failed_run(core, task, event);
	} else {
		task_set_text(&task->result, event->data);
		task_clear_error(task);
		if (task->total > 0)
			task->current = task->total;
		outcome_end(core, task, TASK_COMPLETED);
	}
}
