#include "agent/commands/verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"

#define LABELS_MAX 16
#define LABEL_NAME_MAX 64
#define LABEL_MAX 256
#define THEN_MAX 32
#define QUEUE_FULL_RETRY_S 10
#define LIST_BYTES (96 * 1024) /* pages end here, well below the 128 KiB of a reply */

/* ---- create ---- */

#define CREATE_PROPERTIES                                                                          \
	"\"type\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64},"                         \
	"\"args\":{\"type\":\"object\"},"                                                          \
	"\"priority\":{\"type\":\"integer\",\"minimum\":-10,\"maximum\":10},"                      \
	"\"labels\":{\"type\":\"object\",\"additionalProperties\":"                                \
	"{\"type\":\"string\",\"maxLength\":256}},"                                                \
	"\"after\":{\"type\":\"array\",\"maxItems\":32,\"items\":{\"type\":\"string\"}},"          \
	"\"timeout_s\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":31536000},"         \
	"\"retries\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":10},"                         \
	"\"retry_delay_s\":{\"type\":\"number\",\"minimum\":0,\"maximum\":86400},"                 \
	"\"on_interrupt\":{\"enum\":[\"resume\",\"interrupt\"]},"                                  \
	"\"schema\":{\"type\":\"string\"}"

#define ITEM_SCHEMA                                                                                \
	"{\"type\":\"object\",\"required\":[\"type\"],\"additionalProperties\":false,"             \
	"\"properties\":{\"id\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_-]{1,64}$\"},"      \
	CREATE_PROPERTIES "}}"

#define CREATE_SCHEMA                                                                              \
	"{\"type\":\"object\",\"required\":[\"type\"],\"additionalProperties\":false,"             \
	"\"properties\":{" CREATE_PROPERTIES ",\"dry_run\":{\"type\":\"boolean\"},"                \
	"\"then\":{\"type\":\"array\",\"maxItems\":32,\"items\":" ITEM_SCHEMA "}}}"

/* Takes problems away that a predecessor in the chain may still cure: a required argument of
 * the top level that is missing. */
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

/* What the schema cannot say, the type may. */
static bool create_ask_type(struct answer *answer, const struct task *task, const char *at)
{
	const struct task_type *type = task->type->type;
	struct task_problem problem;
	char path[256];

	if (!type->check || type->check(type, task->args, &problem) == 0)
		return true;
	snprintf(path, sizeof(path), "%s%s", at, problem.path);
	answer_problem(answer, "invalid_args", path, problem.sentence);
	return false;
}

static bool create_check_args(struct answer *answer, struct task *task, cJSON *args, const char *at,
			      bool in_chain)
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
		answer_problems(answer, "invalid_args", problems, n);
	task->args = json_text(args);
	return n == 0 && create_ask_type(answer, task, at);
}

static bool create_labels(struct answer *answer, struct task *task, const cJSON *labels)
{
	const cJSON *label;

	if (cJSON_GetArraySize(labels) > LABELS_MAX) {
		answer_refuse(answer, "invalid_args", "labels must be at most %d, not %d", LABELS_MAX,
			      cJSON_GetArraySize(labels));
		return false;
	}
	cJSON_ArrayForEach(label, labels) {
		if (strlen(label->string) > LABEL_NAME_MAX) {
			answer_refuse(answer, "invalid_args",
				      "labels must have names of at most %d bytes, not %zu",
				      LABEL_NAME_MAX, strlen(label->string));
			return false;
		}
		/* The schema counts characters. */
		if (strlen(label->valuestring) > LABEL_MAX) {
			answer_refuse(answer, "invalid_args",
				      "labels must have at most %d bytes, not %zu", LABEL_MAX,
				      strlen(label->valuestring));
			return false;
		}
	}
	task->labels = labels ? json_text(labels) : strdup("{}");
	return true;
}

static bool create_id_free(struct core *core, struct answer *answer, const char *id)
{
	char key[TASK_ID + 1];
	struct memory memory = {.reply = NULL};
	struct task *ended = NULL;
	const struct task *task;
	bool known;

	if (!strcmp(id, "current") || !strcmp(id, "PRESS")) {
		answer_refuse(answer, "bad_request", "id must not be '%s': that word has a meaning", id);
		return false;
	}
	snprintf(key, sizeof(key), "i%s", id);
	known = store_recall(core->store, key, &memory);
	memory_clear(&memory);
	task = life_find(core, id, &ended);
	if (known || task) {
		answer_refuse(answer, "id_conflict", "a task '%s' is known already", id);
		if (task)
			answer->current = life_document(core, task, false);
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
	/* Sorted by age; somebody may have chosen such an id, so look. */
	do {
		snprintf(task->id, sizeof(task->id), "t%010lld-%.6s", (long long)core->next_task,
			 core->store_name);
		if (!life_find(core, task->id, &ended))
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

static bool create_type(struct core *core, struct answer *answer, struct task *task, const cJSON *body)
{
	const char *name = json_string(body, "type");
	const char *schema = json_string(body, "schema");
	const struct task_type *type;

	task->type = registry_find(core->options.registry, name);
	if (!task->type) {
		answer_refuse(answer, "unknown_type", "there is no task type '%s'", name);
		return false;
	}
	if (schema && strcmp(schema, schema_hash(task->type->schema)) != 0) {
		answer_refuse(answer, "schema_mismatch",
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
			snprintf(task->after[task->after_count++], TASK_ID, "%s", id->valuestring);
}

/* One task of a create, checked in itself; NULL when it is refused. */
static struct task *create_task(struct core *core, struct answer *answer, const cJSON *body,
				const char *at, bool in_chain)
{
	struct task *task = task_new();
	cJSON *args = cJSON_GetObjectItemCaseSensitive(body, "args");
	char path[64];
	bool fits;

	if (!task)
		abort(); /* see effects_add() */
	args = args ? cJSON_Duplicate(args, true) : cJSON_CreateObject();
	snprintf(path, sizeof(path), "%s/args", at);
	fits = create_type(core, answer, task, body) &&
	       create_check_args(answer, task, args, path, in_chain) &&
	       create_labels(answer, task, cJSON_GetObjectItemCaseSensitive(body, "labels"));
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

/* The ids of a chain: <id>-1, <id>-2 … unless given. */
static bool chain_name(struct core *core, struct answer *answer, struct chain *chain,
		       const cJSON *then)
{
	for (size_t i = 1; i < chain->count; i++) {
		const char *given = json_string(cJSON_GetArrayItem(then, (int)i - 1), "id");
		struct task *task = chain->tasks[i];
		char id[TASK_ID + 24];

		snprintf(id, sizeof(id), "%s-%zu", chain->tasks[0]->id, i);
		if (!given && strlen(id) >= TASK_ID) {
			answer_refuse(answer, "bad_request",
				      "id is too long for a chain: at most 61 characters");
			return false;
		}
		if (!create_id_free(core, answer, given ? given : id))
			return false;
		snprintf(task->id, sizeof(task->id), "%.64s", given ? given : id);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(chain->tasks[k]->id, task->id) != 0)
				continue;
			answer_refuse(answer, "id_conflict", "two tasks of the chain are named '%s'",
				      task->id);
			return false;
		}
		if (task->after_count == TASK_AFTER_MAX) {
			answer_refuse(answer, "invalid_args",
				      "after must have at most 31 items in a chain");
			return false;
		}
		snprintf(task->after[task->after_count++], TASK_ID, "%s", chain->tasks[i - 1]->id);
		snprintf(task->predecessor, TASK_ID, "%s", chain->tasks[i - 1]->id);
	}
	return true;
}

/* Do all ids in after exist?  Those of the chain itself do not yet, but will. */
static bool chain_after(struct core *core, struct answer *answer, struct chain *chain, size_t i)
{
	struct task *task = chain->tasks[i];
	const char *missing = NULL;
	bool known = life_open_after(core, task, &missing);

	if (known)
		return true;
	answer_refuse(answer, "not_found", "after names task '%s', which does not exist", missing);
	return false;
}

static bool chain_build(struct core *core, struct answer *answer, struct chain *chain,
			const cJSON *body)
{
	const cJSON *then = cJSON_GetObjectItemCaseSensitive(body, "then");
	const cJSON *item;

	chain->tasks[0] = create_task(core, answer, body, "", false);
	if (!chain->tasks[0])
		return false;
	chain->count = 1;
	cJSON_ArrayForEach(item, then) {
		char at[32];

		snprintf(at, sizeof(at), "/then/%zu", chain->count - 1);
		chain->tasks[chain->count] = create_task(core, answer, item, at, true);
		if (!chain->tasks[chain->count])
			return false;
		chain->count++;
	}
	return true;
}

static void chain_remember(struct core *core, const struct answer *answer, const struct chain *chain)
{
	const struct command *command = answer->command;

	/* The ids of followers are taken from now on, too; their body is the whole create's. */
	for (size_t i = 1; i < chain->count; i++) {
		char key[TASK_ID + 1], reply[256];

		snprintf(key, sizeof(key), "i%s", chain->tasks[i]->id);
		snprintf(reply, sizeof(reply), "{\"id\":\"%s\",\"code\":\"accepted\",\"rev\":1}",
			 chain->tasks[i]->id);
		store_remember(core->store, key, command->hash, reply, "", core_age(core));
	}
}

static cJSON *chain_ids(const struct chain *chain)
{
	cJSON *ids = cJSON_CreateArray();

	for (size_t i = 1; i < chain->count; i++)
		cJSON_AddItemToArray(ids, cJSON_CreateString(chain->tasks[i]->id));
	return ids;
}

static bool create_room(struct core *core, struct answer *answer, size_t n)
{
	if (core->draining || core->stopping) {
		answer_refuse(answer, "draining", "the agent finishes what runs and takes nothing new");
		return false;
	}
	if (core->scheduler.count + n <= SCHEDULER_LIVE_MAX)
		return true;
	answer_refuse(answer, "queue_full", "%zu tasks are waiting or running, %d are allowed",
		      core->scheduler.count, SCHEDULER_LIVE_MAX);
	answer->retry_after_s = QUEUE_FULL_RETRY_S;
	return false;
}

static void create_admit(struct core *core, struct answer *answer, struct chain *chain)
{
	char first[TASK_ID];
	cJSON *ids = chain_ids(chain);
	struct task *ended;
	const struct task *task;

	snprintf(first, sizeof(first), "%s", chain->tasks[0]->id);
	chain_remember(core, answer, chain);
	/* A task that is admitted is the scheduler's: it may have failed before the next line. */
	for (size_t i = 0; i < chain->count; i++) {
		const char *missing;

		if (i > 0)
			life_open_after(core, chain->tasks[i], &missing);
		life_admit(core, chain->tasks[i]);
	}
	chain->count = 0;
	task = life_find(core, first, &ended);
	answer_task(core, answer, "accepted", task);
	task_free(ended);
	answer->rev = 1;
	if (cJSON_GetArraySize(ids))
		cJSON_AddItemToObject(answer->data, "then", ids);
	else
		cJSON_Delete(ids);
}

static void task_create(struct core *core, struct answer *answer)
{
	const struct command *command = answer->command;
	const cJSON *body = command->body;
	const cJSON *then = cJSON_GetObjectItemCaseSensitive(body, "then");
	struct chain chain = {.count = 0};

	if (command->id[0] && !create_id_free(core, answer, command->id))
		return;
	if (!chain_build(core, answer, &chain, body))
		goto out;
	if (json_bool(body, "dry_run", false)) {
		if (chain_after(core, answer, &chain, 0))
			answer_estimate(core, answer, chain.tasks[0]->type, chain.tasks[0]->args);
		goto out;
	}
	if (!create_room(core, answer, chain.count))
		goto out;
	create_name(core, chain.tasks[0], command->id);
	for (size_t i = 0; i < chain.count; i++)
		if (!chain_after(core, answer, &chain, i))
			goto out;
	if (!chain_name(core, answer, &chain, then))
		goto out;
	for (size_t i = 0; i < chain.count; i++)
		create_numbers(core, chain.tasks[i],
			       i ? cJSON_GetArrayItem(then, (int)i - 1) : body);
	create_admit(core, answer, &chain);
out:
	chain_free(&chain);
}

/* ---- the others ---- */

#define ONLY_ID "{\"type\":\"object\",\"additionalProperties\":false}"

/* The task a command names; refused when it does not exist or has changed since if_rev. */
static struct task *named_task(struct core *core, struct answer *answer, struct task **ended)
{
	const struct command *command = answer->command;
	struct task *task = life_find(core, command->id, ended);

	if (!task) {
		answer_refuse(answer, "not_found", "there is no task '%s'", command->id);
		return NULL;
	}
	if (command->if_rev >= 0 &&
	    (command->if_rev < task->solid_rev || command->if_rev > task->rev)) {
		answer_conflict(core, answer, "rev_conflict", task,
				"task '%s' is at revision %lld, not %lld", task->id,
				(long long)task->rev, (long long)command->if_rev);
		task_free(*ended);
		*ended = NULL;
		return NULL;
	}
	return task;
}

static void wrong_state(struct core *core, struct answer *answer, const struct task *task,
			const char *what)
{
	answer_conflict(core, answer, "invalid_state", task, "task '%s' is %s%s and cannot be %s",
			task->id, task_status_name(task->status),
			task->stopping == STOPPING_CANCEL  ? " (cancelling)"
			: task->stopping == STOPPING_PAUSE ? " (pausing)"
							   : "",
			what);
}

/* The answer shows the task as it is after the command, wherever it lives now. */
static void answer_named(struct core *core, struct answer *answer, const char *code)
{
	struct task *ended;
	const struct task *task = life_find(core, answer->command->id, &ended);

	answer_task(core, answer, code, task);
	task_free(ended);
}

static void task_pause(struct core *core, struct answer *answer)
{
	struct task *ended, *task = named_task(core, answer, &ended);

	if (!task)
		return;
	if (task->status == TASK_RUNNING && task->stop == STOP_NONE &&
	    task->stopping == STOPPING_NOT) {
		life_pause(core, task);
		answer_named(core, answer, "accepted");
	} else if (task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE) {
		answer_named(core, answer, "ok");
	} else {
		wrong_state(core, answer, task, "paused");
	}
	task_free(ended);
}

static void task_resume(struct core *core, struct answer *answer)
{
	struct task *ended, *task = named_task(core, answer, &ended);

	if (!task)
		return;
	if (!task_works(task) || task->stopping == STOPPING_CANCEL || task->stop != STOP_NONE) {
		wrong_state(core, answer, task, "resumed");
	} else if (core->estop && task->claim && task->status == TASK_PAUSED) {
		answer_refuse(answer, "estopped",
			      "the emergency stop is latched: send queue/resume first");
	} else if (task->status == TASK_PAUSED || task->stopping == STOPPING_PAUSE) {
		life_resume(core, task);
		answer_named(core, answer, "accepted");
	} else {
		answer_named(core, answer, "ok");
	}
	task_free(ended);
}

static void task_cancel(struct core *core, struct answer *answer)
{
	struct task *ended, *task = named_task(core, answer, &ended);
	bool works;

	if (!task)
		return;
	works = task_works(task);
	if (task->status == TASK_CANCELLED || task->stopping == STOPPING_CANCEL) {
		answer_named(core, answer, "ok");
	} else if (task_live(task)) {
		life_cancel(core, task);
		answer_named(core, answer, works ? "accepted" : "ok");
	} else {
		wrong_state(core, answer, task, "cancelled");
	}
	task_free(ended);
}

static void task_restart(struct core *core, struct answer *answer)
{
	const char *from = json_string(answer->command->body, "from");
	struct task *ended, *task = named_task(core, answer, &ended);

	if (!task)
		return;
	if (task_live(task) || task->status == TASK_COMPLETED) {
		wrong_state(core, answer, task, "restarted");
	} else if (!task->type) {
		answer_refuse(answer, "unknown_type", "there is no task type '%s'", task->type_name);
	} else if (create_room(core, answer, 1)) {
		/* It lives in the scheduler from now on. */
		ended = NULL;
		life_restart(core, task, !from || strcmp(from, "start") != 0);
		answer_named(core, answer, "accepted");
	}
	task_free(ended);
}

static void task_delete(struct core *core, struct answer *answer)
{
	struct task *ended, *task = life_find(core, answer->command->id, &ended);

	if (!task) {
		cJSON *data = cJSON_CreateObject();

		cJSON_AddTrueToObject(data, "gone");
		answer_ok(answer, "ok", data);
		return;
	}
	task_free(ended);
	task = named_task(core, answer, &ended);
	if (!task)
		return;
	if (task_live(task)) {
		wrong_state(core, answer, task, "deleted; cancel it first");
	} else {
		answer_named(core, answer, "ok");
		life_delete(core, task, "task.deleted");
	}
	task_free(ended);
}

static void task_get(struct core *core, struct answer *answer)
{
	struct task *ended, *task = named_task(core, answer, &ended);

	if (!task)
		return;
	answer_task(core, answer, "ok", task);
	task_free(ended);
}

static void task_update(struct core *core, struct answer *answer)
{
	const cJSON *body = answer->command->body;
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(body, "labels");
	struct task *ended, *task = named_task(core, answer, &ended);
	char *before;

	if (!task)
		return;
	if (!task_live(task)) {
		wrong_state(core, answer, task, "updated");
		goto out;
	}
	before = task->labels;
	if (labels && !create_labels(answer, task, labels))
		goto out;
	if (labels)
		free(before);
	task->priority = (int)json_number(body, "priority", task->priority);
	scheduler_sort(&core->scheduler);
	life_changed(core, task);
	answer_named(core, answer, "ok");
out:
	task_free(ended);
}

/* ---- list, log, events ---- */

static bool list_has(const cJSON *list, const char *name)
{
	const cJSON *item;

	if (!list)
		return true;
	cJSON_ArrayForEach(item, list)
		if (!strcmp(item->valuestring, name))
			return true;
	return false;
}

/* A label filter is "key" or "key=value". */
static bool has_label(const struct task *task, const char *filter)
{
	cJSON *labels = cJSON_Parse(task->labels);
	const char *equals = strchr(filter, '=');
	char key[80];
	const char *value;
	bool has;

	snprintf(key, sizeof(key), "%.*s", equals ? (int)(equals - filter) : (int)strlen(filter),
		 filter);
	value = json_string(labels, key);
	has = value && (!equals || !strcmp(value, equals + 1));
	cJSON_Delete(labels);
	return has;
}

static bool list_wants(const cJSON *body, const struct task *task)
{
	const char *type = json_string(body, "type");
	const char *label = json_string(body, "label");

	return list_has(cJSON_GetObjectItemCaseSensitive(body, "status"),
			task_status_name(task->status)) &&
	       (!type || !strcmp(type, task->type_name)) && (!label || has_label(task, label));
}

/* Newest first.  The rows of live tasks may be older than what memory knows. */
static void task_list(struct core *core, struct answer *answer)
{
	const cJSON *body = answer->command->body;
	const char *next = json_string(body, "next");
	int limit = (int)json_number(body, "limit", 50);
	int64_t before = next ? strtoll(next, NULL, 10) : INT64_MAX;
	cJSON *data = cJSON_CreateObject();
	cJSON *tasks = cJSON_AddArrayToObject(data, "tasks");
	size_t bytes = 0;
	char cursor[32] = "";

	for (;;) {
		struct task *row = store_task_before(core->store, before);
		struct task *ended = NULL;
		const struct task *task;

		if (!row)
			break;
		if (limit == 0 || bytes > LIST_BYTES) {
			snprintf(cursor, sizeof(cursor), "%lld", (long long)before);
			task_free(row);
			break;
		}
		before = row->number;
		task = life_find(core, row->id, &ended);
		if (task && list_wants(body, task)) {
			cJSON *document = life_document(core, task, false);
			char *text = json_text(document);

			bytes += strlen(text);
			free(text);
			cJSON_AddItemToArray(tasks, document);
			limit--;
		}
		task_free(ended);
		task_free(row);
	}
	json_put_string(data, "next", cursor[0] ? cursor : NULL);
	answer_ok(answer, "ok", data);
}

static void log_line(void *context, int64_t ts, int level, const char *message)
{
	char stamp[CLOCK_TEXT];
	cJSON *line = cJSON_CreateObject();

	clock_text(ts, stamp);
	cJSON_AddStringToObject(line, "ts", stamp);
	cJSON_AddStringToObject(line, "level", log_level_name((enum log_level)level));
	cJSON_AddStringToObject(line, "message", message);
	cJSON_AddItemToArray(context, line);
}

static void task_log(struct core *core, struct answer *answer)
{
	struct task *ended, *task = named_task(core, answer, &ended);
	cJSON *data;

	if (!task)
		return;
	data = cJSON_CreateObject();
	store_log_lines(core->store, task->number,
			(int)json_number(answer->command->body, "limit", 100), log_line,
			cJSON_AddArrayToObject(data, "lines"));
	answer_ok(answer, "ok", data);
	snprintf(answer->id, sizeof(answer->id), "%s", task->id);
	task_free(ended);
}

static void task_events(struct core *core, struct answer *answer)
{
	const cJSON *body = answer->command->body;
	int limit = (int)json_number(body, "limit", 200);
	int64_t seq = (int64_t)json_number(body, "since", 0);
	cJSON *data = cJSON_CreateObject();
	cJSON *events = cJSON_AddArrayToObject(data, "events");
	size_t bytes = 0;
	char *event = NULL;

	while ((event = store_event_from(core->store, seq + 1, &seq)) && limit-- > 0 &&
	       bytes < LIST_BYTES) {
		bytes += strlen(event);
		cJSON_AddItemToArray(events, cJSON_Parse(event));
		free(event);
	}
	cJSON_AddNumberToObject(data, "oldest", (double)store_event_oldest(core->store));
	/* Where to go on: the last one told; null when there is no more. */
	if (event)
		cJSON_AddNumberToObject(data, "next", (double)(seq - 1));
	else
		cJSON_AddNullToObject(data, "next");
	free(event);
	answer_ok(answer, "ok", data);
}

const struct verb task_verbs[] = {
	{"task/create", VERB_WRITES, CREATE_SCHEMA, task_create},
	{"task/pause", VERB_WRITES | VERB_TASK | VERB_FREES, ONLY_ID, task_pause},
	{"task/resume", VERB_WRITES | VERB_TASK, ONLY_ID, task_resume},
	{"task/cancel", VERB_WRITES | VERB_TASK | VERB_FREES, ONLY_ID, task_cancel},
	{"task/restart", VERB_WRITES | VERB_TASK,
	 "{\"type\":\"object\",\"additionalProperties\":false,"
	 "\"properties\":{\"from\":{\"enum\":[\"start\",\"checkpoint\"]}}}",
	 task_restart},
	{"task/delete", VERB_WRITES | VERB_TASK | VERB_FREES, ONLY_ID, task_delete},
	{"task/get", VERB_TASK, ONLY_ID, task_get},
	{"task/update", VERB_WRITES | VERB_TASK,
	 "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	 "\"priority\":{\"type\":\"integer\",\"minimum\":-10,\"maximum\":10},"
	 "\"labels\":{\"type\":\"object\",\"additionalProperties\":"
	 "{\"type\":\"string\",\"maxLength\":256}}}}",
	 task_update},
	{"task/list", VERB_BROADCAST,
	 "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	 "\"status\":{\"type\":\"array\",\"items\":{\"enum\":[\"pending\",\"running\",\"paused\","
	 "\"completed\",\"cancelled\",\"error\",\"interrupted\"]}},"
	 "\"type\":{\"type\":\"string\"},\"label\":{\"type\":\"string\",\"maxLength\":321},"
	 "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200},"
	 "\"next\":{\"type\":\"string\",\"pattern\":\"^[0-9]{1,18}$\"}}}",
	 task_list},
	{"task/log", VERB_TASK,
	 "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	 "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":500}}}",
	 task_log},
	{"task/events", 0,
	 "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	 "\"since\":{\"type\":\"integer\",\"minimum\":0},"
	 "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200}}}",
	 task_events},
	{.name = NULL},
};
