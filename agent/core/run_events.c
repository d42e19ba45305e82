/* Takes the events of a run: progress, checkpoints, log lines, events, its end. */
#include "agent/core/lifecycle_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"

static struct task *find_task(struct core *core, uint64_t run)
{
	return run ? scheduler_find_run(&core->scheduler, run) : NULL;
}

static void publish_progress(struct core *core, const struct task *task)
{
	char topic[TOPIC_MAX];
	struct telemetry_topic target = {
		.topic = topic_make(topic, core->options.root, core->options.device,
				    "task/%s/progress", task->id),
		.interval_ms = 200,
		.once = true,
	};
	cJSON *progress = cJSON_CreateObject();
	double percent = task_percent(task), eta = task_eta(task, core->now.ms);
	char *text;

	cJSON_AddNumberToObject(progress, "current", task->current);
	cJSON_AddNumberToObject(progress, "total", task->total);
	cJSON_AddItemToObject(progress, "percent",
			      percent < 0 ? cJSON_CreateNull()
					  : cJSON_CreateNumber(percent));
	cJSON_AddStringToObject(progress, "message", task->message);
	cJSON_AddItemToObject(
		progress, "eta_s",
		eta < 0 ? cJSON_CreateNull()
			: cJSON_CreateNumber((double)(int64_t)(eta * 10) / 10));
	cJSON_AddNumberToObject(progress, "seq", (double)++core->next_token);
	text = json_text(progress);
	telemetry_set(core->telemetry, &target, text, strlen(text));
	free(text);
	cJSON_Delete(progress);
}

static void handle_progress(struct core *core, struct task *task,
			    const struct event *event)
{
	if (event->current != task->current)
		task->step_ms = task_elapsed(task, core->now.ms);
	task->current = event->current;
	task->total = event->total;
	if (event->text)
		snprintf(task->message, sizeof(task->message), "%.256s", event->text);
	task->progress_waits = true;
	core->current_changed = true;
	/* Whoever has seen progress must not see the task start over silently. */
	if (!task->has_effects) {
		task->has_effects = true;
		lifecycle_save_row(core, task);
	}
	if (core->session.phase != SESSION_DOWN)
		publish_progress(core, task);
}

static void handle_checkpoint(struct core *core, struct task *task,
			      const struct event *event)
{
	bool moved = !task->checkpoint || strcmp(task->checkpoint, event->text) != 0;

	task_set_text(&task->checkpoint, event->text);
	task->has_effects = true;
	if (moved)
		task->crashes = 0;
	/* The checkpoint is not part of the document, but progress may be due. */
	if (task->progress_waits &&
	    core->now.ms - task->progress_saved >= PROGRESS_SAVE_MS)
		lifecycle_save_progress(core, task);
	else
		lifecycle_save_row(core, task);
}

static void handle_log(struct core *core, struct task *task, const struct event *event)
{
	char topic[TOPIC_MAX], stamp[CLOCK_TEXT];
	cJSON *line;
	char *text;

	/* On a full disk the open transaction must not grow by log lines. */
	if (!core->commit_blocked && !core->disk_low)
		store_log_add(core->store, task->number, core->now.wall,
			      (int)event->number, event->text);
	if (core->session.phase == SESSION_DOWN)
		return;
	clock_text(core->now.wall, stamp);
	line = cJSON_CreateObject();
	cJSON_AddStringToObject(line, "level",
				log_level_name((enum log_level)event->number));
	cJSON_AddStringToObject(line, "message", event->text);
	cJSON_AddStringToObject(line, "ts", stamp);
	text = json_text(line);
	core_publish(core,
		     topic_make(topic, core->options.root, core->options.device,
				"task/%s/log", task->id),
		     text, 0, false);
	free(text);
	cJSON_Delete(line);
}

static void emit_event(struct core *core, struct task *task, const struct event *event)
{
	cJSON *data = cJSON_Parse(event->text);

	if (!strcmp(event->topic, "scan.photo"))
		task->photos = (int)json_number(data, "done", task->photos);
	core_emit_event(core, event->topic, task->id, data);
}

static void handle_parked(struct core *core, struct task *task)
{
	task->parked = true;
	if (task->stopping != STOPPING_PAUSE)
		return;
	lifecycle_set_paused(core, task);
}

void run_events_handle(struct core *core, const struct event *event)
{
	struct task *task = find_task(core, event->run);

	if (!task)
		return;
	switch (event->kind) {
	case EVENT_PROGRESS:
		handle_progress(core, task, event);
		break;
	case EVENT_BEGIN:
		task->has_effects = true;
		lifecycle_save_row(core, task);
		break;
	case EVENT_CHECKPOINT:
		handle_checkpoint(core, task, event);
		break;
	case EVENT_LOG:
		handle_log(core, task, event);
		break;
	case EVENT_EMIT:
		emit_event(core, task, event);
		break;
	case EVENT_PARKED:
		handle_parked(core, task);
		break;
	default:
		outcome_of_run(core, task, event);
		break;
	}
}
