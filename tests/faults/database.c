/* Reads the tasks and events from agent.sqlite. */
#include "tests/faults/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "tests/faults/command.h"

/* Indexed by their numbers in the database. */
static const char *const statuses[] = {"pending",   "running", "paused",     "completed",
				       "cancelled", "error",   "interrupted"};

bool status_is_final(const char *status)
{
	for (size_t i = 3; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(statuses[i], status) == 0)
			return true;
	return false;
}

static const char *column(sqlite3_stmt *row, int i)
{
	const char *text = (const char *)sqlite3_column_text(row, i);

	return text ? text : "";
}

static void *grown(void *array, size_t count, size_t each)
{
	/* Doubles at each power of two. */
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * count : 1) * each);
	if (!array)
		abort();
	return array;
}

static void read_task(struct database *database, const struct fault_run *run,
		      sqlite3_stmt *row)
{
	struct task_row *task;
	int status = sqlite3_column_int(row, 2);

	database->tasks = grown(database->tasks, database->count, sizeof(*task));
	task = &database->tasks[database->count++];
	memset(task, 0, sizeof(*task));
	snprintf(task->id, sizeof(task->id), "%s", column(row, 0));
	snprintf(task->type, sizeof(task->type), "%s", column(row, 1));
	snprintf(task->status, sizeof(task->status), "%s",
		 status >= 0 && status < 7 ? statuses[status] : "unknown");
	task->rev = sqlite3_column_int64(row, 3);
	task->attempt = sqlite3_column_int(row, 4);
	snprintf(task->code, sizeof(task->code), "%s", column(row, 5));
	task->message = strdup(column(row, 6));
	if (!task->message)
		abort();
	task->command = command_of_labels(run, column(row, 7));
}

static void read_event(struct database *database, const struct fault_run *run,
		       sqlite3_stmt *row)
{
	struct event_row *event;
	cJSON *body = cJSON_Parse(column(row, 1));

	(void)run;
	database->events = grown(database->events, database->event_count, sizeof(*event));
	event = &database->events[database->event_count++];
	event->seq = sqlite3_column_int64(row, 0);
	snprintf(event->name, sizeof(event->name), "%s", text_of(body, "event"));
	snprintf(event->id, sizeof(event->id), "%s", text_of(body, "id"));
	cJSON_Delete(body);
}

static void read_store(struct database *database, const struct fault_run *run,
		       sqlite3_stmt *row)
{
	(void)run;
	snprintf(database->store, sizeof(database->store), "%s", column(row, 0));
}

static void read_last_seq(struct database *database, const struct fault_run *run,
			  sqlite3_stmt *row)
{
	(void)run;
	database->last_seq = sqlite3_column_int64(row, 0);
}

static const struct {
	const char *sql;
	void (*row)(struct database *database, const struct fault_run *run,
		    sqlite3_stmt *row);
} readings[] = {
	{"SELECT id, type, status, rev, attempt, error_code, error_message, labels "
	 "FROM task ORDER BY number",
	 read_task},
	{"SELECT seq, body FROM event ORDER BY seq", read_event},
	{"SELECT value FROM meta WHERE key = 'store'", read_store},
	{"SELECT value FROM meta WHERE key = 'last_seq'", read_last_seq},
};

int database_read(struct database *database, struct fault_run *run)
{
	char path[PATH_MAX + 16];
	sqlite3 *db = NULL;
	sqlite3_stmt *row = NULL;
	int ret;

	memset(database, 0, sizeof(*database));
	snprintf(path, sizeof(path), "%s/agent.sqlite", run->device.state_dir);
	ret = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	for (size_t i = 0; ret == SQLITE_OK && i < sizeof(readings) / sizeof(*readings);
	     i++) {
		ret = sqlite3_prepare_v2(db, readings[i].sql, -1, &row, NULL);
		if (ret != SQLITE_OK)
			break;
		while (sqlite3_step(row) == SQLITE_ROW)
			readings[i].row(database, run, row);
		ret = sqlite3_finalize(row);
	}
	if (ret != SQLITE_OK)
		fault_run_violation(run, "the database cannot be read: %s",
				    sqlite3_errmsg(db));
	sqlite3_close(db);
	return ret == SQLITE_OK ? 0 : -1;
}

void database_free(struct database *database)
{
	for (size_t i = 0; i < database->count; i++)
		free(database->tasks[i].message);
	free(database->tasks);
	free(database->events);
}

const struct task_row *database_find(const struct database *database, const char *id)
{
	for (size_t i = 0; i < database->count; i++)
		if (strcmp(database->tasks[i].id, id) == 0)
			return &database->tasks[i];
	return NULL;
}

size_t database_tasks_of(const struct database *database, size_t command,
			 const struct task_row **task)
{
	size_t found = 0;

	for (size_t i = 0; i < database->count; i++) {
		if (database->tasks[i].command != (int)command)
			continue;
		found++;
		if (task)
			*task = &database->tasks[i];
	}
	return found;
}
