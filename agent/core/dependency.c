/* Tasks that come after others: what they wait for, and what its end means to them. */
#include "agent/core/lifecycle_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In a then chain: arguments that the schema requires and the sender left out come from
 * the predecessor's result by name, else from its arguments. */
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

/* ended has ended for good: decides it for everybody who waits for it, in its
 * transaction. */
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
			/* The list is another one now, and a chain may have fallen with
			 * it. */
			i = (size_t)-1;
			continue;
		}
		if (!strcmp(task->predecessor, ended->id))
			fill_args(task, ended);
		lifecycle_save(core, task);
	}
}

/* Is every task that this one comes after there, or known to have completed?  Sets the
 * bits of those that are not decided; false with the id that was never heard of. */
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

/* A bit that is open for a task that has ended already is a dependency that failed. */
bool dependency_check(struct core *core, struct task *task)
{
	for (size_t i = 0; i < task->after_count; i++) {
		struct task *ended;
		const struct task *other;

		if (!(task->after_open & (1u << i)))
			continue;
		other = core_find_task(core, task->after[i], &ended);
		if (other && task_live(other))
			continue;
		fail_dependent(core, task, task->after[i],
			       other ? task_status_name(other->status)
				     : "something else");
		task_free(ended);
		return false;
	}
	return true;
}
