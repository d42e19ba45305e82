#include "tests/faults/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "tests/faults/command.h"

/* By their numbers in the database. */
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
	/* Doubled at each power of two. */
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * count : 1) * each);
	if (!array)
		abort();
	return array;
}

static void read_entry(struct ledger *ledger, const struct fault_run *run,
		       sqlite3_stmt *row)
{
	struct entry *entry;
	int status = sqlite3_column_int(row, 2);

	ledger->entries = grown(ledger->entries, ledger->count, sizeof(*entry));
	entry = &ledger->entries[ledger->count++];
	memset(entry, 0, sizeof(*entry));
	snprintf(entry->id, sizeof(entry->id), "%s", column(row, 0));
	snprintf(entry->type, sizeof(entry->type), "%s", column(row, 1));
	snprintf(entry->status, sizeof(entry->status), "%s",
		 status >= 0 && status < 7 ? statuses[status] : "unknown");
	entry->rev = sqlite3_column_int64(row, 3);
	entry->attempt = sqlite3_column_int(row, 4);
	snprintf(entry->code, sizeof(entry->code), "%s", column(row, 5));
	entry->message = strdup(column(row, 6));
	if (!entry->message)
		abort();
	entry->order = order_of_labels(run, column(row, 7));
}

static void read_happening(struct ledger *ledger, const struct fault_run *run,
			   sqlite3_stmt *row)
{
	struct happening *happening;
	cJSON *body = cJSON_Parse(column(row, 1));

	(void)run;
	ledger->happenings =
		grown(ledger->happenings, ledger->happening_count, sizeof(*happening));
	happening = &ledger->happenings[ledger->happening_count++];
	happening->seq = sqlite3_column_int64(row, 0);
	snprintf(happening->name, sizeof(happening->name), "%s", text_of(body, "event"));
	snprintf(happening->id, sizeof(happening->id), "%s", text_of(body, "id"));
	cJSON_Delete(body);
}

static void read_store(struct ledger *ledger, const struct fault_run *run,
		       sqlite3_stmt *row)
{
	(void)run;
	snprintf(ledger->store, sizeof(ledger->store), "%s", column(row, 0));
}

static void read_last_seq(struct ledger *ledger, const struct fault_run *run,
			  sqlite3_stmt *row)
{
	(void)run;
	ledger->last_seq = sqlite3_column_int64(row, 0);
}

static const struct {
	const char *sql;
	void (*row)(struct ledger *ledger, const struct fault_run *run,
		    sqlite3_stmt *row);
} readings[] = {
	{"SELECT id, type, status, rev, attempt, error_code, error_message, labels "
	 "FROM task ORDER BY number",
	 read_entry},
	{"SELECT seq, body FROM event ORDER BY seq", read_happening},
	{"SELECT value FROM meta WHERE key = 'store'", read_store},
	{"SELECT value FROM meta WHERE key = 'last_seq'", read_last_seq},
};

int ledger_read(struct ledger *ledger, struct fault_run *run)
{
	char path[PATH_MAX + 16];
	sqlite3 *db = NULL;
	sqlite3_stmt *row = NULL;
	int ret;

	memset(ledger, 0, sizeof(*ledger));
	snprintf(path, sizeof(path), "%s/agent.sqlite", run->device.state_dir);
	ret = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	for (size_t i = 0; ret == SQLITE_OK && i < sizeof(readings) / sizeof(*readings);
	     i++) {
		ret = sqlite3_prepare_v2(db, readings[i].sql, -1, &row, NULL);
		if (ret != SQLITE_OK)
			break;
		while (sqlite3_step(row) == SQLITE_ROW)
			readings[i].row(ledger, run, row);
		ret = sqlite3_finalize(row);
	}
	if (ret != SQLITE_OK)
		fault_run_violation(run, "the database cannot be read: %s",
				    sqlite3_errmsg(db));
	sqlite3_close(db);
	return ret == SQLITE_OK ? 0 : -1;
}

void ledger_free(struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->count; i++)
		free(ledger->entries[i].message);
	free(ledger->entries);
	free(ledger->happenings);
}

const struct entry *ledger_find(const struct ledger *ledger, const char *id)
{
	for (size_t i = 0; i < ledger->count; i++)
		if (strcmp(ledger->entries[i].id, id) == 0)
			return &ledger->entries[i];
	return NULL;
}

size_t ledger_of_order(const struct ledger *ledger, size_t order,
		       const struct entry **entry)
{
	size_t found = 0;

	for (size_t i = 0; i < ledger->count; i++) {
		if (ledger->entries[i].order != (int)order)
			continue;
		found++;
		if (entry)
			*entry = &ledger->entries[i];
	}
	return found;
}
