#include "agent/store/internal.h"

#include <stdio.h>
#include <string.h>

#define LOG_BYTES (64 * 1024)

enum { FLAG_EXCLUSIVE = 1, FLAG_BLOCKING = 2, FLAG_RESUMABLE = 4, FLAG_RESUMES = 8 };
enum { STATE_BEGAN = 1, STATE_AGAIN = 2 };

static void bind_what_changes(sqlite3_stmt *s, const struct task *task)
{
	store_bind_number(s, 1, task->number);
	store_bind_text(s, 6, task->args);
	store_bind_text(s, 7, task->labels);
	store_bind_number(s, 15, task->status);
	store_bind_number(s, 16, task->stopping);
	store_bind_number(s, 17, task->rev);
	store_bind_number(s, 18, task->solid_rev);
	store_bind_number(s, 19, task->arrival);
	store_bind_number(s, 20, task->priority);
	store_bind_number(s, 21, task->after_open);
	store_bind_number(s, 22, task->attempt);
	store_bind_number(s, 23, task->retries_left);
	store_bind_number(s, 24, task->resumed);
	store_bind_number(s, 25, task->crashes);
	if (s) {
		sqlite3_bind_double(s, 26, task->current);
		sqlite3_bind_double(s, 27, task->total);
	}
	store_bind_text(s, 28, task->message);
	store_bind_text(s, 29, task->checkpoint);
	store_bind_number(
		s, 30, (task->began ? STATE_BEGAN : 0) | (task->again ? STATE_AGAIN : 0));
	store_bind_text(s, 31, task->result);
	store_bind_text(s, 32, task->error_code);
	store_bind_text(s, 33, task->error_message);
	store_bind_number(s, 34, task->started_at);
	store_bind_number(s, 35, task->completed_at);
	store_bind_number(s, 36, task->elapsed_ms);
	store_bind_number(s, 37, task->attempt_ms);
	store_bind_number(s, 38, task->ended_age);
	store_bind_number(s, 39, task->photos);
}

void store_task_insert(struct store *store, const struct task *task)
{
	sqlite3_stmt *s = store_write(store, S_TASK_INSERT);
	char after[TASK_AFTER_MAX * TASK_ID];
	size_t used = 0;

	after[0] = '\0';
	for (size_t i = 0; i < task->after_count; i++)
		used += (size_t)snprintf(after + used, sizeof(after) - used, "%s%s",
					 i ? " " : "", task->after[i]);
	bind_what_changes(s, task);
	store_bind_text(s, 2, task->id);
	store_bind_text(s, 3, task->type_name);
	store_bind_text(s, 4, task->category);
	store_bind_number(s, 5,
			  (task->is_exclusive ? FLAG_EXCLUSIVE : 0) |
				  (task->is_blocking ? FLAG_BLOCKING : 0) |
				  (task->resumable ? FLAG_RESUMABLE : 0) |
				  (task->resumes ? FLAG_RESUMES : 0));
	store_bind_text(s, 8, after);
	store_bind_text(s, 9, task->predecessor);
	store_bind_number(s, 10, task->retries);
	store_bind_number(s, 11, task->retry_delay_ms);
	store_bind_number(s, 12, task->timeout_ms);
	store_bind_text(s, 13, task->boot);
	store_bind_number(s, 14, task->created_at);
	store_apply(store, s);
}

void store_task_save(struct store *store, const struct task *task)
{
	sqlite3_stmt *statement = store_write(store, S_TASK_SAVE);

	bind_what_changes(statement, task);
	store_apply(store, statement);
}

void store_task_delete(struct store *store, const struct task *task)
{
	sqlite3_stmt *statement = store_write(store, S_TASK_DELETE);

	store_bind_number(statement, 1, task->number);
	store_apply(store, statement);
	statement = store_write(store, S_LOG_DELETE);
	store_bind_number(statement, 1, task->number);
	store_apply(store, statement);
}

static void read_after(struct task *task, const char *ids)
{
	while (*ids && task->after_count < TASK_AFTER_MAX) {
		size_t length = strcspn(ids, " ");

		snprintf(task->after[task->after_count++], TASK_ID, "%.*s", (int)length,
			 ids);
		ids += length + (ids[length] == ' ');
	}
}

static struct task *read_task(sqlite3_stmt *s)
{
	struct task *task = task_new();
	int flags, state;

	if (!task)
		return NULL;
	task->number = sqlite3_column_int64(s, 0);
	snprintf(task->id, sizeof(task->id), "%s", store_column(s, 1));
	snprintf(task->type_name, sizeof(task->type_name), "%s", store_column(s, 2));
	snprintf(task->category, sizeof(task->category), "%s", store_column(s, 3));
	flags = sqlite3_column_int(s, 4);
	task->is_exclusive = flags & FLAG_EXCLUSIVE;
	task->is_blocking = flags & FLAG_BLOCKING;
	task->resumable = flags & FLAG_RESUMABLE;
	task->resumes = flags & FLAG_RESUMES;
	task_set_text(&task->args, store_column(s, 5));
	task_set_text(&task->labels, store_column(s, 6));
	read_after(task, store_column(s, 7));
	snprintf(task->predecessor, sizeof(task->predecessor), "%s", store_column(s, 8));
	task->retries = sqlite3_column_int(s, 9);
	task->retry_delay_ms = sqlite3_column_int64(s, 10);
	task->timeout_ms = sqlite3_column_int64(s, 11);
	snprintf(task->boot, sizeof(task->boot), "%s", store_column(s, 12));
	task->created_at = sqlite3_column_int64(s, 13);
	task->status = (enum task_status)sqlite3_column_int(s, 14);
	task->stopping = (enum task_stopping)sqlite3_column_int(s, 15);
	task->rev = sqlite3_column_int64(s, 16);
	task->solid_rev = sqlite3_column_int64(s, 17);
	task->arrival = sqlite3_column_int64(s, 18);
	task->priority = sqlite3_column_int(s, 19);
	task->after_open = (uint32_t)sqlite3_column_int64(s, 20);
	task->attempt = sqlite3_column_int(s, 21);
	task->retries_left = sqlite3_column_int(s, 22);
	task->resumed = sqlite3_column_int(s, 23);
	task->crashes = sqlite3_column_int(s, 24);
	task->current = sqlite3_column_double(s, 25);
	task->total = sqlite3_column_double(s, 26);
	snprintf(task->message, sizeof(task->message), "%s", store_column(s, 27));
	task_set_text(&task->checkpoint, store_column(s, 28));
	state = sqlite3_column_int(s, 29);
	task->began = state & STATE_BEGAN;
	task->again = state & STATE_AGAIN;
	task_set_text(&task->result, store_column(s, 30));
	task_set_error(task, store_column(s, 31), store_column(s, 32));
	task->started_at = sqlite3_column_int64(s, 33);
	task->completed_at = sqlite3_column_int64(s, 34);
	task->elapsed_ms = sqlite3_column_int64(s, 35);
	task->attempt_ms = sqlite3_column_int64(s, 36);
	task->ended_age = sqlite3_column_int64(s, 37);
	task->photos = sqlite3_column_int(s, 38);
	return task;
}

/* The task a statement answers, its bindings made. */
static struct task *store_read_task(struct store *store, sqlite3_stmt *statement)
{
	struct task *task = store_row(store, statement) ? read_task(statement) : NULL;

	store_done(statement);
	return task;
}

struct task *store_task(struct store *store, const char *id)
{
	sqlite3_stmt *statement = store_statement(store, S_TASK);

	store_bind_text(statement, 1, id);
	return store_read_task(store, statement);
}

struct task *store_task_after(struct store *store, int64_t after)
{
	sqlite3_stmt *statement = store_statement(store, S_TASK_AFTER);

	store_bind_number(statement, 1, after);
	return store_read_task(store, statement);
}

struct task *store_task_before(struct store *store, int64_t before)
{
	sqlite3_stmt *statement = store_statement(store, S_TASK_BEFORE);

	store_bind_number(statement, 1, before);
	return store_read_task(store, statement);
}

struct task *store_task_ended(struct store *store, int64_t ended_age, int64_t number)
{
	sqlite3_stmt *statement = store_statement(store, S_TASK_ENDED);

	store_bind_number(statement, 1, ended_age);
	store_bind_number(statement, 2, number);
	return store_read_task(store, statement);
}

int64_t store_count_ended(struct store *store)
{
	sqlite3_stmt *statement = store_statement(store, S_TASK_COUNT);
	int64_t count = 0;

	if (store_row(store, statement))
		count = sqlite3_column_int64(statement, 0);
	store_done(statement);
	return count;
}

void store_log(struct store *store, int64_t task, int64_t ts, int level,
	       const char *message)
{
	sqlite3_stmt *statement = store_statement(store, S_LOG_BYTES);
	int64_t bytes = 0;

	store_bind_number(statement, 1, task);
	if (store_row(store, statement))
		bytes = sqlite3_column_int64(statement, 0);
	store_done(statement);
	if (bytes + (int64_t)strlen(message) > LOG_BYTES)
		return;

	statement = store_write(store, S_LOG);
	store_bind_number(statement, 1, task);
	store_bind_number(statement, 2, ts);
	store_bind_number(statement, 3, level);
	store_bind_text(statement, 4, message);
	store_apply(store, statement);
}

void store_log_lines(struct store *store, int64_t task, int limit,
		     void (*line)(void *context, int64_t ts, int level,
				  const char *message),
		     void *context)
{
	sqlite3_stmt *statement = store_statement(store, S_LOG_LINES);

	store_bind_number(statement, 1, task);
	store_bind_number(statement, 2, limit);
	while (store_row(store, statement))
		line(context, sqlite3_column_int64(statement, 0),
		     sqlite3_column_int(statement, 1), store_column(statement, 2));
	store_done(statement);
}
