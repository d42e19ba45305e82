/* Checks for a network at the start, and creates the task that scans for a Wi-Fi code. */
#include "agent/commands/wifi_setup.h"

#include <string.h>

#include "agent/base/json.h"
#include "agent/base/log.h"
#include "agent/commands/settings.h"
#include "agent/commands/task_create.h"
#include "agent/core/lifecycle.h"
#include "agent/workers/mailbox.h"
#include "tasks/modules/network.h"

#define TYPE "qr_scan_task"
#define SETTING "qr_wifi_scan_enabled"
#define STARTED_BY "started_by" /* label of the tasks that are created here */
#define STARTER "agent"
#define FAILURES_KEPT 3

static const char *first_camera(const struct core *core)
{
	for (size_t i = 0; i < core->device_count; i++)
		if (core->devices[i].kind == DEVICE_CAMERA)
			return core->devices[i].name;
	return NULL;
}

/* A task that was interrupted continues: there is no need for a second. */
static bool has_live_task(const struct core *core)
{
	for (size_t i = 0; i < core->scheduler.count; i++)
		if (!strcmp(core->scheduler.live[i]->type_name, TYPE))
			return true;
	return false;
}

static int look_for_network(const struct work *work, const cJSON *body, cJSON **data,
			    struct err *err)
{
	bool connected = false;
	int ret = network_is_connected(work->cancel, &connected, err);

	(void)body;
	(void)data;
	if (ret < 0)
		log_warn("no Wi-Fi code is looked for: %s", err->text);
	else if (connected)
		log_info("a network is there: no Wi-Fi code is looked for");
	else
		mailbox_post(work->mailbox, event_new(EVENT_OFFLINE));
	return ret;
}

/* Not a verb of the contract: the core starts this work itself, and there is no reply. */
static const struct verb network_look_verb = {
	.name = "network/look",
	.work = look_for_network,
};

void wifi_setup_open(struct core *core)
{
	struct effect *effect;

	if (!core->options.sets_up_wifi || !first_camera(core) || has_live_task(core))
		return;
	effect = effects_add(core->effects, EFFECT_COMMAND);
	effect->run = ++core->next_run;
	effect->verb = &network_look_verb;
	task_set_text(&effect->text, "{}");
}

/* Without a network every start leaves a task behind. */
static void delete_earlier_tries(struct core *core)
{
	struct task *task;
	int failures = 0;

	for (int64_t number = INT64_MAX; (task = store_task_before(core->store, number));
	     task_free(task)) {
		number = task->number;
		if (task_is_live(task) || strcmp(task->type_name, TYPE) != 0 ||
		    task->status == TASK_COMPLETED)
			continue;
		if (task->status == TASK_ERROR && ++failures <= FAILURES_KEPT)
			continue;
		if (outbox_document_acknowledged(core->outbox, task->id))
			lifecycle_delete(core, task, "task.pruned");
	}
}

static cJSON *make_body(const struct core *core)
{
	cJSON *body = cJSON_CreateObject();

	json_put_string(body, "type", TYPE);
	json_put_string(cJSON_AddObjectToObject(body, "args"), "camera",
			first_camera(core));
	json_put_string(cJSON_AddObjectToObject(body, "labels"), STARTED_BY, STARTER);
	return body;
}

void wifi_setup_start(struct core *core)
{
	struct command command = {.if_rev = -1};
	struct response response = {.command = &command, .rev = -1, .retry_after_s = -1};

	if (!first_camera(core) || has_live_task(core))
		return;
	delete_earlier_tries(core);
	command.body = make_body(core);
	task_create(core, &response);
	if (response.refused)
		log_warn("there is no network, and no Wi-Fi code is looked for: %s",
			 response.message);
	else
		log_info("there is no network: a Wi-Fi code is looked for");
	cJSON_Delete(command.body);
	cJSON_Delete(response.data);
	cJSON_Delete(response.errors);
	cJSON_Delete(response.current);
}

static bool was_created_here(const struct task *task)
{
	cJSON *labels = cJSON_Parse(task->labels);
	const char *by = json_string(labels, STARTED_BY);
	bool ours = !strcmp(task->type_name, TYPE) && by && !strcmp(by, STARTER);

	cJSON_Delete(labels);
	return ours;
}

static bool setting_is_on(const struct core *core)
{
	const struct settings_access *access = &core->options.settings;
	cJSON *values = access->values(access->context);
	bool set = json_bool(values, SETTING, false);

	cJSON_Delete(values);
	return set;
}

void wifi_setup_cancelled(struct core *core, const struct task *task)
{
	cJSON *values;
	struct err err;

	if (!was_created_here(task) || !setting_is_on(core))
		return;
	values = cJSON_CreateObject();
	cJSON_AddFalseToObject(values, SETTING);
	if (settings_apply(core, values, &err) < 0)
		core_problem(core, "%s is still on: %s", SETTING, err.text);
	else
		log_info("%s was cancelled: %s is off from now on", task->id, SETTING);
	cJSON_Delete(values);
}
