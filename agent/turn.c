/* One turn: events in, decisions, one commit, effects out. */
#include "agent/turn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/commands/dispatch.h"
#include "agent/commands/pending.h"
#include "agent/commands/verbs.h"
#include "agent/commands/wifi_setup.h"
#include "agent/core/devices.h"
#include "agent/core/homeassistant.h"
#include "agent/core/lifecycle.h"
#include "agent/core/session.h"
#include "agent/core/state.h"
#include "agent/core/status.h"
#include "agent/core/task_types.h"

#define MINUTE_MS 60000
#define DEDUP_AGE_MS (7LL * 24 * 3600 * 1000)

/* ---- opening ---- */

static char *make_task_topic(void *context, const char *task)
{
	struct core *core = context;
	char topic[TOPIC_MAX];

	return strdup(topic_make(topic, core->options.root, core->options.device,
				 "task/%s", task));
}

static char *make_task_document(void *context, const char *id)
{
	struct core *core = context;
	struct task *ended = NULL;
	struct task *task = core_find_task(core, id, &ended);
	cJSON *document;
	char *text;

	if (!task)
		return NULL;
	document = core_task_document(core, task, false);
	text = json_text(document);
	cJSON_Delete(document);
	task_free(ended);
	return text;
}

static void read_facts(struct core *core)
{
	struct store *store = core->store;

	store_text(store, "store", core->store_name, sizeof(core->store_name));
	if (!core->store_name[0]) {
		snprintf(core->store_name, sizeof(core->store_name), "%s",
			 core->options.new_store);
		store_set_text(store, "store", core->store_name);
	}
	core->age_before = store_number(store, "age_ms", 0);
	core->next_task = store_number(store, "next_task", 1);
	core->next_arrival = store_number(store, "next_arrival", 1);
	core->next_pending = store_number(store, "next_act", 1);
	core->person_paused = store_number(store, "paused", 0);
	core->estop = store_number(store, "estop", 0);
	core->draining = store_number(store, "draining", 0);
	core->drained = core->draining;
	core->settings_rev = store_number(store, "settings_rev", 1);
	core->ended_count = store_count_ended(store);
	core->scheduler.paused = core->person_paused || core->estop;
	core->scheduler.draining = core->draining;
}

/* Commits the turn; -ENOSPC while the disk is full: the next turns add to the
 * transaction. */
static int commit(struct core *core, struct err *err)
{
	int ret;

	if (core->commit_blocked && core->now.ms < core->retry_at)
		return -ENOSPC;
	ret = store_commit(core->store, err);
	if (ret == -ENOSPC && !core->commit_blocked)
		log_error("the disk is full and nothing can be committed: %s", err->text);
	core->commit_blocked = ret == -ENOSPC;
	if (core->commit_blocked)
		core->retry_at = core->now.ms + 1000;
	return ret;
}

static void init(struct core *core, const struct core_options *options,
		 struct core_time now, struct effects *effects)
{
	core->options = *options;
	core->type_problems = cJSON_Duplicate(options->type_problems, true);
	core->now = now;
	core->started = now.ms;
	core->info_since = now.wall;
	core->random = options->seed;
	effects_init(&core->after_commit);
	effects_init(&core->acks);
	core->effects = &core->after_commit;
	core->immediate = effects;
	core->minute_at = now.ms;
	core->prune_at = now.ms + MINUTE_MS;
	core->session.sweep_at = -1;
	core->problems = cJSON_CreateArray();
	core->removed_devices = cJSON_CreateArray();
	core->birth_at = -1;
	core->scheduler.max_concurrent = options->tunables.max_concurrent;
	core->scheduler.blocking_threads = options->blocking_threads;
}

static int open_store(struct core *core, struct err *err)
{
	const struct core_options *options = &core->options;
	char event_topic[TOPIC_MAX], damaged[STORE_PATH];
	struct outbox_options outbox = {
		.event_topic =
			topic_make(event_topic, options->root, options->device, "event"),
		.document = make_task_document,
		.topic = make_task_topic,
		.context = core,
	};
	int ret = store_open(&core->store, options->state_dir, &options->reserve, damaged,
			     err);

	if (ret < 0)
		return ret;
	if (damaged[0])
		core_problem(core, "the database was damaged; it was moved to %s",
			     damaged);
	read_facts(core);
	outbox.store = core->store;
	ret = outbox_open(&core->outbox, &outbox, err);
	if (ret == 0 && telemetry_open(&core->telemetry) < 0)
		ret = err_set(err, -ENOMEM, "out of memory");
	return ret;
}

int core_open(struct core **out, const struct core_options *options, struct core_time now,
	      struct effects *effects, struct err *err)
{
	struct core *core = calloc(1, sizeof(*core));
	int ret;

	if (!core)
		return err_set(err, -ENOMEM, "out of memory");

	init(core, options, now, effects);
	ret = open_store(core, err);
	if (ret < 0)
		goto fail;
	if (core->estop)
		options->stop_ops.estop(options->stop_ops.context);

	devices_open(core);
	pending_report_interrupted(core);
	ret = restore_tasks(core, err);
	if (ret < 0)
		goto fail;
	core_emit_event(core, "agent.started", NULL, NULL);
	lifecycle_schedule(core);
	wifi_setup_open(core);
	/* On a full disk the effects wait for a later commit, as in a turn. */
	ret = commit(core, err);
	if (ret < 0 && ret != -ENOSPC)
		goto fail;
	if (ret == 0)
		effects_move(effects, &core->after_commit);
	core->queue_changed = true;
	core->current_changed = true;
	*out = core;
	return 0;
fail:
	core_close(core);
	return ret;
}

void core_close(struct core *core)
{
	if (!core)
		return;

	for (size_t i = 0; i < core->scheduler.count; i++)
		task_free(core->scheduler.live[i]);
	pending_close(core);
	dispatch_close(core);
	effects_clear(&core->after_commit);
	effects_clear(&core->acks);
	outbox_close(core->outbox);
	telemetry_close(core->telemetry);
	store_close(core->store);
	devices_close(core);
	cJSON_Delete(core->problems);
	cJSON_Delete(core->removed_devices);
	cJSON_Delete(core->type_problems);
	free(core->health);
	free(core);
}

/* ---- the turn ---- */

static void handle_message(struct core *core, const struct event *event)
{
	struct topic topic;
	const struct verb *verb;

	topic_parse(core->options.root, core->options.device, event->topic, &topic);
	verb = verb_of_topic(&topic);
	/* A message of an ended connection can no longer be acknowledged: the broker
	 * delivers it again.  An emergency stop is handled even so: the rig has stopped
	 * already, and stopping twice does no harm. */
	if ((event->epoch < core->session.epoch ||
	     (event->epoch == core->session.epoch &&
	      core->session.phase == SESSION_DOWN)) &&
	    !(verb && (verb->flags & VERB_NEVER_REFUSED)))
		return;
	if (!session_message(core, event, &topic))
		dispatch_message(core, event, &topic);
}

static void handle_stop(struct core *core)
{
	if (core->stopping)
		return;
	core->stopping = true;
	core->stop_asked = core->now.ms;
	core_emit_event(core, "agent.stopping", NULL, NULL);
	lifecycle_shut_down(core);
}

static void handle_sent(struct core *core, const struct event *event)
{
	if (event->epoch != core->session.epoch)
		return;
	if (!outbox_completed(core->outbox, event->token, event->flag, core->now.ms))
		telemetry_completed(core->telemetry, event->token);
	outbox_broker_acknowledged(core->outbox, event->token, core->now.ms);
}

/* The list that releases the sender of an event.  If the event wrote nothing, its sender
 * is released now.  A thread that receives from MQTT is released after the commit has
 * been attempted, even if the disk was full: an emergency stop may be next in its queue.
 * Everybody else waits until a commit succeeds. */
static struct effects *release_with(struct core *core, const struct event *event,
				    bool wrote)
{
	if (!wrote)
		return core->immediate;
	return event->kind == EVENT_MESSAGE ? &core->acks : core->effects;
}

static void handle_event(struct core *core, struct event *event)
{
	size_t writes = store_writes(core->store);

	core->hardware_stopped = false;
	switch (event->kind) {
	case EVENT_MESSAGE:
		handle_message(core, event);
		break;
	case EVENT_CONNECTED:
	case EVENT_DISCONNECTED:
	case EVENT_SUBSCRIBED:
		session_event(core, event);
		break;
	case EVENT_SENT:
		handle_sent(core, event);
		break;
	case EVENT_PROGRESS:
	case EVENT_BEGIN:
	case EVENT_CHECKPOINT:
	case EVENT_LOG:
	case EVENT_EMIT:
	case EVENT_PARKED:
	case EVENT_FINISHED:
		run_events_handle(core, event);
		break;
	case EVENT_COMMAND_DONE:
		pending_done(core, event);
		break;
	case EVENT_DEVICE:
		status_publish_device(core, event);
		break;
	case EVENT_IMAGE:
		status_publish_image(core, event);
		break;
	case EVENT_HEALTH:
		task_set_text(&core->health, event->data);
		status_publish_health(core);
		break;
	case EVENT_STOP:
		handle_stop(core);
		break;
	case EVENT_TYPES:
		task_types_event(core, event);
		break;
	case EVENT_OFFLINE:
		wifi_setup_start(core);
		break;
	}
	if (event->completion) {
		bool wrote =
			!core->hardware_stopped && store_writes(core->store) != writes;

		effects_add(release_with(core, event, wrote), EFFECT_COMPLETE)
			->completion = event->completion;
	}
}

static void tick_minute(struct core *core)
{
	if (core->now.ms < core->minute_at)
		return;
	core->minute_at = core->now.ms + MINUTE_MS;
	store_set_number(core->store, "age_ms", core_age(core));
	store_dedup_trim(core->store, core_age(core) - DEDUP_AGE_MS);
	task_types_sweep(core);
	status_publish_health(core);
}

static void tick_prune(struct core *core)
{
	int64_t keep = core->session.phase == SESSION_READY
			       ? core->options.tunables.keep_tasks
			       : 1000;

	if (core->now.ms < core->prune_at)
		return;
	/* A full batch means that there is more: continue a second later. */
	core->prune_at =
		core->now.ms +
		(lifecycle_prune(core, keep, core->options.tunables.keep_ms, 100) == 100
			 ? 1000
			 : MINUTE_MS);
}

static void report_drained(struct core *core)
{
	bool drained =
		core->draining && scheduler_idle(&core->scheduler) && !core->pending;

	if (drained && !core->drained)
		core_emit_event(core, "agent.drained", NULL, NULL);
	core->drained = drained;
}

static bool is_at_rest(const struct core *core)
{
	return core->stopping && !lifecycle_has_runs(core) && !core->pending;
}

static void send_queued(struct core *core)
{
	struct session *session = &core->session;

	if (session->phase == SESSION_DOWN)
		return;
	outbox_send(core->outbox, core->immediate, session->epoch, core->now.ms,
		    core_age(core),
		    session->window > telemetry_in_flight(core->telemetry)
			    ? session->window - telemetry_in_flight(core->telemetry)
			    : 0,
		    &core->next_token);
	telemetry_send(core->telemetry, core->immediate, session->epoch, core->now.ms,
		       outbox_in_flight(core->outbox), session->window,
		       &core->next_token);
}

/* Sends only what needs no commit: refusals and replies to reads. */
static void send_unstored(struct core *core)
{
	if (core->session.phase == SESSION_DOWN)
		return;
	outbox_send_unstored(core->outbox, core->immediate, core->session.epoch,
			     core->now.ms, core->session.window, &core->next_token);
}

static void report_storage(struct core *core)
{
	bool low = store_disk_low(core->store);

	if (low == core->disk_low)
		return;
	core->disk_low = low;
	/* Wait with the first attempt: it briefly takes up what room there is. */
	core->retry_at = core->now.ms + 1000;
	if (low)
		log_error(
			"the disk is full: the reserve is given up, commands that write are refused");
	core_emit_event(core, low ? "storage.full" : "storage.ok", NULL, NULL);
	status_publish_health(core);
}

static void recover_storage(struct core *core)
{
	if (!core->disk_low || core->commit_blocked || core->now.ms < core->retry_at)
		return;
	core->retry_at = core->now.ms + 1000;
	store_recover(core->store);
}

int core_turn(struct core *core, struct event *events, struct core_time now,
	      struct effects *effects, struct err *err)
{
	int ret;

	core->now = now;
	core->immediate = effects;
	for (struct event *event = events; event; event = event->next)
		handle_event(core, event);
	lifecycle_tick(core);
	lifecycle_schedule(core);
	session_tick(core);
	homeassistant_tick(core);
	recover_storage(core);
	report_storage(core);
	tick_minute(core);
	tick_prune(core);
	report_drained(core);
	if (store_dirty(core->store) ||
	    outbox_wants_settling(core->outbox, now.ms - 1000))
		outbox_settle(core->outbox);
	ret = commit(core, err);
	if (ret < 0 && ret != -ENOSPC)
		return ret;

	effects_move(effects, &core->acks);
	if (ret == -ENOSPC) {
		send_unstored(core);
		session_back_off(core);
		return 0;
	}
	effects_move(effects, &core->after_commit);
	status_publish_changes(core);
	send_queued(core);
	session_back_off(core);
	if (is_at_rest(core))
		effects_add(effects, EFFECT_STOPPED);
	return 0;
}

static void wake_at(int64_t *wake, int64_t at)
{
	if (at >= 0 && (*wake < 0 || at < *wake))
		*wake = at;
}

int64_t core_wake(const struct core *core)
{
	int64_t now = core->now.ms;
	int64_t wake = core->minute_at;

	wake_at(&wake, core->prune_at);
	if (core->commit_blocked || core->disk_low)
		wake_at(&wake, core->retry_at);
	wake_at(&wake, lifecycle_wake(core));
	wake_at(&wake, scheduler_wake(&core->scheduler, now));
	wake_at(&wake, outbox_wake(core->outbox, now));
	if (core->session.phase != SESSION_DOWN) {
		/* Values that wait only for room in the window are woken by an
		 * acknowledgement. */
		int64_t telemetry = telemetry_wake(core->telemetry, now);

		if (telemetry > now)
			wake_at(&wake, telemetry);
		if (core->queue_changed)
			wake_at(&wake, now + 100);
		if (core->current_changed)
			wake_at(&wake, now + 1000);
	}
	wake_at(&wake, session_wake(core));
	wake_at(&wake, homeassistant_wake(core));
	return wake;
}

int64_t core_stopping_since(const struct core *core)
{
	return core->stopping ? core->stop_asked : -1;
}

int64_t core_unsent(const struct core *core)
{
	return outbox_depth(core->outbox);
}

bool core_knows_task(const struct core *core, const char *id)
{
	struct task *task = store_task(core->store, id);

	task_free(task);
	return task != NULL;
}

const char *core_backend(const struct core *core)
{
	return core->backend;
}
