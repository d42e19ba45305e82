/* Dependencies between tasks: what a task comes after, and what that end means to it. */
#include "agent/core/lifecycle_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In a "then" chain, arguments that the schema requires and the sender left out are taken
 * by name from the predecessor's result, else from its arguments. */
static void fill_args(struct task *task, const struct task *from)
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

static void fail_dependent(struct core *core, struct task *task, const char *id,
			   const char *status)
{
	char text[256];

	snprintf(text, sizeof(text), "task '%s', which this one comes after, ended as %s",
		 id, status);
	outcome_fail(core, task, "dependency_failed", text);
}

void dependency_settle(struct core *core, const struct task *ended)
{
	struct scheduler *s = &core->scheduler;

	for (size_t i = 0; i < s->count; i++) {
		struct task *task = s->live[i];
		bool concerned = false;

		for (size_t k = 0; k < task->after_count; k++) {
			if (!(task->after_open & (1u << k)) ||
			    strcmp(task->after[k], ended->id) != 0)
				continue;
			task->after_open &= ~(1u << k);
			concerned = true;
		}
		if (!concerned)
			continue;
		if (ended->status != TASK_COMPLETED) {
			fail_dependent(core, task, ended->id,
				       task_status_name(ended->status));
			/* The list has changed, perhaps by a whole chain: start over. */
			i = (size_t)-1;
			continue;
		}
		if (!strcmp(task->predecessor, ended->id))
			fill_args(task, ended);
		lifecycle_save(core, task);
	}
}

bool dependency_resolve(struct core *core, struct task *task, const char **missing)
{
	bool all_known = true;

	task->after_open = 0;
	for (size_t i = 0; i < task->after_count; i++) {
		struct task *ended;
		const struct task *other = core_find_task(core, task->after[i], &ended);
		struct dedup_record record = {.reply = NULL};
		char key[TASK_ID + 1];
		bool known = other != NULL;
		bool open = other && other->status != TASK_COMPLETED;

		if (!other) {
			snprintf(key, sizeof(key), "i%s", task->after[i]);
			known = store_dedup_find(core->store, key, &record);
			open = known && strcmp(record.status, "completed") != 0;
			dedup_record_clear(&record);
		}
		if (open)
			task->after_open |= 1u << i;
		if (other && !open && !strcmp(task->predecessor, other->id))
			fill_args(task, other);
		task_free(ended);
		if (!known) {
			*missing = task->after[i];
			all_known = false;
		}
	}
	return all_known;
}

bool dependency_check(struct core *core, struct task *task)
{
	for (size_t i = 0; i < task->after_count; i++) {
		struct task *ended;
		const struct task *other;

		if (!(task->after_open & (1u << i)))
			continue;
		other = core_find_task(core, task->after[i], &ended);
		if (other && task_is_live(other))
			continue;
		fail_dependent(core, task, task->after[i],
			       other ? task_status_name(other->status)
				     : "something else");
		task_free(ended);
		return false;
	}
	return true;
}
