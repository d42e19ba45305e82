/* The tasks and their logs in the database. */
#include "agent/store/internal.h"

#include <stdio.h>
#include <string.h>

#define LOG_BYTES (64 * 1024)
#define BITS_MAX 4

/* How a member of struct task is stored. */
enum column_kind {
	KEY,	  /* int64_t, the row's number */
	INTEGER,  /* int, int64_t, or an enum without negative values */
	UNSIGNED, /* uint32_t */
	REAL,	  /* double */
	TEXT,	  /* char array */
	UNIQUE,	  /* char array that no other row may have */
	OWNED,	  /* char *, by task_set_text() */
	NULLABLE, /* the same, may be NULL */
	AFTER,	  /* the ids of task->after, separated by spaces */
	BITS,	  /* bool members: bit i is bits[i] */
};

/* clang-format off */
static const char *const column_types[] = {
	[KEY] = "INTEGER PRIMARY KEY",
	[INTEGER] = "INTEGER NOT NULL",
	[UNSIGNED] = "INTEGER NOT NULL",
	[REAL] = "REAL NOT NULL",
	[TEXT] = "TEXT NOT NULL",
	[UNIQUE] = "TEXT NOT NULL UNIQUE",
	[OWNED] = "TEXT NOT NULL",
	[NULLABLE] = "TEXT",
	[AFTER] = "TEXT NOT NULL",
	[BITS] = "INTEGER NOT NULL",
};
/* clang-format on */

struct column {
	const char *name;
	enum column_kind kind;
	enum { FIXED, CHANGES } saved; /* does store_task_save() write it? */
	size_t offset, size;
	size_t bits[BITS_MAX]; /* offsets of the members; 0 ends them */
};

/* clang-format off */
#define MEMBER(member) .offset = offsetof(struct task, member), \
		       .size = sizeof(((struct task *)NULL)->member)
#define BIT(member) offsetof(struct task, member)

/* A row per column of the table "task": the table, the statements, their parameters and
 * what is read back are all made from it.  A new column is a row here and, for databases
 * that exist, a step of store_migrate(). */
static const struct column columns[] = {
	{"number",         KEY,      FIXED,   MEMBER(number)},
	{"id",             UNIQUE,   FIXED,   MEMBER(id)},
	{"type",           TEXT,     FIXED,   MEMBER(type_name)},
	{"category",       TEXT,     FIXED,   MEMBER(category)},
	{"flags",          BITS,     FIXED,   .bits = {BIT(is_exclusive), BIT(is_blocking), BIT(resumable),
					 BIT(resumes)}},
	{"args",           OWNED,    CHANGES, MEMBER(args)},
	{"labels",         OWNED,    CHANGES, MEMBER(labels)},
	{"after",          AFTER,    FIXED,   MEMBER(after)},
	{"predecessor",    TEXT,     FIXED,   MEMBER(predecessor)},
	{"retries",        INTEGER,  FIXED,   MEMBER(retries)},
	{"retry_delay_ms", INTEGER,  FIXED,   MEMBER(retry_delay_ms)},
	{"timeout_ms",     INTEGER,  FIXED,   MEMBER(timeout_ms)},
	{"boot",           TEXT,     FIXED,   MEMBER(boot)},
	{"created_at",     INTEGER,  FIXED,   MEMBER(created_at)},
	{"status",         INTEGER,  CHANGES, MEMBER(status)},
	{"stopping",       INTEGER,  CHANGES, MEMBER(stopping)},
	{"rev",            INTEGER,  CHANGES, MEMBER(rev)},
	{"solid_rev",      INTEGER,  CHANGES, MEMBER(durable_rev)},
	{"arrival",        INTEGER,  CHANGES, MEMBER(arrival)},
	{"priority",       INTEGER,  CHANGES, MEMBER(priority)},
	{"after_open",     UNSIGNED, CHANGES, MEMBER(after_open)},
	{"attempt",        INTEGER,  CHANGES, MEMBER(attempt)},
	{"retries_left",   INTEGER,  CHANGES, MEMBER(retries_left)},
	{"resumed",        INTEGER,  CHANGES, MEMBER(resumed)},
	{"crashes",        INTEGER,  CHANGES, MEMBER(crashes)},
	{"progress",       REAL,     CHANGES, MEMBER(current)},
	{"total",          REAL,     CHANGES, MEMBER(total)},
	{"message",        TEXT,     CHANGES, MEMBER(message)},
	{"checkpoint",     NULLABLE, CHANGES, MEMBER(checkpoint)},
	{"state",          BITS,     CHANGES, .bits = {BIT(has_effects), BIT(requeued)}},
	{"result",         NULLABLE, CHANGES, MEMBER(result)},
	{"error_code",     TEXT,     CHANGES, MEMBER(error_code)},
	{"error_message",  NULLABLE, CHANGES, MEMBER(error_message)},
	{"started_at",     INTEGER,  CHANGES, MEMBER(started_at)},
	{"completed_at",   INTEGER,  CHANGES, MEMBER(completed_at)},
	{"elapsed_ms",     INTEGER,  CHANGES, MEMBER(elapsed_ms)},
	{"attempt_ms",     INTEGER,  CHANGES, MEMBER(attempt_ms)},
	{"ended_age",      INTEGER,  CHANGES, MEMBER(ended_age)},
	{"photos",         INTEGER,  CHANGES, MEMBER(photos)},
};
/* clang-format on */
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* ---- the statements ---- */

char *store_task_table(void)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);

	sqlite3_str_appendall(sql, "CREATE TABLE task (");
	for (size_t i = 0; i < COLUMNS; i++)
		sqlite3_str_appendf(sql, "%s\n\t%s %s", i ? "," : "", columns[i].name,
				    column_types[columns[i].kind]);
	sqlite3_str_appendall(sql, "\n);\n");
	return sqlite3_str_finish(sql);
}

static void append_names(sqlite3_str *sql)
{
	for (size_t i = 0; i < COLUMNS; i++)
		sqlite3_str_appendf(sql, "%s%s", i ? ", " : "", columns[i].name);
}

/* Parameter ?n is that of columns[n - 1], in the update too. */
static char *make_insert(const char *insert)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);

	sqlite3_str_appendf(sql, "%s (", insert);
	append_names(sql);
	sqlite3_str_appendall(sql, ") VALUES (");
	for (size_t i = 0; i < COLUMNS; i++)
		sqlite3_str_appendf(sql, "%s?%d", i ? ", " : "", (int)i + 1);
	sqlite3_str_appendall(sql, ")");
	return sqlite3_str_finish(sql);
}

static char *make_update(const char *update)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);
	const char *separator = " ";

	sqlite3_str_appendall(sql, update);
	for (size_t i = 0; i < COLUMNS; i++) {
		if (columns[i].saved != CHANGES)
			continue;
		sqlite3_str_appendf(sql, "%s%s = ?%d", separator, columns[i].name,
				    (int)i + 1);
		separator = ", ";
	}
	sqlite3_str_appendall(sql, " WHERE number = ?1");
	return sqlite3_str_finish(sql);
}

static char *make_select(const char *where)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);

	sqlite3_str_appendall(sql, "SELECT ");
	append_names(sql);
	sqlite3_str_appendf(sql, " FROM task WHERE %s", where);
	return sqlite3_str_finish(sql);
}

/* ---- to the database ---- */

static int64_t get_integer(const struct column *column, const void *member)
{
	int32_t narrow;
	int64_t wide;

	if (column->size == sizeof(wide)) {
		memcpy(&wide, member, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, member, sizeof(narrow));
	return column->kind == UNSIGNED ? (int64_t)(uint32_t)narrow : narrow;
}

static int64_t get_bits(const struct column *column, const struct task *task)
{
	int64_t value = 0;

	for (size_t i = 0; i < BITS_MAX && column->bits[i]; i++)
		if (*(const bool *)((const char *)task + column->bits[i]))
			value |= INT64_C(1) << i;
	return value;
}

static void bind_after(sqlite3_stmt *s, int i, const struct task *task)
{
	char ids[TASK_AFTER_MAX * TASK_ID] = "";
	size_t used = 0;

	for (size_t n = 0; n < task->after_count; n++)
		used += (size_t)snprintf(ids + used, sizeof(ids) - used, "%s%s",
					 n ? " " : "", task->after[n]);
	sqlite3_bind_text(s, i, ids, -1, SQLITE_TRANSIENT);
}

static void bind_column(sqlite3_stmt *s, int i, const struct column *column,
			const struct task *task)
{
	const void *member = (const char *)task + column->offset;

	switch (column->kind) {
	case KEY:
	case INTEGER:
	case UNSIGNED:
		store_bind_number(s, i, get_integer(column, member));
		break;
	case REAL:
		sqlite3_bind_double(s, i, *(const double *)member);
		break;
	case TEXT:
	case UNIQUE:
		store_bind_text(s, i, member);
		break;
	case OWNED:
	case NULLABLE:
		store_bind_text(s, i, *(char *const *)member);
		break;
	case AFTER:
		bind_after(s, i, task);
		break;
	case BITS:
		store_bind_number(s, i, get_bits(column, task));
		break;
	}
}

static void write_task(struct store *store, sqlite3_stmt *s, const struct task *task,
		       bool fixed_too)
{
	for (size_t i = 0; s && i < COLUMNS; i++)
		if (fixed_too || columns[i].kind == KEY || columns[i].saved == CHANGES)
			bind_column(s, (int)i + 1, &columns[i], task);
	store_apply(store, s);
}

void store_task_insert(struct store *store, const struct task *task)
{
	store_begin_write(store);
	write_task(store, store_statement_made(store, "INSERT INTO task", make_insert),
		   task, true);
}

void store_task_save(struct store *store, const struct task *task)
{
	store_begin_write(store);
	write_task(store, store_statement_made(store, "UPDATE task SET", make_update),
		   task, false);
}

void store_task_delete(struct store *store, const struct task *task)
{
	sqlite3_stmt *statement = store_write(store, "DELETE FROM task WHERE number = ?");

	store_bind_number(statement, 1, task->number);
	store_apply(store, statement);
	statement = store_write(store, "DELETE FROM log WHERE task = ?");
	store_bind_number(statement, 1, task->number);
	store_apply(store, statement);
}

/* ---- from the database ---- */

static void set_integer(const struct column *column, void *member, int64_t value)
{
	int32_t narrow = (int32_t)value;

	if (column->size == sizeof(value))
		memcpy(member, &value, sizeof(value));
	else
		memcpy(member, &narrow, sizeof(narrow));
}

static void set_bits(const struct column *column, struct task *task, int64_t value)
{
	for (size_t i = 0; i < BITS_MAX && column->bits[i]; i++)
		*(bool *)((char *)task + column->bits[i]) = value >> i & 1;
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

static void read_column(sqlite3_stmt *s, int i, const struct column *column,
			struct task *task)
{
	void *member = (char *)task + column->offset;

	switch (column->kind) {
	case KEY:
	case INTEGER:
	case UNSIGNED:
		set_integer(column, member, sqlite3_column_int64(s, i));
		break;
	case REAL:
		*(double *)member = sqlite3_column_double(s, i);
		break;
	case TEXT:
	case UNIQUE:
		snprintf(member, column->size, "%s", store_column(s, i));
		break;
	case OWNED:
	case NULLABLE:
		task_set_text(member, store_column(s, i));
		break;
	case AFTER:
		read_after(task, store_column(s, i));
		break;
	case BITS:
		set_bits(column, task, sqlite3_column_int64(s, i));
		break;
	}
}

/* The first task that the statement finds, or NULL. */
static struct task *read_task(struct store *store, sqlite3_stmt *s)
{
	struct task *task = store_row(store, s) ? task_new() : NULL;

	for (size_t i = 0; task && i < COLUMNS; i++)
		read_column(s, (int)i, &columns[i], task);
	store_done(s);
	return task;
}

static sqlite3_stmt *select_task(struct store *store, const char *where)
{
	return store_statement_made(store, where, make_select);
}

struct task *store_task(struct store *store, const char *id)
{
	sqlite3_stmt *statement = select_task(store, "id = ?");

	store_bind_text(statement, 1, id);
	return read_task(store, statement);
}

struct task *store_task_after(struct store *store, int64_t after)
{
	sqlite3_stmt *statement =
		select_task(store, "number > ? ORDER BY number LIMIT 1");

	store_bind_number(statement, 1, after);
	return read_task(store, statement);
}

struct task *store_task_before(struct store *store, int64_t before)
{
	sqlite3_stmt *statement =
		select_task(store, "number < ? ORDER BY number DESC LIMIT 1");

	store_bind_number(statement, 1, before);
	return read_task(store, statement);
}

struct task *store_task_ended(struct store *store, int64_t ended_age, int64_t number)
{
	sqlite3_stmt *statement =
		select_task(store, "status >= 3 AND (ended_age, number) > (?1, ?2) "
				   "ORDER BY ended_age, number LIMIT 1");

	store_bind_number(statement, 1, ended_age);
	store_bind_number(statement, 2, number);
	return read_task(store, statement);
}

int64_t store_count_ended(struct store *store)
{
	sqlite3_stmt *statement =
		store_statement(store, "SELECT count(*) FROM task WHERE status >= 3");
	int64_t count = 0;

	if (store_row(store, statement))
		count = sqlite3_column_int64(statement, 0);
	store_done(statement);
	return count;
}

/* ---- logs ---- */

void store_log_add(struct store *store, int64_t task, int64_t ts, int level,
		   const char *message)
{
	sqlite3_stmt *statement = store_statement(
		store, "SELECT coalesce(sum(length(CAST(message AS BLOB))), 0) FROM log "
		       "WHERE task = ?");
	int64_t bytes = 0;

	store_bind_number(statement, 1, task);
	if (store_row(store, statement))
		bytes = sqlite3_column_int64(statement, 0);
	store_done(statement);
	if (bytes + (int64_t)strlen(message) > LOG_BYTES)
		return;

	statement = store_write(
		store,
		"INSERT INTO log VALUES (?1, 1 + coalesce((SELECT max(line) FROM log "
		"WHERE task = ?1), 0), ?2, ?3, ?4)");
	store_bind_number(statement, 1, task);
	store_bind_number(statement, 2, ts);
	store_bind_number(statement, 3, level);
	store_bind_text(statement, 4, message);
	store_apply(store, statement);
}

void store_log_each(struct store *store, int64_t task, int limit,
		    void (*line)(void *context, int64_t ts, int level,
				 const char *message),
		    void *context)
{
	sqlite3_stmt *statement = store_statement(
		store,
		"SELECT ts, level, message FROM (SELECT * FROM log WHERE task = ?1 "
		"ORDER BY line DESC LIMIT ?2) ORDER BY line");

	store_bind_number(statement, 1, task);
	store_bind_number(statement, 2, limit);
	while (store_row(store, statement))
		line(context, sqlite3_column_int64(statement, 0),
		     sqlite3_column_int(statement, 1), store_column(statement, 2));
	store_done(statement);
}
