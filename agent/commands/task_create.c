/* The verb task/create: a task or a chain of tasks, checked, admitted or estimated. */
#include "agent/commands/task_create.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/suggest.h"
#include "agent/commands/pending.h"
#include "agent/commands/tables.h"
#include "agent/core/lifecycle.h"
#include "tasks/project/project.h"
#include "tasks/services.h"

#define LABELS_MAX 16
#define LABEL_NAME_MAX 64
#define LABEL_MAX 256
#define THEN_MAX 32
#define QUEUE_FULL_RETRY_S 10

#define CREATE_PROPERTIES                                                                  \
	"\"type\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64},"                 \
	"\"args\":{\"type\":\"object\"},"                                                  \
	"\"priority\":{\"type\":\"integer\",\"minimum\":-10,\"maximum\":10},"              \
	"\"labels\":{\"type\":\"object\",\"additionalProperties\":"                        \
	"{\"type\":\"string\",\"maxLength\":256}},"                                        \
	"\"after\":{\"type\":\"array\",\"maxItems\":32,\"items\":{\"type\":\"string\"}},"  \
	"\"timeout_s\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":31536000}," \
	"\"retries\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":10},"                 \
	"\"retry_delay_s\":{\"type\":\"number\",\"minimum\":0,\"maximum\":86400},"         \
	"\"on_interrupt\":{\"enum\":[\"resume\",\"interrupt\"]},"                          \
	"\"schema\":{\"type\":\"string\"}"

#define ITEM_SCHEMA                                                                                             \
	"{\"type\":\"object\",\"required\":[\"type\"],\"additionalProperties\":false,"                          \
	"\"properties\":{\"id\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_-]{1,64}$\"}," CREATE_PROPERTIES \
	"}}"

static const char create_schema[] =
	"{\"type\":\"object\",\"required\":[\"type\"],\"additionalProperties\":false,"
	"\"properties\":{" CREATE_PROPERTIES ",\"dry_run\":{\"type\":\"boolean\"},"
	"\"then\":{\"type\":\"array\",\"maxItems\":32,\"items\":" ITEM_SCHEMA "}}}";

/* Drops the problems that a predecessor in the chain may still solve: missing required
 * arguments at the top level. */
static size_t without_missing(struct schema_problem *problems, size_t n, const char *at)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const char *rest = problems[i].path + strlen(at) + 1;

		if (!strcmp(problems[i].message, "is required") && !strchr(rest, '/'))
			continue;
		if (kept != i)
			problems[kept] = problems[i];
		kept++;
	}
	return kept;
}

/* Checks what no schema can say. */
static bool create_check_with_type(struct response *response, const struct task *task,
				   const char *at)
{
	const struct task_type *type = task->type->type;
	struct task_problem problem;
	char path[256];

	if (!type->check || type->check(type, task->args, &problem) == 0)
		return true;
	snprintf(path, sizeof(path), "%s%s", at, problem.path);
	response_problem(response, "invalid_args", path, problem.sentence);
	return false;
}

static bool create_check_args(struct response *response, struct task *task, cJSON *args,
			      const char *at, bool in_chain)
{
	struct schema_problem problems[8];
	size_t n;

	schema_fill(task->type->schema, args);
	n = schema_check(task->type->schema, args, at, problems, 8);
	if (n > 8)
		n = 8;
	if (in_chain)
		n = without_missing(problems, n, at);
	if (n)
		response_problems(response, "invalid_args", problems, n);
	task->args = json_text(args);
	return n == 0 && create_check_with_type(response, task, at);
}

bool create_labels(struct response *response, struct task *task, const cJSON *labels)
{
	const cJSON *label;

	if (cJSON_GetArraySize(labels) > LABELS_MAX) {
		response_refuse(response, "invalid_args",
				"labels must be at most %d, not %d", LABELS_MAX,
				cJSON_GetArraySize(labels));
		return false;
	}
	cJSON_ArrayForEach(label, labels) {
		if (strlen(label->string) > LABEL_NAME_MAX) {
			response_refuse(
				response, "invalid_args",
				"labels must have names of at most %d bytes, not %zu",
				LABEL_NAME_MAX, strlen(label->string));
			return false;
		}
		/* The schema counts characters, not bytes. */
		if (strlen(label->valuestring) > LABEL_MAX) {
			response_refuse(response, "invalid_args",
					"labels must have at most %d bytes, not %zu",
					LABEL_MAX, strlen(label->valuestring));
			return false;
		}
	}
	task->labels = labels ? json_text(labels) : strdup("{}");
	return true;
}

static bool create_id_free(struct core *core, struct response *response, const char *id)
{
	char key[TASK_ID + 1];
	struct dedup_record record = {.reply = NULL};
	struct task *ended = NULL;
	const struct task *task;
	bool known;

	if (!strcmp(id, "current") || !strcmp(id, "PRESS") || !strcmp(id, "_barrier")) {
		response_refuse(response, "bad_request",
				"id must not be '%s': that word has a meaning", id);
		return false;
	}
	snprintf(key, sizeof(key), "i%s", id);
	known = store_dedup_find(core->store, key, &record);
	dedup_record_clear(&record);
	task = core_find_task(core, id, &ended);
	if (known || task) {
		response_refuse(response, "id_conflict", "a task '%s' is known already",
				id);
		if (task)
			response->current = core_task_document(core, task, false);
	}
	task_free(ended);
	return !known && !task;
}

static void create_name(struct core *core, struct task *task, const char *id)
{
	struct task *ended;

	if (id && id[0]) {
		snprintf(task->id, sizeof(task->id), "%s", id);
		return;
	}
	/* Sorts by age.  A person may have used such an id already. */
	do {
		snprintf(task->id, sizeof(task->id), "t%010lld-%.6s",
			 (long long)core->next_task, core->store_name);
		if (!core_find_task(core, task->id, &ended))
			break;
		task_free(ended);
		core->next_task++;
	} while (true);
}

static void create_numbers(struct core *core, struct task *task, const cJSON *body)
{
	const char *on_interrupt = json_string(body, "on_interrupt");

	task->number = core->next_task++;
	task->arrival = core->next_arrival++;
	task->priority = (int)json_number(body, "priority", 0);
	task->retries = (int)json_number(body, "retries", 0);
	task->retries_left = task->retries;
	task->retry_delay_ms = (int64_t)(json_number(body, "retry_delay_s", 0) * 1000);
	task->timeout_ms = (int64_t)(json_number(body, "timeout_s", 0) * 1000);
	if (task->timeout_ms == 0 && json_number(body, "timeout_s", 0) > 0)
		task->timeout_ms = 1;
	task->resumes = on_interrupt ? !strcmp(on_interrupt, "resume") : task->resumable;
	task->created_at = core->now.wall;
	snprintf(task->boot, sizeof(task->boot), "%s", core->options.boot);
}

static void unknown_type(const struct core *core, struct response *response,
			 const char *name)
{
	const struct registry *registry = core->options.registry;
	struct suggest suggest;

	suggest_init(&suggest, name);
	for (size_t i = 0; i < registry_count(registry); i++)
		suggest_offer(&suggest, registry_at(registry, i)->type->name);
	response_unknown(response, "unknown_type", "/type", "task type", &suggest);
}

static bool create_type(struct core *core, struct response *response, struct task *task,
			const cJSON *body)
{
	const char *name = json_string(body, "type");
	const char *schema = json_string(body, "schema");
	const struct task_type *type;

	task->type = registry_find(core->options.registry, name);
	if (!task->type) {
		unknown_type(core, response, name);
		return false;
	}
	if (schema && strcmp(schema, schema_hash(task->type->schema)) != 0) {
		response_refuse(response, "schema_mismatch",
				"%s takes other arguments now: its schema is %s", name,
				schema_hash(task->type->schema));
		return false;
	}
	type = task->type->type;
	snprintf(task->type_name, sizeof(task->type_name), "%s", type->name);
	snprintf(task->category, sizeof(task->category), "%s", type->category);
	task->is_exclusive = type->is_exclusive;
	task->is_blocking = type->is_blocking;
	task->resumable = type->resumable;
	task->claim = core_devices(core, type->uses);
	return true;
}

static void create_after(struct task *task, const cJSON *after)
{
	const cJSON *id;

	cJSON_ArrayForEach(id, after)
		if (task->after_count < TASK_AFTER_MAX)
			snprintf(task->after[task->after_count++], TASK_ID, "%s",
				 id->valuestring);
}

/* A scan_task without arguments uses the setting scan_preset. */
static void use_scan_preset(const struct core *core, const cJSON *body, cJSON *args)
{
	const struct settings_access *access = &core->options.settings;
	const char *type = json_string(body, "type");
	cJSON *values, *preset, *settings;

	if (args->child || !type || strcmp(type, "scan_task") != 0)
		return;
	values = access->values(access->context);
	preset = cJSON_GetObjectItemCaseSensitive(values, "scan_preset");
	if (cJSON_IsObject(preset)) {
		settings = cJSON_AddObjectToObject(args, "settings");
		json_put_string(args, "project", json_string(preset, "project"));
		cJSON_AddNumberToObject(settings, "points",
					json_number(preset, "points", 1));
		cJSON_AddNumberToObject(settings, "focus_stacks",
					json_number(preset, "focus_stacks", 1));
	}
	cJSON_Delete(values);
}

/* One task of the chain, checked by itself; NULL when it is refused. */
static struct task *create_task(struct core *core, struct response *response,
				const cJSON *body, const char *at, bool in_chain)
{
	struct task *task = task_new();
	cJSON *args = cJSON_GetObjectItemCaseSensitive(body, "args");
	char path[64];
	bool fits;

	if (!task)
		abort(); /* see effects_add() */
	args = args ? cJSON_Duplicate(args, true) : cJSON_CreateObject();
	if (!in_chain)
		use_scan_preset(core, body, args);
	snprintf(path, sizeof(path), "%s/args", at);
	fits = create_type(core, response, task, body) &&
	       create_check_args(response, task, args, path, in_chain) &&
	       create_labels(response, task,
			     cJSON_GetObjectItemCaseSensitive(body, "labels"));
	cJSON_Delete(args);
	if (!fits) {
		task_free(task);
		return NULL;
	}
	create_after(task, cJSON_GetObjectItemCaseSensitive(body, "after"));
	return task;
}

struct chain {
	struct task *tasks[THEN_MAX + 1];
	size_t count;
};

static void chain_free(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		task_free(chain->tasks[i]);
	chain->count = 0;
}

/* Gives the followers their ids: <id>-1, <id>-2 …, unless they have one. */
static bool chain_name(struct core *core, struct response *response, struct chain *chain,
		       const cJSON *then)
{
	for (size_t i = 1; i < chain->count; i++) {
		const char *given =
			json_string(cJSON_GetArrayItem(then, (int)i - 1), "id");
		struct task *task = chain->tasks[i];
		char id[TASK_ID + 24];

		snprintf(id, sizeof(id), "%s-%zu", chain->tasks[0]->id, i);
		if (!given && strlen(id) >= TASK_ID) {
			response_refuse(
				response, "bad_request",
				"id is too long for a chain: at most 61 characters");
			return false;
		}
		if (!create_id_free(core, response, given ? given : id))
			return false;
		snprintf(task->id, sizeof(task->id), "%.64s", given ? given : id);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(chain->tasks[k]->id, task->id) != 0)
				continue;
			response_refuse(response, "id_conflict",
					"two tasks of the chain are named '%s'",
					task->id);
			return false;
		}
		if (task->after_count == TASK_AFTER_MAX) {
			response_refuse(response, "invalid_args",
					"after must have at most 31 items in a chain");
			return false;
		}
		snprintf(task->after[task->after_count++], TASK_ID, "%s",
			 chain->tasks[i - 1]->id);
		snprintf(task->predecessor, TASK_ID, "%s", chain->tasks[i - 1]->id);
	}
	return true;
}

/* Do all ids in after exist?  Called before chain_name() adds the ids of the chain. */
static bool chain_after(struct core *core, struct response *response, struct chain *chain,
			size_t i)
{
	struct task *task = chain->tasks[i];
	const char *missing = NULL;
	bool known = dependency_resolve(core, task, &missing);

	if (known)
		return true;
	response_refuse(response, "not_found",
			"after names task '%s', which does not exist", missing);
	return false;
}

static bool chain_build(struct core *core, struct response *response, struct chain *chain,
			const cJSON *body)
{
	const cJSON *then = cJSON_GetObjectItemCaseSensitive(body, "then");
	const cJSON *item;

	chain->tasks[0] = create_task(core, response, body, "", false);
	if (!chain->tasks[0])
		return false;
	chain->count = 1;
	cJSON_ArrayForEach(item, then) {
		char at[32];

		snprintf(at, sizeof(at), "/then/%zu", chain->count - 1);
		chain->tasks[chain->count] = create_task(core, response, item, at, true);
		if (!chain->tasks[chain->count])
			return false;
		chain->count++;
	}
	return true;
}

static void chain_remember(struct core *core, const struct response *response,
			   const struct chain *chain)
{
	const struct command *command = response->command;

	/* The ids of the followers are in use from now on, too, with the hash of the
	 * whole command. */
	for (size_t i = 1; i < chain->count; i++) {
		char key[TASK_ID + 1], reply[256];

		snprintf(key, sizeof(key), "i%s", chain->tasks[i]->id);
		snprintf(reply, sizeof(reply),
			 "{\"id\":\"%s\",\"code\":\"accepted\",\"rev\":1}",
			 chain->tasks[i]->id);
		store_dedup_add(core->store, key, command->hash, reply, "",
				core_age(core));
	}
}

static cJSON *chain_ids(const struct chain *chain)
{
	cJSON *ids = cJSON_CreateArray();

	for (size_t i = 1; i < chain->count; i++)
		cJSON_AddItemToArray(ids, cJSON_CreateString(chain->tasks[i]->id));
	return ids;
}

bool create_room(struct core *core, struct response *response, size_t n)
{
	if (core->draining || core->stopping) {
		response_refuse(response, "draining",
				"the agent finishes what runs and takes nothing new");
		return false;
	}
	if (core->scheduler.count + n <= SCHEDULER_LIVE_MAX)
		return true;
	response_refuse(response, "queue_full",
			"%zu tasks are waiting or running, %d are allowed",
			core->scheduler.count, SCHEDULER_LIVE_MAX);
	response->retry_after_s = QUEUE_FULL_RETRY_S;
	return false;
}

static bool has_argument(const struct task *task, const char *key, const char *value)
{
	cJSON *args = cJSON_Parse(task->args);
	const char *text = json_string(args, key);
	bool has = text && !strcmp(text, value);

	cJSON_Delete(args);
	return has;
}

/* Is the task the only live one of its type for the same argument?  Followers in a chain
 * are not checked here: the type checks them when they start. */
static bool create_is_unique(struct core *core, struct response *response,
			     const struct task *task)
{
	const char *key = task->type->type->unique_by;
	cJSON *args = key ? cJSON_Parse(task->args) : NULL;
	const char *value = json_string(args, key);
	bool unique = true;

	for (size_t i = 0; value && unique && i < core->scheduler.count; i++) {
		const struct task *other = core->scheduler.live[i];

		if (strcmp(other->type_name, task->type_name) != 0 ||
		    !has_argument(other, key, value))
			continue;
		unique = false;
		response_conflict(
			core, response, "invalid_state", other,
			"task '%s' is at the same %s '%s' already: wait until it has "
			"ended, or cancel it",
			other->id, key, value);
	}
	cJSON_Delete(args);
	return unique;
}

static void create_admit(struct core *core, struct response *response,
			 struct chain *chain)
{
	char first[TASK_ID];
	cJSON *ids = chain_ids(chain);
	struct task *ended;
	const struct task *task;

	snprintf(first, sizeof(first), "%s", chain->tasks[0]->id);
	chain_remember(core, response, chain);
	/* A task that is admitted is the scheduler's: it may have failed before the next
	 * line. */
	for (size_t i = 0; i < chain->count; i++) {
		const char *missing;

		if (i > 0)
			dependency_resolve(core, chain->tasks[i], &missing);
		lifecycle_admit(core, chain->tasks[i]);
	}
	chain->count = 0;
	task = core_find_task(core, first, &ended);
	response_task(core, response, "accepted", task);
	task_free(ended);
	response->rev = 1;
	if (cJSON_GetArraySize(ids))
		cJSON_AddItemToObject(response->data, "then", ids);
	else
		cJSON_Delete(ids);
}

void task_create(struct core *core, struct response *response)
{
	const struct command *command = response->command;
	const cJSON *body = command->body;
	const cJSON *then = cJSON_GetObjectItemCaseSensitive(body, "then");
	struct chain chain = {.count = 0};

	if (command->id[0] && !create_id_free(core, response, command->id))
		return;
	if (!chain_build(core, response, &chain, body))
		goto out;
	if (json_bool(body, "dry_run", false)) {
		if (chain_after(core, response, &chain, 0))
			pending_estimate(core, response, chain.tasks[0]->type,
					 chain.tasks[0]->args);
		goto out;
	}
	if (!create_room(core, response, chain.count) ||
	    !create_is_unique(core, response, chain.tasks[0]))
		goto out;
	create_name(core, chain.tasks[0], command->id);
	for (size_t i = 0; i < chain.count; i++)
		if (!chain_after(core, response, &chain, i))
			goto out;
	if (!chain_name(core, response, &chain, then))
		goto out;
	for (size_t i = 0; i < chain.count; i++)
		create_numbers(core, chain.tasks[i],
			       i ? cJSON_GetArrayItem(then, (int)i - 1) : body);
	create_admit(core, response, &chain);
out:
	chain_free(&chain);
}

static int task_estimate(const struct work *work, const cJSON *body, cJSON **data,
			 struct err *err)
{
	struct task_estimate estimate = {
		.bytes_free = (double)projects_bytes_free(work->services->projects)};
	const struct task_type *type = work->type->type;
	cJSON *problems;

	(void)body;
	if (type->estimate &&
	    type->estimate(type, work->services, work->args, &estimate) < 0)
		return err_code(err, -EIO, "internal",
				"%s cannot estimate these arguments", type->name);
	problems =
		estimate.problems ? cJSON_Parse(estimate.problems) : cJSON_CreateArray();
	free(estimate.problems);
	*data = cJSON_CreateObject();
	cJSON_AddNumberToObject(*data, "photos", estimate.photos);
	cJSON_AddNumberToObject(*data, "bytes", estimate.bytes);
	cJSON_AddNumberToObject(*data, "seconds", round(estimate.seconds * 10) / 10);
	cJSON_AddNumberToObject(*data, "bytes_free", estimate.bytes_free);
	cJSON_AddItemToObject(*data, "problems", problems);
	return 0;
}

const struct verb task_create_verbs[] = {
	{
		.name = "task/create",
		.flags = VERB_WRITES | VERB_CREATES,
		.short_form = SHORT_TYPE,
		.schema = create_schema,
		.decide = task_create,
		.work = task_estimate,
	},
	{.name = NULL},
};
