/* A task's state machine: its changes, the requests about it, its time limits. */
#include "agent/core/lifecycle_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/core/task_types.h"

#define PRUNE_REST_MS 60000

/* ---- changes ---- */

/* Adds the running time up to now; the clock keeps running. */
static void clock_read(struct core *core, struct task *task)
{
	if (!task->running_since)
		return;
	task->elapsed_ms += core->now.ms - task->running_since;
	task->attempt_ms += core->now.ms - task->running_since;
	task->running_since = core->now.ms;
}

static void clock_stop(struct core *core, struct task *task)
{
	clock_read(core, task);
	task->running_since = 0;
}

static void clock_start(struct core *core, struct task *task)
{
	task->running_since = core->now.ms;
}

void lifecycle_save_row(struct core *core, struct task *task)
{
	clock_read(core, task);
	store_task_save(core->store, task);
}

void lifecycle_save_progress(struct core *core, struct task *task)
{
	task->rev++;
	task->progress_waits = false;
	task->progress_saved = core->now.ms;
	lifecycle_save_row(core, task);
	outbox_add_document(core->outbox, task->id, core_age(core));
	core->current_changed = true;
}

void lifecycle_save(struct core *core, struct task *task)
{
	task->durable_rev = task->rev + 1;
	lifecycle_save_progress(core, task);
	core->queue_changed = true;
}

void lifecycle_emit_event(struct core *core, const struct task *task, const char *name)
{
	cJSON *data = cJSON_CreateObject();

	cJSON_AddStringToObject(data, "type", task->type_name);
	cJSON_AddStringToObject(data, "status", task_status_name(task->status));
	cJSON_AddNumberToObject(data, "rev", (double)task->rev);
	cJSON_AddNumberToObject(data, "attempt", task->attempt);
	if (task->error_code[0]) {
		cJSON *error = cJSON_AddObjectToObject(data, "error");

		cJSON_AddStringToObject(error, "code", task->error_code);
		cJSON_AddStringToObject(error, "message",
					task->error_message ? task->error_message : "");
	}
	core_emit_event(core, name, task->id, data);
}

void lifecycle_clear_run(struct core *core, struct task *task)
{
	clock_stop(core, task);
	task->run = 0;
	task->parked = false;
	task->stop = STOP_NONE;
	task->stop_asked = 0;
	task->stopping = STOPPING_NOT;
	task->paused_since = 0;
}

void lifecycle_set_paused(struct core *core, struct task *task)
{
	clock_stop(core, task);
	task->status = TASK_PAUSED;
	task->stopping = STOPPING_NOT;
	task->stop_asked = 0;
	task->paused_since = core->now.ms;
	lifecycle_save(core, task);
	lifecycle_emit_event(core, task, "task.paused");
}

/* ---- requests ---- */

/* Stops the run of a task.  Returns false when the run had not been started yet: then it
 * has ended here, and task may be freed.  A start is an effect that waits for the commit,
 * on a full disk for a long time, and must not follow the stop. */
static bool ask_to_stop(struct core *core, struct task *task, enum stop_reason reason)
{
	const struct event over = {.kind = EVENT_FINISHED, .outcome = OUTCOME_STOPPED};
	struct stop_ops *stop_ops = &core->options.stop_ops;

	/* A cancel in progress stays a cancel. */
	if (task->stop != STOP_CANCEL)
		task->stop = reason;
	if (effects_withdraw(core->effects, EFFECT_START, task->run)) {
		outcome_of_run(core, task, &over);
		return false;
	}
	task->stop_asked = core->now.ms;
	stop_ops->stop_run(stop_ops->context, task->run,
			   reason == STOP_ESTOP || reason == STOP_MOTION);
	return true;
}

void lifecycle_cancel(struct core *core, struct task *task)
{
	if (!task->run) {
		/* Pending, or paused without a run: there is nothing to wait for. */
		outcome_cancel(core, task);
		return;
	}
	task->stopping = STOPPING_CANCEL;
	if (ask_to_stop(core, task, STOP_CANCEL))
		lifecycle_save(core, task);
}

void lifecycle_pause(struct core *core, struct task *task)
{
	struct stop_ops *stop_ops = &core->options.stop_ops;

	task->stopping = STOPPING_PAUSE;
	task->stop_asked = core->now.ms;
	stop_ops->pause_run(stop_ops->context, task->run);
	lifecycle_save(core, task);
}

static void begin_run(struct core *core, struct task *task)
{
	struct effect *effect = effects_add(core->effects, EFFECT_START);

	task->status = TASK_RUNNING;
	task->run = ++core->next_run;
	task->start_order = (int64_t)++core->next_start;
	task->requeued = false;
	task->not_before = 0;
	if (task->checkpoint)
		task->resumed++;
	if (!task->started_at)
		task->started_at = core->now.wall;
	clock_start(core, task);
	task->first_current = task->current;
	task->first_ms = task->elapsed_ms;
	lifecycle_save(core, task);
	effect->run = task->run;
	effect->type = task->type;
	effect->number = task->attempt;
	task_set_text(&effect->name, task->id);
	task_set_text(&effect->text, task->args);
	task_set_text(&effect->more, task->checkpoint);
}

void lifecycle_resume(struct core *core, struct task *task)
{
	bool was_paused = task->status == TASK_PAUSED;

	task->stopping = STOPPING_NOT;
	task->stop_asked = 0;
	task->paused_since = 0;
	if (was_paused && !task->run) {
		begin_run(core, task);
		lifecycle_emit_event(core, task, "task.resumed");
		return;
	}
	if (was_paused) {
		task->status = TASK_RUNNING;
		task->parked = false;
		clock_start(core, task);
	}
	effects_add(core->effects, EFFECT_RESUME)->run = task->run;
	lifecycle_save(core, task);
	if (was_paused)
		lifecycle_emit_event(core, task, "task.resumed");
}

void lifecycle_admit(struct core *core, struct task *task)
{
	store_set_number(core->store, "next_task", core->next_task);
	store_set_number(core->store, "next_arrival", core->next_arrival);
	scheduler_add(&core->scheduler, task);
	store_task_insert(core->store, task);
	outbox_add_document(core->outbox, task->id, core_age(core));
	core->queue_changed = true;
	lifecycle_emit_event(core, task, "task.created");
	dependency_check(core, task);
}

void lifecycle_restart(struct core *core, struct task *task, bool from_checkpoint)
{
	const char *missing;

	task_reset(task, from_checkpoint);
	task->arrival = core->next_arrival++;
	task->claim = task->type ? core_devices(core, task->type->type->uses) : 0;
	store_set_number(core->store, "next_arrival", core->next_arrival);
	core->ended_count--;
	/* A dependency that nobody remembers any more holds nothing back. */
	dependency_resolve(core, task, &missing);
	scheduler_add(&core->scheduler, task);
	lifecycle_save(core, task);
	lifecycle_emit_event(core, task, "task.created");
	dependency_check(core, task);
}

void lifecycle_delete(struct core *core, const struct task *task, const char *event)
{
	char topic[TOPIC_MAX], key[TASK_ID + 1];

	snprintf(key, sizeof(key), "i%s", task->id);
	store_dedup_set_status(core->store, key, task_status_name(task->status));
	store_task_delete(core->store, task);
	outbox_add_clearing(core->outbox,
			    topic_make(topic, core->options.root, core->options.device,
				       "task/%s", task->id),
			    core_age(core));
	core->ended_count--;
	core_emit_event(core, event, task->id, NULL);
}

int64_t lifecycle_prune(struct core *core, int64_t keep, int64_t older_than_ms,
			int64_t most)
{
	int64_t age = core_age(core), pruned = 0, ended_age = -1, number = 0;

	while (pruned < most) {
		struct task *task = store_task_ended(core->store, ended_age, number);
		bool due;

		if (!task)
			break;
		ended_age = task->ended_age;
		number = task->number;
		due = core->ended_count > keep || age - task->ended_age > older_than_ms;
		if (!due || age - task->ended_age < PRUNE_REST_MS) {
			task_free(task);
			break;
		}
		if (outbox_document_acknowledged(core->outbox, task->id)) {
			lifecycle_delete(core, task, "task.pruned");
			pruned++;
		}
		task_free(task);
	}
	return pruned;
}

void lifecycle_stop_runs(struct core *core, uint64_t devices, enum stop_reason reason)
{
	struct scheduler *s = &core->scheduler;

	/* Backwards, and checked each time: an end may end dependent tasks too. */
	for (size_t i = s->count; i-- > 0;) {
		struct task *task = i < s->count ? s->live[i] : NULL;

		if (!task || !task_is_active(task) || !(task->claim & devices))
			continue;
		if (task->run)
			ask_to_stop(core, task, reason);
		else if (reason == STOP_ESTOP)
			outcome_estop(core, task);
	}
}

void lifecycle_shut_down(struct core *core)
{
	struct scheduler *s = &core->scheduler;

	s->paused = true;
	/* See lifecycle_stop_runs(). */
	for (size_t i = s->count; i-- > 0;) {
		struct task *task = i < s->count ? s->live[i] : NULL;

		if (task && task->run && task->stop == STOP_NONE)
			ask_to_stop(core, task, STOP_SHUTDOWN);
	}
}

bool lifecycle_has_runs(const struct core *core)
{
	for (size_t i = 0; i < core->scheduler.count; i++)
		if (core->scheduler.live[i]->run)
			return true;
	return false;
}

/* Types may have changed since the task was queued: false when the scheduler has to
 * choose again, or when the task has ended because its type no longer exists. */
static bool is_still_bound(struct core *core, struct task *task)
{
	char text[128];

	if (task_types_bind(core, task) && task->type)
		return false; /* it may use other devices now */
	if (task->type)
		return true;
	snprintf(text, sizeof(text), "Task type '%s' is not registered any more.",
		 task->type_name);
	outcome_fail(core, task, "unknown_type", text);
	return false;
}

static void start_task(struct core *core, struct task *task)
{
	struct schema_problem problem;
	cJSON *args;
	size_t problems;

	if (!is_still_bound(core, task))
		return;
	args = cJSON_Parse(task->args);
	schema_fill(task->type->schema, args);
	problems = schema_check(task->type->schema, args, "/args", &problem, 1);
	free(task->args);
	task->args = json_text(args);
	cJSON_Delete(args);
	if (problems) {
		char text[512];

		schema_sentence(&problem, text, sizeof(text));
		outcome_fail(core, task, "invalid_args", text);
		return;
	}
	task_clear_error(task);
	begin_run(core, task);
	lifecycle_emit_event(core, task, "task.started");
}

void lifecycle_schedule(struct core *core)
{
	struct task *task;

	while ((task = scheduler_next(&core->scheduler, core->now.ms)))
		start_task(core, task);
}

/* ---- time ---- */

static void save_progress_in_time(struct core *core, struct task *task)
{
	if (task->run && task->progress_waits && !core->disk_low &&
	    core->now.ms - task->progress_saved >= PROGRESS_SAVE_MS)
		lifecycle_save_progress(core, task);
}

static bool timed_out(const struct core *core, const struct task *task)
{
	return task->timeout_ms && task->running_since && task->stop == STOP_NONE &&
	       task->attempt_ms + core->now.ms - task->running_since >= task->timeout_ms;
}

static bool paused_too_long(const struct core *core, const struct task *task)
{
	return core->options.tunables.max_pause_ms && task->status == TASK_PAUSED &&
	       task->stop == STOP_NONE &&
	       core->now.ms - task->paused_since >= core->options.tunables.max_pause_ms;
}

void lifecycle_tick(struct core *core)
{
	struct scheduler *s = &core->scheduler;

	/* See lifecycle_stop_runs(). */
	for (size_t i = s->count; i-- > 0;) {
		struct task *task = i < s->count ? s->live[i] : NULL;

		if (!task)
			continue;
		save_progress_in_time(core, task);
		if (timed_out(core, task) && !ask_to_stop(core, task, STOP_TIMEOUT))
			continue;
		if (!paused_too_long(core, task))
			continue;
		if (task->run)
			ask_to_stop(core, task, STOP_PAUSED_TOO_LONG);
		else
			outcome_interrupt(
				core, task,
				"it was paused longer than scheduler.max_pause_s allows");
	}
}

static void wake_at(int64_t *wake, int64_t at)
{
	if (*wake < 0 || at < *wake)
		*wake = at;
}

int64_t lifecycle_wake(const struct core *core)
{
	int64_t wake = -1;

	for (size_t i = 0; i < core->scheduler.count; i++) {
		const struct task *task = core->scheduler.live[i];

		if (task->run && task->progress_waits && !core->disk_low)
			wake_at(&wake, task->progress_saved + PROGRESS_SAVE_MS);
		if (task->timeout_ms && task->running_since && task->stop == STOP_NONE)
			wake_at(&wake, task->running_since + task->timeout_ms -
					       task->attempt_ms);
		if (core->options.tunables.max_pause_ms && task->status == TASK_PAUSED &&
		    task->stop == STOP_NONE)
			wake_at(&wake,
				task->paused_since + core->options.tunables.max_pause_ms);
	}
	return wake;
}
