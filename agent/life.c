#include "agent/core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"

#define PROGRESS_SAVE_MS 2000
#define CRASHES_MAX 3
#define PRUNE_REST_MS 60000

static const char *const INTERRUPTED_BY_MOTOR_STOP = "motor/stop interrupted it";
static const char *const INTERRUPTED_BY_SHUTDOWN = "Task was interrupted by application shutdown.";

/* ---- looking up ---- */

/* The live task of that id, or the ended one read from the store: then it stands in *ended
 * too and the caller frees that. */
struct task *life_find(struct core *core, const char *id, struct task **ended)
{
	struct task *task = scheduler_find(&core->scheduler, id);

	*ended = NULL;
	if (task)
		return task;
	*ended = store_task(core->store, id);
	if (*ended)
		(*ended)->type = registry_find(core->options.registry, (*ended)->type_name);
	return *ended;
}

cJSON *life_document(struct core *core, const struct task *task, bool whole)
{
	return task_document(task, core->store_name, scheduler_place(&core->scheduler, task),
			     core->now.ms, whole);
}

static struct task *life_of_run(struct core *core, uint64_t run)
{
	return run ? scheduler_find_run(&core->scheduler, run) : NULL;
}

/* ---- every change ---- */

/* Adds the running time up to now; the clock goes on. */
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

/* The row of a task as it is now. */
static void life_store(struct core *core, struct task *task)
{
	clock_read(core, task);
	store_task_save(core->store, task);
}

static void life_save(struct core *core, struct task *task)
{
	task->rev++;
	task->progress_waits = false;
	task->progress_saved = core->now.ms;
	life_store(core, task);
	outbox_document(core->outbox, task->id, core_age(core));
	core->current_changed = true;
}

void life_changed(struct core *core, struct task *task)
{
	task->solid_rev = task->rev + 1;
	life_save(core, task);
	core->queue_changed = true;
}

static void life_happened(struct core *core, const struct task *task, const char *name)
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
	core_happened(core, name, task->id, data);
}

static void life_run_over(struct core *core, struct task *task)
{
	clock_stop(core, task);
	task->run = 0;
	task->held = false;
	task->stop = STOP_NONE;
	task->stop_asked = 0;
	task->stopping = STOPPING_NOT;
	task->paused_since = 0;
}

/* ---- ends ---- */

static void life_decide_after(struct core *core, const struct task *ended);

static void life_end(struct core *core, struct task *task, enum task_status status)
{
	static const char *const events[] = {
		[TASK_COMPLETED] = "task.completed",
		[TASK_CANCELLED] = "task.cancelled",
		[TASK_ERROR] = "task.error",
		[TASK_INTERRUPTED] = "task.interrupted",
	};

	life_run_over(core, task);
	task->status = status;
	task->again = false;
	task->after_open = 0;
	task->completed_at = core->now.wall;
	task->ended_age = core_age(core);
	life_changed(core, task);
	life_happened(core, task, events[status]);
	scheduler_remove(&core->scheduler, task);
	core->ended_count++;
	life_decide_after(core, task);
	task_free(task);
}

static void life_fail_for_good(struct core *core, struct task *task, const char *code,
			       const char *text)
{
	task_set_error(task, code, text);
	life_end(core, task, TASK_ERROR);
}

/* In a then chain: arguments that the schema requires and the sender left out come from the
 * predecessor's result by name, else from its arguments. */
static void life_fill_args(struct task *task, const struct task *from)
{
	cJSON *args = cJSON_Parse(task->args);
	cJSON *result = from->result ? cJSON_Parse(from->result) : NULL;
	cJSON *theirs = cJSON_Parse(from->args);
	size_t n = task->type ? schema_required_count(task->type->schema) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *name = schema_required(task->type->schema, i);
		cJSON *value = cJSON_GetObjectItemCaseSensitive(result, name);

		if (cJSON_HasObjectItem(args, name))
			continue;
		if (!value)
			value = cJSON_GetObjectItemCaseSensitive(theirs, name);
		if (value)
			cJSON_AddItemToObject(args, name, cJSON_Duplicate(value, true));
	}
	free(task->args);
	task->args = json_text(args);
	cJSON_Delete(args);
	cJSON_Delete(result);
	cJSON_Delete(theirs);
}

static void life_dependency_failed(struct core *core, struct task *task, const char *id,
				   const char *status)
{
	char text[256];

	snprintf(text, sizeof(text), "task '%s', which this one comes after, ended as %s", id, status);
	life_fail_for_good(core, task, "dependency_failed", text);
}

/* ended has ended for good: decides it for everybody who waits for it, in its transaction. */
static void life_decide_after(struct core *core, const struct task *ended)
{
	struct scheduler *s = &core->scheduler;

	for (size_t i = 0; i < s->count; i++) {
		struct task *task = s->live[i];
		bool concerned = false;

		for (size_t k = 0; k < task->after_count; k++) {
			if (!(task->after_open & (1u << k)) || strcmp(task->after[k], ended->id) != 0)
				continue;
			task->after_open &= ~(1u << k);
			concerned = true;
		}
		if (!concerned)
			continue;
		if (ended->status != TASK_COMPLETED) {
			life_dependency_failed(core, task, ended->id,
					       task_status_name(ended->status));
			/* The list is another one now, and a chain may have fallen with it. */
			i = (size_t)-1;
			continue;
		}
		if (!strcmp(task->predecessor, ended->id))
			life_fill_args(task, ended);
		life_changed(core, task);
	}
}

static void life_cancelled(struct core *core, struct task *task)
{
	task_set_error(task, "cancelled", "Task was cancelled by user.");
	life_end(core, task, TASK_CANCELLED);
}

static bool may_retry(const char *code)
{
	static const char *const codes[] = {"task_failed", "hardware_fault", "hal_unavailable",
					    "timeout", NULL};

	for (const char *const *known = codes; *known; known++)
		if (!strcmp(*known, code))
			return true;
	return false;
}

static void life_fail(struct core *core, struct task *task, const char *code, const char *text)
{
	if (!may_retry(code) || !task->retries_left) {
		life_fail_for_good(core, task, code, text);
		return;
	}
	/* The cancel was for the task, not for this attempt. */
	if (task->stop == STOP_CANCEL) {
		life_cancelled(core, task);
		return;
	}
	life_run_over(core, task);
	task_set_error(task, code, text);
	task->status = TASK_PENDING;
	task->again = true;
	task->began = false;
	task->retries_left--;
	task->attempt++;
	task->attempt_ms = 0;
	task->not_before = core->now.ms + task->retry_delay_ms;
	life_changed(core, task);
	life_happened(core, task, "task.retry");
}

static void life_interrupt(struct core *core, struct task *task, const char *text)
{
	task_set_error(task, "interrupted", text);
	life_end(core, task, TASK_INTERRUPTED);
}

static void life_estopped(struct core *core, struct task *task)
{
	task_set_error(task, "estopped", "an emergency stop interrupted it");
	life_end(core, task, TASK_INTERRUPTED);
}

/* It is at rest and waits for a resume. */
static void life_paused(struct core *core, struct task *task)
{
	clock_stop(core, task);
	task->status = TASK_PAUSED;
	task->stopping = STOPPING_NOT;
	task->stop_asked = 0;
	task->paused_since = core->now.ms;
	life_changed(core, task);
	life_happened(core, task, "task.paused");
}

/* An orderly stop of the agent reached this run. */
static void life_shut_down(struct core *core, struct task *task)
{
	bool resumes = task->resumable && task->resumes;
	bool pauses = task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE;

	if (task->status == TASK_PAUSED && task->resumable) {
		life_run_over(core, task);
		task->paused_since = core->now.ms;
		life_store(core, task);
		return;
	}
	if (task->stopping == STOPPING_PAUSE && task->resumable) {
		life_run_over(core, task);
		life_paused(core, task);
		return;
	}
	/* Somebody paused it: it does not start again by itself, even if it had done nothing. */
	if (!resumes && (task->began || pauses)) {
		life_interrupt(core, task, INTERRUPTED_BY_SHUTDOWN);
		return;
	}
	life_run_over(core, task);
	task->status = TASK_PENDING;
	task->again = true;
	life_changed(core, task);
}

static void life_stopped(struct core *core, struct task *task)
{
	char text[128];

	switch (task->stop) {
	case STOP_CANCEL:
		life_cancelled(core, task);
		break;
	case STOP_TIMEOUT:
		snprintf(text, sizeof(text), "it ran longer than its timeout of %g s",
			 (double)task->timeout_ms / 1000);
		life_fail(core, task, "timeout", text);
		break;
	case STOP_ESTOP:
		life_estopped(core, task);
		break;
	case STOP_MOTION:
		life_interrupt(core, task, INTERRUPTED_BY_MOTOR_STOP);
		break;
	case STOP_SHUTDOWN:
		life_shut_down(core, task);
		break;
	case STOP_PAUSED_TOO_LONG:
		life_interrupt(core, task, "it was paused longer than scheduler.max_pause_s allows");
		break;
	case STOP_NONE:
		life_fail(core, task, "internal", "the task ended as stopped, but nobody stopped it");
		break;
	}
}

/* The rig cannot know where an axis stands: a person has to say so, then it goes on. */
static void life_wait_for_person(struct core *core, struct task *task, const char *text)
{
	life_run_over(core, task);
	snprintf(task->message, sizeof(task->message), "%.256s", text);
	json_trim(task->message);
	life_paused(core, task);
}

static void life_failed(struct core *core, struct task *task, const struct event *event)
{
	const char *code = event->code[0] ? event->code : "task_failed";
	const char *text = event->text ? event->text : "the task failed and did not say why";

	if (task->stop == STOP_ESTOP || !strcmp(code, "estopped"))
		life_estopped(core, task);
	else if (!strcmp(code, "interrupted"))
		life_interrupt(core, task, text);
	else if (!strcmp(code, "cancelled") && task->stop == STOP_CANCEL)
		life_cancelled(core, task);
	else if (!strcmp(code, "invalid_state") && task->checkpoint && task->stop == STOP_NONE)
		life_wait_for_person(core, task, text);
	else
		life_fail(core, task, code, text);
}

static void life_finished(struct core *core, struct task *task, const struct event *event)
{
	if (event->outcome == OUTCOME_STOPPED) {
		life_stopped(core, task);
	} else if (event->outcome == OUTCOME_FAILED) {
		life_failed(core, task, event);
	} else {
		task_set_text(&task->result, event->data);
		task->error_code[0] = '\0';
		task_set_text(&task->error_message, NULL);
		if (task->total > 0)
			task->current = task->total;
		life_end(core, task, TASK_COMPLETED);
	}
}

/* ---- what runs report ---- */

static void life_publish_progress(struct core *core, const struct task *task)
{
	char topic[TOPIC_MAX];
	struct board_topic notice = {
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
			      percent < 0 ? cJSON_CreateNull() : cJSON_CreateNumber(percent));
	cJSON_AddStringToObject(progress, "message", task->message);
	cJSON_AddItemToObject(progress, "eta_s",
			      eta < 0 ? cJSON_CreateNull()
				      : cJSON_CreateNumber((double)(int64_t)(eta * 10) / 10));
	cJSON_AddNumberToObject(progress, "seq", (double)++core->next_token);
	text = json_text(progress);
	board_set(core->board, &notice, text, strlen(text));
	free(text);
	cJSON_Delete(progress);
}

static void life_progress(struct core *core, struct task *task, const struct event *event)
{
	task->current = event->current;
	task->total = event->total;
	if (event->text)
		snprintf(task->message, sizeof(task->message), "%.256s", event->text);
	task->progress_waits = true;
	core->current_changed = true;
	/* What has reported anything is not started over in silence. */
	if (!task->began) {
		task->began = true;
		life_store(core, task);
	}
	if (core->link.phase != LINK_DOWN)
		life_publish_progress(core, task);
}

static void life_checkpoint(struct core *core, struct task *task, const struct event *event)
{
	bool moved = !task->checkpoint || strcmp(task->checkpoint, event->text) != 0;

	task_set_text(&task->checkpoint, event->text);
	task->began = true;
	if (moved)
		task->crashes = 0;
	/* The checkpoint itself is not part of the document; its progress may be. */
	if (task->progress_waits && core->now.ms - task->progress_saved >= PROGRESS_SAVE_MS)
		life_save(core, task);
	else
		life_store(core, task);
}

static void life_log(struct core *core, struct task *task, const struct event *event)
{
	char topic[TOPIC_MAX], stamp[CLOCK_TEXT];
	cJSON *line;
	char *text;

	store_log(core->store, task->number, core->now.wall, (int)event->number, event->text);
	if (core->link.phase == LINK_DOWN)
		return;
	clock_text(core->now.wall, stamp);
	line = cJSON_CreateObject();
	cJSON_AddStringToObject(line, "level", log_level_name((enum log_level)event->number));
	cJSON_AddStringToObject(line, "message", event->text);
	cJSON_AddStringToObject(line, "ts", stamp);
	text = json_text(line);
	core_publish(core,
		     topic_make(topic, core->options.root, core->options.device, "task/%s/log",
				task->id),
		     text, 0, false);
	free(text);
	cJSON_Delete(line);
}

static void life_happening(struct core *core, struct task *task, const struct event *event)
{
	cJSON *data = cJSON_Parse(event->text);

	if (!strcmp(event->topic, "scan.photo"))
		task->photos = (int)json_number(data, "done", task->photos);
	core_happened(core, event->topic, task->id, data);
}

static void life_held(struct core *core, struct task *task)
{
	task->held = true;
	if (task->stopping != STOPPING_PAUSE)
		return;
	life_paused(core, task);
}

void life_run_event(struct core *core, struct event *event)
{
	struct task *task = life_of_run(core, event->run);

	if (!task)
		return;
	switch (event->kind) {
	case EVENT_PROGRESS:
		life_progress(core, task, event);
		break;
	case EVENT_BEGAN:
		task->began = true;
		life_store(core, task);
		break;
	case EVENT_CHECKPOINT:
		life_checkpoint(core, task, event);
		break;
	case EVENT_LOG:
		life_log(core, task, event);
		break;
	case EVENT_HAPPENED:
		life_happening(core, task, event);
		break;
	case EVENT_HELD:
		life_held(core, task);
		break;
	default:
		life_finished(core, task, event);
		break;
	}
}

/* ---- what people ask for ---- */

static void ask_to_stop(struct core *core, struct task *task, enum stop_reason reason)
{
	struct reflexes *reflexes = &core->options.reflexes;

	/* A cancel that is under way stays a cancel. */
	if (task->stop != STOP_CANCEL)
		task->stop = reason;
	task->stop_asked = core->now.ms;
	reflexes->stop_run(reflexes->context, task->run,
			   reason == STOP_ESTOP || reason == STOP_MOTION);
}

void life_cancel(struct core *core, struct task *task)
{
	if (!task->run) {
		/* Pending, or paused with nobody at work: it is at rest already. */
		life_cancelled(core, task);
		return;
	}
	task->stopping = STOPPING_CANCEL;
	ask_to_stop(core, task, STOP_CANCEL);
	life_changed(core, task);
}

void life_pause(struct core *core, struct task *task)
{
	struct reflexes *reflexes = &core->options.reflexes;

	task->stopping = STOPPING_PAUSE;
	task->stop_asked = core->now.ms;
	reflexes->pause_run(reflexes->context, task->run);
	life_changed(core, task);
}

static void life_begin_run(struct core *core, struct task *task);

void life_resume(struct core *core, struct task *task)
{
	bool was_paused = task->status == TASK_PAUSED;

	task->stopping = STOPPING_NOT;
	task->stop_asked = 0;
	task->paused_since = 0;
	if (was_paused && !task->run) {
		life_begin_run(core, task);
		life_happened(core, task, "task.resumed");
		return;
	}
	if (was_paused) {
		task->status = TASK_RUNNING;
		task->held = false;
		clock_start(core, task);
	}
	effects_add(core->effects, EFFECT_GO_ON)->run = task->run;
	life_changed(core, task);
	if (was_paused)
		life_happened(core, task, "task.resumed");
}

/* Is every task that this one comes after there, or known to have completed?  Sets the bits of
 * those that are not decided; false with the id that was never heard of. */
bool life_open_after(struct core *core, struct task *task, const char **missing)
{
	task->after_open = 0;
	for (size_t i = 0; i < task->after_count; i++) {
		struct task *ended;
		const struct task *other = life_find(core, task->after[i], &ended);
		struct memory memory = {.reply = NULL};
		char key[TASK_ID + 1];
		bool known = other != NULL;
		bool open = other && other->status != TASK_COMPLETED;

		if (!other) {
			snprintf(key, sizeof(key), "i%s", task->after[i]);
			known = store_recall(core->store, key, &memory);
			open = known && strcmp(memory.status, "completed") != 0;
			memory_clear(&memory);
		}
		if (open)
			task->after_open |= 1u << i;
		if (other && !open && !strcmp(task->predecessor, other->id))
			life_fill_args(task, other);
		task_free(ended);
		if (!known) {
			*missing = task->after[i];
			return false;
		}
	}
	return true;
}

/* A bit that is open for a task that has ended already is a dependency that failed. */
static bool life_check_after(struct core *core, struct task *task)
{
	for (size_t i = 0; i < task->after_count; i++) {
		struct task *ended;
		const struct task *other;

		if (!(task->after_open & (1u << i)))
			continue;
		other = life_find(core, task->after[i], &ended);
		if (other && task_live(other))
			continue;
		life_dependency_failed(core, task, task->after[i],
				       other ? task_status_name(other->status) : "something else");
		task_free(ended);
		return false;
	}
	return true;
}

void life_admit(struct core *core, struct task *task)
{
	store_set_number(core->store, "next_task", core->next_task);
	store_set_number(core->store, "next_arrival", core->next_arrival);
	scheduler_add(&core->scheduler, task);
	store_task_insert(core->store, task);
	outbox_document(core->outbox, task->id, core_age(core));
	core->queue_changed = true;
	life_happened(core, task, "task.created");
	life_check_after(core, task);
}

/* task was read from the store and is the scheduler's from now on. */
void life_restart(struct core *core, struct task *task, bool from_checkpoint)
{
	const char *missing;

	if (!from_checkpoint)
		task_set_text(&task->checkpoint, NULL);
	if (!task->checkpoint) {
		task->current = 0;
		task->total = 0;
		task->message[0] = '\0';
		task->photos = -1;
	}
	task->status = TASK_PENDING;
	task->attempt++;
	task->attempt_ms = 0;
	task->crashes = 0;
	task->retries_left = task->retries;
	task->began = false;
	task->started_at = 0;
	task->completed_at = 0;
	task->ended_age = 0;
	task->error_code[0] = '\0';
	task_set_text(&task->error_message, NULL);
	task_set_text(&task->result, NULL);
	task->arrival = core->next_arrival++;
	task->claim = task->type ? core_devices(core, task->type->type->uses) : 0;
	store_set_number(core->store, "next_arrival", core->next_arrival);
	core->ended_count--;
	if (!life_open_after(core, task, &missing))
		task->after_open = 0;
	scheduler_add(&core->scheduler, task);
	life_changed(core, task);
	life_happened(core, task, "task.created");
	life_check_after(core, task);
}

void life_delete(struct core *core, const struct task *task, const char *event)
{
	char topic[TOPIC_MAX], key[TASK_ID + 1];

	snprintf(key, sizeof(key), "i%s", task->id);
	store_remember_status(core->store, key, task_status_name(task->status));
	store_task_delete(core->store, task);
	outbox_clearing(core->outbox,
			topic_make(topic, core->options.root, core->options.device, "task/%s", task->id),
			core_age(core));
	core->ended_count--;
	core_happened(core, event, task->id, NULL);
}

/* Takes away ended tasks beyond keep in number or older than older_than_ms, the longest ended
 * first, at most most of them. */
int64_t life_prune(struct core *core, int64_t keep, int64_t older_than_ms, int64_t most)
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
		if (outbox_acknowledged(core->outbox, task->id)) {
			life_delete(core, task, "task.pruned");
			pruned++;
		}
		task_free(task);
	}
	return pruned;
}

void life_halt(struct core *core, uint64_t devices, enum stop_reason reason)
{
	struct scheduler *s = &core->scheduler;

	/* An end may take others with it that come after it. */
	for (size_t i = s->count; i-- > 0;) {
		struct task *task = i < s->count ? s->live[i] : NULL;

		if (!task || !task_works(task) || !(task->claim & devices))
			continue;
		if (task->run)
			ask_to_stop(core, task, reason);
		else if (reason == STOP_ESTOP)
			life_estopped(core, task);
	}
}

void life_stop(struct core *core)
{
	struct scheduler *s = &core->scheduler;

	s->paused = true;
	for (size_t i = s->count; i-- > 0;) {
		struct task *task = s->live[i];

		if (task->run && task->stop == STOP_NONE)
			ask_to_stop(core, task, STOP_SHUTDOWN);
	}
}

bool life_runs(const struct core *core)
{
	for (size_t i = 0; i < core->scheduler.count; i++)
		if (core->scheduler.live[i]->run)
			return true;
	return false;
}

/* ---- starting ---- */

static void life_begin_run(struct core *core, struct task *task)
{
	struct effect *effect = effects_add(core->effects, EFFECT_START);

	task->status = TASK_RUNNING;
	task->run = ++core->next_run;
	task->start_order = (int64_t)++core->next_start;
	task->again = false;
	task->not_before = 0;
	if (task->checkpoint)
		task->resumed++;
	if (!task->started_at)
		task->started_at = core->now.wall;
	clock_start(core, task);
	task->first_current = task->current;
	task->first_ms = task->elapsed_ms;
	life_changed(core, task);
	effect->run = task->run;
	effect->type = task->type;
	effect->number = task->attempt;
	task_set_text(&effect->name, task->id);
	task_set_text(&effect->text, task->args);
	task_set_text(&effect->more, task->checkpoint);
}

static void life_start(struct core *core, struct task *task)
{
	struct schema_problem problem;
	cJSON *args = cJSON_Parse(task->args);
	size_t problems;

	schema_fill(task->type->schema, args);
	problems = schema_check(task->type->schema, args, "/args", &problem, 1);
	free(task->args);
	task->args = json_text(args);
	cJSON_Delete(args);
	if (problems) {
		char text[512];

		schema_sentence(&problem, text, sizeof(text));
		life_fail_for_good(core, task, "invalid_args", text);
		return;
	}
	task->error_code[0] = '\0';
	task_set_text(&task->error_message, NULL);
	life_begin_run(core, task);
	life_happened(core, task, "task.started");
}

void life_schedule(struct core *core)
{
	struct task *task;

	while ((task = scheduler_next(&core->scheduler, core->now.ms)))
		life_start(core, task);
}

/* ---- time ---- */

static void life_save_progress(struct core *core, struct task *task)
{
	if (task->run && task->progress_waits && !core->low &&
	    core->now.ms - task->progress_saved >= PROGRESS_SAVE_MS)
		life_save(core, task);
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

void life_tick(struct core *core)
{
	struct scheduler *s = &core->scheduler;

	/* As in life_halt(). */
	for (size_t i = s->count; i-- > 0;) {
		struct task *task = i < s->count ? s->live[i] : NULL;

		if (!task)
			continue;
		life_save_progress(core, task);
		if (timed_out(core, task))
			ask_to_stop(core, task, STOP_TIMEOUT);
		if (!paused_too_long(core, task))
			continue;
		if (task->run)
			ask_to_stop(core, task, STOP_PAUSED_TOO_LONG);
		else
			life_interrupt(core, task,
				       "it was paused longer than scheduler.max_pause_s allows");
	}
}

static void wake_at(int64_t *wake, int64_t at)
{
	if (*wake < 0 || at < *wake)
		*wake = at;
}

int64_t life_wake(const struct core *core)
{
	int64_t wake = -1;

	for (size_t i = 0; i < core->scheduler.count; i++) {
		const struct task *task = core->scheduler.live[i];

		if (task->run && task->progress_waits && !core->low)
			wake_at(&wake, task->progress_saved + PROGRESS_SAVE_MS);
		if (task->timeout_ms && task->running_since && task->stop == STOP_NONE)
			wake_at(&wake, task->running_since + task->timeout_ms - task->attempt_ms);
		if (core->options.tunables.max_pause_ms && task->status == TASK_PAUSED &&
		    task->stop == STOP_NONE)
			wake_at(&wake, task->paused_since + core->options.tunables.max_pause_ms);
	}
	return wake;
}

/* ---- after a crash, a kill, or an orderly stop ---- */

static void restore_running(struct core *core, struct task *task)
{
	bool resumes = task->resumable && task->resumes;

	task->crashes++;
	if (task->crashes >= CRASHES_MAX) {
		life_fail_for_good(core, task, "crash_loop",
				   "the agent ended three times in a row while this task stood at "
				   "the same place");
	} else if (core->estop && task->claim) {
		life_estopped(core, task);
	} else if (!resumes && task->began) {
		life_interrupt(core, task, INTERRUPTED_BY_SHUTDOWN);
	} else {
		life_run_over(core, task);
		task->status = TASK_PENDING;
		task->again = true;
		life_changed(core, task);
	}
}

static void restore_paused(struct core *core, struct task *task)
{
	bool was_stopping = task->stopping == STOPPING_PAUSE;

	if (!task->resumable) {
		life_interrupt(core, task, INTERRUPTED_BY_SHUTDOWN);
		return;
	}
	if (core->estop && task->claim) {
		life_estopped(core, task);
		return;
	}
	task->status = TASK_PAUSED;
	task->stopping = STOPPING_NOT;
	task->paused_since = core->now.ms;
	if (was_stopping) {
		life_changed(core, task);
		life_happened(core, task, "task.paused");
	}
}

static void restore_task(struct core *core, struct task *task)
{
	char text[160];

	if (!task->type) {
		snprintf(text, sizeof(text), "Task type '%s' is not registered. Cannot restore.",
			 task->type_name);
		life_fail_for_good(core, task, "unknown_type", text);
	} else if (task->stopping == STOPPING_CANCEL) {
		/* The rig was made safe when it was opened, before this. */
		life_cancelled(core, task);
	} else if (task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE) {
		restore_paused(core, task);
	} else if (task->status == TASK_RUNNING) {
		restore_running(core, task);
	}
}

int life_restore(struct core *core, struct err *err)
{
	struct task *tasks[SCHEDULER_LIVE_MAX];
	size_t n = 0;

	for (int64_t number = 0;;) {
		struct task *task = store_task_after(core->store, number);

		if (!task)
			break;
		number = task->number;
		if (!task_live(task)) {
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
	/* An end may take others with it (dependency_failed), so ask who is still there. */
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < core->scheduler.count; k++)
			if (core->scheduler.live[k] == tasks[i]) {
				restore_task(core, tasks[i]);
				break;
			}
	return 0;
}
