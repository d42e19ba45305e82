/* Makes the documents of the retained topics from the state of the core. */
#include "agent/core/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/model/error_code.h"
#include "agent/core/homeassistant.h"

static void put(struct core *core, const char *rest, const char *value,
		int64_t interval_ms)
{
	char topic[TOPIC_MAX];
	struct telemetry_topic target = {
		.topic = topic_make(topic, core->options.root, core->options.device, "%s",
				    rest),
		.qos = 1,
		.retain = true,
		.interval_ms = interval_ms,
	};

	telemetry_set(core->telemetry, &target, value, strlen(value));
}

static void put_json(struct core *core, const char *rest, cJSON *value,
		     int64_t interval_ms)
{
	char *text = json_text(value);

	put(core, rest, text, interval_ms);
	free(text);
	cJSON_Delete(value);
}

void status_publish_availability(struct core *core)
{
	char topic[TOPIC_MAX];

	if (core->session.phase != SESSION_READY)
		return;
	put(core, "status", core->draining ? "draining" : "online", 0);
	/* The broker may have published our will since we sent it last. */
	telemetry_resend_topic(
		core->telemetry,
		topic_make(topic, core->options.root, core->options.device, "status"));
}

static cJSON *info_limits(const struct core *core)
{
	cJSON *limits = cJSON_CreateObject();

	cJSON_AddNumberToObject(limits, "payload_bytes", COMMAND_MAX_PAYLOAD);
	cJSON_AddNumberToObject(limits, "live_tasks", SCHEDULER_LIVE_MAX);
	cJSON_AddNumberToObject(limits, "max_concurrent",
				core->options.tunables.max_concurrent);
	cJSON_AddNumberToObject(limits, "blocking_threads",
				core->options.blocking_threads);
	cJSON_AddNumberToObject(limits, "keep_tasks",
				(double)core->options.tunables.keep_tasks);
	return limits;
}

static cJSON *info_schemas(const struct core *core)
{
	cJSON *schemas = cJSON_CreateObject();

	for (size_t i = 0; i < registry_count(core->options.registry); i++) {
		const struct registered_type *type =
			registry_at(core->options.registry, i);

		cJSON_AddStringToObject(schemas, type->type->name,
					schema_hash(type->schema));
	}
	return schemas;
}

/* The names of the rig's devices by kind. */
static cJSON *info_devices(const struct core *core)
{
	cJSON *devices = cJSON_CreateObject();

	for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++) {
		cJSON *names = cJSON_AddArrayToObject(devices, device_kind_name(kind));

		for (size_t i = 0; i < core->device_count; i++)
			if (core->devices[i].kind == kind)
				cJSON_AddItemToArray(
					names, cJSON_CreateString(core->devices[i].name));
	}
	return devices;
}

void status_publish_info(struct core *core)
{
	const struct core_options *o = &core->options;
	cJSON *info = cJSON_CreateObject();
	cJSON *problems;
	const cJSON *problem;
	char since[CLOCK_TEXT];

	clock_text(core->info_since, since);
	cJSON_AddStringToObject(info, "agent", OPENSCAN_VERSION);
	cJSON_AddNumberToObject(info, "contract", 1);
	cJSON_AddStringToObject(info, "device", o->device);
	cJSON_AddStringToObject(info, "hal", core->backend);
	cJSON_AddItemToObject(info, "devices", info_devices(core));
	cJSON_AddStringToObject(info, "store", core->store_name);
	cJSON_AddStringToObject(info, "boot", o->boot);
	cJSON_AddStringToObject(info, "since", since);
	cJSON_AddStringToObject(info, "mqtt_version",
				core->session.version == 5 ? "5" : "3.1.1");
	cJSON_AddItemToObject(info, "groups", cJSON_Duplicate(o->groups, true));
	cJSON_AddItemToObject(info, "pools", cJSON_CreateArray());
	cJSON_AddItemToObject(info, "limits", info_limits(core));
	cJSON_AddItemToObject(info, "schemas", info_schemas(core));
	if (o->isolation)
		cJSON_AddStringToObject(cJSON_AddObjectToObject(info, "community"),
					"isolation", o->isolation);
	problems = cJSON_Duplicate(o->problems, true);
	cJSON_ArrayForEach(problem, core->problems)
		cJSON_AddItemToArray(problems, cJSON_Duplicate(problem, true));
	cJSON_ArrayForEach(problem, core->type_problems)
		cJSON_AddItemToArray(problems, cJSON_Duplicate(problem, true));
	cJSON_AddItemToObject(info, "problems", problems);
	put_json(core, "info", info, 0);
}

static cJSON *type_document(const struct registered_type *registered)
{
	const struct task_type *type = registered->type;
	cJSON *document = cJSON_CreateObject();
	cJSON *uses;

	cJSON_AddStringToObject(document, "type", type->name);
	cJSON_AddStringToObject(document, "title", type->title);
	cJSON_AddStringToObject(document, "category", type->category);
	cJSON_AddBoolToObject(document, "is_exclusive", type->is_exclusive);
	cJSON_AddBoolToObject(document, "is_blocking", type->is_blocking);
	cJSON_AddBoolToObject(document, "resumable", type->resumable);
	uses = cJSON_AddArrayToObject(document, "uses");
	for (const char *const *device = type->uses; device && *device; device++)
		cJSON_AddItemToArray(uses, cJSON_CreateString(*device));
	cJSON_AddItemToObject(document, "args",
			      cJSON_Duplicate(schema_json(registered->schema), true));
	cJSON_AddStringToObject(document, "schema", schema_hash(registered->schema));
	cJSON_AddStringToObject(document, "source", registered->source);
	return document;
}

void status_publish_types(struct core *core)
{
	for (size_t i = 0; i < registry_count(core->options.registry); i++) {
		const struct registered_type *type =
			registry_at(core->options.registry, i);
		char rest[128];

		snprintf(rest, sizeof(rest), "types/%s", type->type->name);
		put_json(core, rest, type_document(type), 0);
	}
}

/* An empty retained message removes the topic. */
void status_clear_type(struct core *core, const char *type)
{
	char rest[128];

	snprintf(rest, sizeof(rest), "types/%.100s", type);
	put(core, rest, "", 0);
}

cJSON *status_settings_document(struct core *core)
{
	const struct settings_access *access = &core->options.settings;
	cJSON *settings = cJSON_CreateObject();

	cJSON_AddNumberToObject(settings, "rev", (double)core->settings_rev);
	cJSON_AddItemToObject(settings, "values", access->values(access->context));
	cJSON_AddItemToObject(settings, "restart_needed",
			      access->restart_needed(access->context));
	cJSON_AddItemToObject(settings, "problems", access->problems(access->context));
	return settings;
}

void status_publish_settings(struct core *core)
{
	put_json(core, "settings", status_settings_document(core), 0);
}

static void publish_queue(struct core *core)
{
	const struct scheduler *s = &core->scheduler;
	cJSON *queue = cJSON_CreateObject();
	cJSON *running = cJSON_AddArrayToObject(queue, "running");
	cJSON *pending = cJSON_AddArrayToObject(queue, "pending");
	const struct task *current = scheduler_current(s);
	int depth = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct task *task = s->live[i];

		if (task_is_active(task))
			cJSON_AddItemToArray(running, cJSON_CreateString(task->id));
		else if (depth++ < 32)
			cJSON_AddItemToArray(pending, cJSON_CreateString(task->id));
	}
	cJSON_AddNumberToObject(queue, "depth", depth);
	cJSON_AddNumberToObject(queue, "capacity", SCHEDULER_LIVE_MAX);
	if (core->estop)
		cJSON_AddStringToObject(queue, "paused", "estop");
	else if (core->person_paused)
		cJSON_AddStringToObject(queue, "paused", "person");
	else
		cJSON_AddFalseToObject(queue, "paused");
	cJSON_AddBoolToObject(queue, "draining", core->draining);
	if (depth && current && current->is_exclusive)
		cJSON_AddStringToObject(queue, "blocked_by", current->id);
	put_json(core, "queue", queue, 100);
	core->queue_changed = false;
}

static void current_put_finish(cJSON *current, double eta, int64_t wall)
{
	char text[CLOCK_TEXT];

	if (eta < 0) {
		cJSON_AddNullToObject(current, "eta_s");
		cJSON_AddNullToObject(current, "finish_at");
		return;
	}
	clock_text(wall + (int64_t)(eta * 1000), text);
	cJSON_AddNumberToObject(current, "eta_s", (double)(int64_t)(eta * 10) / 10);
	cJSON_AddStringToObject(current, "finish_at", text);
}

static void publish_current(struct core *core)
{
	const struct task *task = scheduler_current(&core->scheduler);
	cJSON *current = cJSON_CreateObject();
	double percent = task ? task_percent(task) : -1;

	cJSON_AddStringToObject(current, "status",
				task ? task_status_name(task->status) : "idle");
	json_put_string(current, "id", task ? task->id : NULL);
	json_put_string(current, "type", task ? task->type_name : NULL);
	if (percent < 0)
		cJSON_AddNullToObject(current, "percent");
	else
		cJSON_AddNumberToObject(current, "percent", percent);
	json_put_string(current, "message", task ? task->message : "");
	current_put_finish(current, task ? task_eta(task, core->now.ms) : -1,
			   core->now.wall);
	if (task && task->photos >= 0)
		cJSON_AddNumberToObject(current, "photos", task->photos);
	else
		cJSON_AddNullToObject(current, "photos");
	put_json(core, "current", current, 1000);
	core->current_changed = false;
}

void status_publish_changes(struct core *core)
{
	char topic[TOPIC_MAX];
	const char *root = core->options.root, *device = core->options.device;

	if (core->queue_changed &&
	    telemetry_due(core->telemetry, topic_make(topic, root, device, "queue"),
			  core->now.ms))
		publish_queue(core);
	if (core->current_changed &&
	    telemetry_due(core->telemetry, topic_make(topic, root, device, "current"),
			  core->now.ms))
		publish_current(core);
}

static cJSON *health_refused(const struct core *core)
{
	cJSON *refused = cJSON_CreateObject();

	for (size_t i = 0; i < sizeof(core->refused) / sizeof(core->refused[0]); i++) {
		const char *code = code_name(i);

		if (code && core->refused[i])
			cJSON_AddNumberToObject(refused, code, (double)core->refused[i]);
	}
	return refused;
}

void status_publish_health(struct core *core)
{
	char topic[TOPIC_MAX];
	struct telemetry_topic target = {
		.topic = topic_make(topic, core->options.root, core->options.device,
				    "health"),
		.retain = true,
		.expiry_s = 180,
	};
	cJSON *health = core->health ? cJSON_Parse(core->health) : cJSON_CreateObject();
	cJSON *stuck;
	char *text;

	cJSON_AddNumberToObject(health, "db_bytes", (double)store_size(core->store));
	cJSON_AddStringToObject(health, "storage",
				core->commit_blocked || core->disk_low ? "full" : "ok");
	cJSON_AddNumberToObject(health, "outbox", (double)outbox_depth(core->outbox));
	cJSON_AddNumberToObject(health, "outbox_dropped",
				(double)outbox_dropped(core->outbox));
	cJSON_AddNumberToObject(health, "reconnects", (double)core->session.reconnects);
	cJSON_AddNumberToObject(health, "dropped_progress",
				(double)telemetry_dropped(core->telemetry));
	cJSON_AddItemToObject(health, "refused", health_refused(core));
	stuck = cJSON_AddArrayToObject(health, "stuck");
	for (size_t i = 0; i < core->scheduler.count; i++) {
		const struct task *task = core->scheduler.live[i];

		if (task->stop_asked && core->now.ms - task->stop_asked >
						core->options.tunables.kill_after_ms)
			cJSON_AddItemToArray(stuck, cJSON_CreateString(task->id));
	}
	text = json_text(health);
	telemetry_set(core->telemetry, &target, text, strlen(text));
	free(text);
	cJSON_Delete(health);
}

void status_publish_all(struct core *core)
{
	homeassistant_publish(core);
	status_publish_info(core);
	status_publish_types(core);
	status_publish_settings(core);
	publish_queue(core);
	publish_current(core);
	telemetry_resend(core->telemetry);
	/* Oldest first, so that the newest state of a dashboard is the last to change. */
	for (int64_t number = 0;;) {
		struct task *task = store_task_after(core->store, number);

		if (!task)
			break;
		outbox_resend_document(core->outbox, task->id);
		number = task->number;
		task_free(task);
	}
	status_publish_availability(core);
	core->session.published_at = core->now.ms;
}

void status_publish_device(struct core *core, const struct event *event)
{
	/* Without a state the device has been removed since the event was posted. */
	if (event->data)
		put(core, event->topic, event->data, 500);
}

static void clear_image(struct core *core, const char *device)
{
	char topic[TOPIC_MAX];
	struct telemetry_topic target = {
		.topic = topic_make(topic, core->options.root, core->options.device,
				    "%s/image", device),
		.retain = true,
	};

	telemetry_set(core->telemetry, &target, "", 0);
}

void status_clear_device(struct core *core, const char *device)
{
	put(core, device, "", 0);
	if (!strncmp(device, "camera/", strlen("camera/")))
		clear_image(core, device);
}

void status_publish_image(struct core *core, const struct event *event)
{
	char topic[TOPIC_MAX];
	struct telemetry_topic target = {
		.topic = topic_make(topic, core->options.root, core->options.device, "%s",
				    event->topic),
		.retain = true,
		.interval_ms = 500,
	};

	telemetry_set(core->telemetry, &target, event->data, event->size);
}
