#include "agent/store.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>


#define STORE_VERSION 1
#define EVENTS_KEPT 50000
#define MEMORY_KEPT 50000
#define LOG_BYTES (64 * 1024)

extern const char store_schema[]; /* schema.sql, by CMake */

/* Every statement of the store, prepared on its first use. */
enum statement {
	S_BEGIN,
	S_COMMIT,
	S_META,
	S_SET_META,
	S_TASK_INSERT,
	S_TASK_SAVE,
	S_TASK_DELETE,
	S_LOG_DELETE,
	S_TASK,
	S_TASK_AFTER,
	S_TASK_BEFORE,
	S_TASK_ENDED,
	S_TASK_COUNT,
	S_LOG,
	S_LOG_BYTES,
	S_LOG_LINES,
	S_EVENT,
	S_EVENT_TRIM,
	S_EVENT_FROM,
	S_EVENT_OLDEST,
	S_REMEMBER,
	S_RECALL,
	S_REMEMBER_STATUS,
	S_FORGET,
	S_FORGET_MOST,
	S_PROMISE,
	S_PROMISE_KEPT,
	S_PROMISES,
	S_NEW_SESSION,
	S_ACT,
	S_ACT_DONE,
	S_ACTS,
	S_ACTS_CLEAR,
	STATEMENTS,
};

#define TASK_COLUMNS                                                                               \
	"number, id, type, category, flags, args, labels, after, predecessor, retries, "           \
	"retry_delay_ms, timeout_ms, boot, created_at, status, stopping, rev, solid_rev, "         \
	"arrival, priority, after_open, attempt, retries_left, resumed, crashes, progress, "       \
	"total, message, checkpoint, state, result, error_code, error_message, started_at, "       \
	"completed_at, elapsed_ms, attempt_ms, ended_age, photos"

static const char *const statement_text[STATEMENTS] = {
	[S_BEGIN] = "BEGIN IMMEDIATE",
	[S_COMMIT] = "COMMIT",
	[S_META] = "SELECT value FROM meta WHERE key = ?",
	[S_SET_META] = "INSERT OR REPLACE INTO meta VALUES (?, ?)",
	[S_TASK_INSERT] = "INSERT INTO task (" TASK_COLUMNS ") VALUES "
			  "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
			  "?,?,?,?,?)",
	[S_TASK_SAVE] = "UPDATE task SET args=?6, status=?15, stopping=?16, rev=?17, solid_rev=?18, "
			"arrival=?19, priority=?20, after_open=?21, attempt=?22, "
			"retries_left=?23, resumed=?24, crashes=?25, progress=?26, total=?27, "
			"message=?28, checkpoint=?29, state=?30, result=?31, error_code=?32, "
			"error_message=?33, started_at=?34, completed_at=?35, elapsed_ms=?36, "
			"attempt_ms=?37, ended_age=?38, photos=?39, labels=?7 WHERE number=?1",
	[S_TASK_DELETE] = "DELETE FROM task WHERE number = ?",
	[S_LOG_DELETE] = "DELETE FROM log WHERE task = ?",
	[S_TASK] = "SELECT " TASK_COLUMNS " FROM task WHERE id = ?",
	[S_TASK_AFTER] = "SELECT " TASK_COLUMNS " FROM task WHERE number > ? ORDER BY number LIMIT 1",
	[S_TASK_BEFORE] = "SELECT " TASK_COLUMNS
			  " FROM task WHERE number < ? ORDER BY number DESC LIMIT 1",
	[S_TASK_ENDED] = "SELECT " TASK_COLUMNS " FROM task WHERE status >= 3 AND "
			 "(ended_age, number) > (?1, ?2) ORDER BY ended_age, number LIMIT 1",
	[S_TASK_COUNT] = "SELECT count(*) FROM task WHERE status >= 3",
	[S_LOG] = "INSERT INTO log VALUES (?1, 1 + coalesce((SELECT max(line) FROM log "
		  "WHERE task = ?1), 0), ?2, ?3, ?4)",
	[S_LOG_BYTES] = "SELECT coalesce(sum(length(CAST(message AS BLOB))), 0) FROM log WHERE task = ?",
	[S_LOG_LINES] = "SELECT ts, level, message FROM (SELECT * FROM log WHERE task = ?1 "
			"ORDER BY line DESC LIMIT ?2) ORDER BY line",
	[S_EVENT] = "INSERT INTO event VALUES (?, ?)",
	[S_EVENT_TRIM] = "DELETE FROM event WHERE seq <= ?",
	[S_EVENT_FROM] = "SELECT seq, body FROM event WHERE seq >= ? ORDER BY seq LIMIT 1",
	[S_EVENT_OLDEST] = "SELECT min(seq) FROM event",
	[S_REMEMBER] = "INSERT OR REPLACE INTO memory (key, hash, reply, status, age) "
		       "VALUES (?, ?, ?, ?, ?)",
	[S_RECALL] = "SELECT hash, reply, status FROM memory WHERE key = ?",
	[S_REMEMBER_STATUS] = "UPDATE memory SET status = ?2 WHERE key = ?1",
	[S_FORGET] = "DELETE FROM memory WHERE age < ?",
	[S_FORGET_MOST] = "DELETE FROM memory WHERE number <= (SELECT max(number) FROM memory) - ?",
	[S_PROMISE] = "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[S_PROMISE_KEPT] = "DELETE FROM outbox WHERE number = ?",
	[S_PROMISES] = "SELECT * FROM outbox ORDER BY number",
	[S_NEW_SESSION] = "UPDATE outbox SET packet = 0 WHERE packet",
	[S_ACT] = "INSERT INTO act VALUES (?, ?, ?, ?, ?, ?, ?)",
	[S_ACT_DONE] = "DELETE FROM act WHERE number = ?",
	[S_ACTS] = "SELECT * FROM act ORDER BY number",
	[S_ACTS_CLEAR] = "DELETE FROM act",
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	bool dirty;
	struct err failed; /* the first failure since the last commit */
	char **redo;       /* what was written since the last commit, as SQL with its values */
	size_t redo_count, redo_room;
	bool low;          /* the disk was full and the reserve is given up */
	pthread_t owner;   /* only this thread may use the store */
	struct reserve reserve;
	char path[STORE_PATH];
};

static void store_fail(struct store *store)
{
	bool full = sqlite3_errcode(store->db) == SQLITE_FULL;

	if (!store->failed.number)
		err_code(&store->failed, full ? -ENOSPC : -EIO,
			 full ? "storage_full" : "storage_error", "%s: %s", store->path,
			 sqlite3_errmsg(store->db));
}

static sqlite3_stmt *store_statement(struct store *store, enum statement which)
{
	sqlite3_stmt **slot = &store->statements[which];

	assert(pthread_equal(store->owner, pthread_self()));
	if (!*slot && sqlite3_prepare_v3(store->db, statement_text[which], -1,
					 SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK)
		store_fail(store);
	return *slot;
}

/* Runs a statement that answers nothing. */
static void store_run(struct store *store, sqlite3_stmt *statement)
{
	if (!statement)
		return;
	if (sqlite3_step(statement) != SQLITE_DONE)
		store_fail(store);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

/* A statement that writes: the first one of a turn begins its transaction. */
static sqlite3_stmt *store_write(struct store *store, enum statement which)
{
	if (!store->dirty) {
		store->dirty = true;
		store_run(store, store_statement(store, S_BEGIN));
	}
	return store_statement(store, which);
}

static void redo_add(struct store *store, char *sql)
{
	if (store->redo_count == store->redo_room) {
		size_t room = store->redo_room ? 2 * store->redo_room : 64;
		char **redo = realloc(store->redo, room * sizeof(*redo));

		if (!redo)
			abort(); /* see effects_add() */
		store->redo = redo;
		store->redo_room = room;
	}
	store->redo[store->redo_count++] = sql;
}

static void redo_clear(struct store *store)
{
	while (store->redo_count)
		sqlite3_free(store->redo[--store->redo_count]);
}

/* Carries a write out and keeps it until its commit: on a full disk SQLite takes back the
 * whole transaction, and it is made again when there is room. */
static void store_apply(struct store *store, sqlite3_stmt *statement)
{
	char *sql = statement ? sqlite3_expanded_sql(statement) : NULL;

	if (sql)
		redo_add(store, sql);
	if (store->failed.number && statement) {
		sqlite3_reset(statement);
		sqlite3_clear_bindings(statement);
		return;
	}
	store_run(store, statement);
}

static void bind_text(sqlite3_stmt *statement, int i, const char *text)
{
	if (statement)
		sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int i, int64_t value)
{
	if (statement)
		sqlite3_bind_int64(statement, i, value);
}

static bool store_row(struct store *store, sqlite3_stmt *statement)
{
	int step = statement ? sqlite3_step(statement) : SQLITE_ERROR;

	if (step != SQLITE_ROW && step != SQLITE_DONE)
		store_fail(store);
	return step == SQLITE_ROW;
}

static void store_done(sqlite3_stmt *statement)
{
	if (!statement)
		return;
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

static void store_roll_back(struct store *store)
{
	/* A full disk may have rolled back by itself. */
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- open and close ---- */

/* What SQLite said last: -EBUSY, -EBADMSG for a damaged file, -EIO. */
static int store_error(const struct store *store, struct err *err)
{
	int code = sqlite3_errcode(store->db);

	if (code == SQLITE_BUSY)
		return err_code(err, -EBUSY, "storage_error",
				"%s is in use: another agent runs on this state folder", store->path);
	return err_code(err, code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? -EBADMSG : -EIO,
			"storage_error", "%s: %s", store->path, sqlite3_errmsg(store->db));
}

static int store_exec(struct store *store, const char *sql, struct err *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return store_error(store, err);
}

/* The answer of a pragma, as text. */
static int store_pragma(struct store *store, const char *sql, char *answer, size_t size,
			struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int ret = 0;

	answer[0] = '\0';
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		goto fail;
	if (sqlite3_step(statement) == SQLITE_ROW)
		snprintf(answer, size, "%s", (const char *)sqlite3_column_text(statement, 0));
	else if (sqlite3_errcode(store->db) != SQLITE_DONE)
		goto fail;
	goto out;
fail:
	ret = store_error(store, err);
out:
	sqlite3_finalize(statement);
	return ret;
}

static int store_migrate(struct store *store, struct err *err)
{
	char answer[32], sql[64];
	int ret = store_pragma(store, "PRAGMA user_version", answer, sizeof(answer), err);
	long version;

	if (ret < 0)
		return ret;
	version = strtol(answer, NULL, 10);
	if (version > STORE_VERSION)
		return err_code(err, -EINVAL, "storage_error",
				"%s was written by a newer agent (version %ld, this one knows %d)",
				store->path, version, STORE_VERSION);
	if (version == STORE_VERSION)
		return 0;

	ret = store_exec(store, "BEGIN EXCLUSIVE", err);
	if (ret == 0)
		ret = store_exec(store, store_schema, err);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", STORE_VERSION);
	if (ret == 0)
		ret = store_exec(store, sql, err);
	if (ret == 0)
		ret = store_exec(store, "COMMIT", err);
	return ret;
}

static int store_prepare_file(struct store *store, struct err *err)
{
	char answer[64];
	int ret = store_exec(store, "PRAGMA locking_mode = EXCLUSIVE", err);

	if (ret == 0)
		ret = store_pragma(store, "PRAGMA journal_mode = WAL", answer, sizeof(answer), err);
	if (ret == 0 && strcmp(answer, "wal") != 0)
		ret = err_code(err, -EIO, "storage_error", "%s: no write-ahead log, but '%s'",
			       store->path, answer);
	if (ret == 0)
		ret = store_exec(store,
				 "PRAGMA synchronous = FULL; PRAGMA cache_size = -1024;"
				 "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 1000;"
				 "PRAGMA trusted_schema = OFF",
				 err);
	/* Takes the lock for good: a second agent is told now and not at its first write. */
	if (ret == 0)
		ret = store_exec(store, "BEGIN EXCLUSIVE; COMMIT", err);
	if (ret == 0)
		ret = store_pragma(store, "PRAGMA quick_check(1)", answer, sizeof(answer), err);
	if (ret == 0 && strcmp(answer, "ok") != 0)
		ret = err_code(err, -EBADMSG, "storage_error", "%s is damaged: %s", store->path,
			       answer);
	return ret;
}

static int store_try(struct store **out, const char *path, struct err *err)
{
	struct store *store = calloc(1, sizeof(*store));
	int ret;

	if (!store)
		return err_set(err, -ENOMEM, "out of memory");

	store->owner = pthread_self();
	snprintf(store->path, sizeof(store->path), "%s", path);
	if (sqlite3_open_v2(path, &store->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK) {
		ret = store_error(store, err);
		goto fail;
	}
	ret = store_prepare_file(store, err);
	if (ret == 0)
		ret = store_migrate(store, err);
	if (ret < 0)
		goto fail;

	*out = store;
	return 0;
fail:
	store_close(store);
	return ret;
}

/* The database and what belongs to it, under the first free name. */
static int store_move_aside(const char *path, char damaged[STORE_PATH], struct err *err)
{
	static const char *const parts[] = {"", "-wal", "-shm"};

	for (int n = 1;; n++) {
		snprintf(damaged, STORE_PATH, "%.4000s.damaged-%d", path, n);
		if (access(damaged, F_OK) < 0)
			break;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char from[STORE_PATH + 8], to[STORE_PATH + 8];

		snprintf(from, sizeof(from), "%s%s", path, parts[i]);
		snprintf(to, sizeof(to), "%s%s", damaged, parts[i]);
		if (rename(from, to) < 0 && errno != ENOENT)
			return err_code(err, -errno, "storage_error", "%s: %s", from,
					strerror(errno));
	}
	return 0;
}

int store_open(struct store **out, const char *state_dir, const struct reserve *reserve,
	       char damaged[STORE_PATH], struct err *err)
{
	char path[STORE_PATH];
	int ret;

	damaged[0] = '\0';
	snprintf(path, sizeof(path), "%.4000s/agent.sqlite", state_dir);
	ret = store_try(out, path, err);
	if (ret == -EBADMSG) {
		ret = store_move_aside(path, damaged, err);
		if (ret == 0)
			ret = store_try(out, path, err);
	}
	if (ret < 0)
		return ret;
	if (reserve && reserve->take) {
		(*out)->reserve = *reserve;
		(*out)->low = !reserve->take(reserve->context);
	}
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;

	store_roll_back(store);
	redo_clear(store);
	free(store->redo);
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close(store->db);
	free(store);
}

/* ---- the reserve ---- */

static void store_give_up_reserve(struct store *store)
{
	if (!store->reserve.give_up)
		return;
	store->reserve.give_up(store->reserve.context);
	store->low = true;
}

bool store_low(const struct store *store)
{
	return store->low;
}

bool store_recover(struct store *store)
{
	if (store->low && !store->failed.number)
		store->low = !store->reserve.take(store->reserve.context);
	return !store->low;
}

bool store_dirty(const struct store *store)
{
	return store->dirty;
}

/* Makes the transaction again from what was kept. */
static void store_redo(struct store *store)
{
	store->failed.number = 0;
	store_run(store, store_statement(store, S_BEGIN));
	for (size_t i = 0; i < store->redo_count && !store->failed.number; i++)
		if (sqlite3_exec(store->db, store->redo[i], NULL, NULL, NULL) != SQLITE_OK)
			store_fail(store);
	if (!store->failed.number)
		store_run(store, store_statement(store, S_COMMIT));
	if (store->failed.number)
		store_roll_back(store);
}

int store_commit(struct store *store, struct err *err)
{
	bool again = store->failed.number != 0;

	if (!store->dirty)
		return 0;

	if (!again)
		store_run(store, store_statement(store, S_COMMIT));
	if (store->failed.number) {
		store_roll_back(store);
		if (store->failed.number == -ENOSPC)
			store_give_up_reserve(store);
		if (store->failed.number == -ENOSPC)
			store_redo(store);
	}
	if (store->failed.number) {
		*err = store->failed;
		return store->failed.number;
	}
	redo_clear(store);
	store->dirty = false;
	return 0;
}

size_t store_writes(const struct store *store)
{
	return store->redo_count;
}

int64_t store_size(const struct store *store)
{
	struct stat st;

	return stat(store->path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* ---- meta ---- */

int64_t store_number(struct store *store, const char *key, int64_t otherwise)
{
	sqlite3_stmt *statement = store_statement(store, S_META);
	int64_t value = otherwise;

	bind_text(statement, 1, key);
	if (store_row(store, statement))
		value = sqlite3_column_int64(statement, 0);
	store_done(statement);
	return value;
}

void store_set_number(struct store *store, const char *key, int64_t value)
{
	sqlite3_stmt *statement = store_write(store, S_SET_META);

	bind_text(statement, 1, key);
	bind_number(statement, 2, value);
	store_apply(store, statement);
}

void store_text(struct store *store, const char *key, char *text, size_t size)
{
	sqlite3_stmt *statement = store_statement(store, S_META);

	text[0] = '\0';
	bind_text(statement, 1, key);
	if (store_row(store, statement))
		snprintf(text, size, "%s", (const char *)sqlite3_column_text(statement, 0));
	store_done(statement);
}

void store_set_text(struct store *store, const char *key, const char *value)
{
	sqlite3_stmt *statement = store_write(store, S_SET_META);

	bind_text(statement, 1, key);
	bind_text(statement, 2, value);
	store_apply(store, statement);
}

/* ---- tasks ---- */

enum { FLAG_EXCLUSIVE = 1, FLAG_BLOCKING = 2, FLAG_RESUMABLE = 4, FLAG_RESUMES = 8 };
enum { STATE_BEGAN = 1, STATE_AGAIN = 2 };

static void bind_what_changes(sqlite3_stmt *s, const struct task *task)
{
	bind_number(s, 1, task->number);
	bind_text(s, 6, task->args);
	bind_text(s, 7, task->labels);
	bind_number(s, 15, task->status);
	bind_number(s, 16, task->stopping);
	bind_number(s, 17, task->rev);
	bind_number(s, 18, task->solid_rev);
	bind_number(s, 19, task->arrival);
	bind_number(s, 20, task->priority);
	bind_number(s, 21, task->after_open);
	bind_number(s, 22, task->attempt);
	bind_number(s, 23, task->retries_left);
	bind_number(s, 24, task->resumed);
	bind_number(s, 25, task->crashes);
	if (s) {
		sqlite3_bind_double(s, 26, task->current);
		sqlite3_bind_double(s, 27, task->total);
	}
	bind_text(s, 28, task->message);
	bind_text(s, 29, task->checkpoint);
	bind_number(s, 30, (task->began ? STATE_BEGAN : 0) | (task->again ? STATE_AGAIN : 0));
	bind_text(s, 31, task->result);
	bind_text(s, 32, task->error_code);
	bind_text(s, 33, task->error_message);
	bind_number(s, 34, task->started_at);
	bind_number(s, 35, task->completed_at);
	bind_number(s, 36, task->elapsed_ms);
	bind_number(s, 37, task->attempt_ms);
	bind_number(s, 38, task->ended_age);
	bind_number(s, 39, task->photos);
}

void store_task_insert(struct store *store, const struct task *task)
{
	sqlite3_stmt *s = store_write(store, S_TASK_INSERT);
	char after[TASK_AFTER_MAX * TASK_ID];
	size_t used = 0;

	after[0] = '\0';
	for (size_t i = 0; i < task->after_count; i++)
		used += (size_t)snprintf(after + used, sizeof(after) - used, "%s%s", i ? " " : "",
					 task->after[i]);
	bind_what_changes(s, task);
	bind_text(s, 2, task->id);
	bind_text(s, 3, task->type_name);
	bind_text(s, 4, task->category);
	bind_number(s, 5,
		    (task->is_exclusive ? FLAG_EXCLUSIVE : 0) | (task->is_blocking ? FLAG_BLOCKING : 0) |
			    (task->resumable ? FLAG_RESUMABLE : 0) | (task->resumes ? FLAG_RESUMES : 0));
	bind_text(s, 8, after);
	bind_text(s, 9, task->predecessor);
	bind_number(s, 10, task->retries);
	bind_number(s, 11, task->retry_delay_ms);
	bind_number(s, 12, task->timeout_ms);
	bind_text(s, 13, task->boot);
	bind_number(s, 14, task->created_at);
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

	bind_number(statement, 1, task->number);
	store_apply(store, statement);
	statement = store_write(store, S_LOG_DELETE);
	bind_number(statement, 1, task->number);
	store_apply(store, statement);
}

static const char *column(sqlite3_stmt *s, int i)
{
	return (const char *)sqlite3_column_text(s, i);
}

static void read_after(struct task *task, const char *ids)
{
	while (*ids && task->after_count < TASK_AFTER_MAX) {
		size_t length = strcspn(ids, " ");

		snprintf(task->after[task->after_count++], TASK_ID, "%.*s", (int)length, ids);
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
	snprintf(task->id, sizeof(task->id), "%s", column(s, 1));
	snprintf(task->type_name, sizeof(task->type_name), "%s", column(s, 2));
	snprintf(task->category, sizeof(task->category), "%s", column(s, 3));
	flags = sqlite3_column_int(s, 4);
	task->is_exclusive = flags & FLAG_EXCLUSIVE;
	task->is_blocking = flags & FLAG_BLOCKING;
	task->resumable = flags & FLAG_RESUMABLE;
	task->resumes = flags & FLAG_RESUMES;
	task_set_text(&task->args, column(s, 5));
	task_set_text(&task->labels, column(s, 6));
	read_after(task, column(s, 7));
	snprintf(task->predecessor, sizeof(task->predecessor), "%s", column(s, 8));
	task->retries = sqlite3_column_int(s, 9);
	task->retry_delay_ms = sqlite3_column_int64(s, 10);
	task->timeout_ms = sqlite3_column_int64(s, 11);
	snprintf(task->boot, sizeof(task->boot), "%s", column(s, 12));
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
	snprintf(task->message, sizeof(task->message), "%s", column(s, 27));
	task_set_text(&task->checkpoint, column(s, 28));
	state = sqlite3_column_int(s, 29);
	task->began = state & STATE_BEGAN;
	task->again = state & STATE_AGAIN;
	task_set_text(&task->result, column(s, 30));
	task_set_error(task, column(s, 31), column(s, 32));
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

	bind_text(statement, 1, id);
	return store_read_task(store, statement);
}

struct task *store_task_after(struct store *store, int64_t after)
{
	sqlite3_stmt *statement = store_statement(store, S_TASK_AFTER);

	bind_number(statement, 1, after);
	return store_read_task(store, statement);
}

struct task *store_task_before(struct store *store, int64_t before)
{
	sqlite3_stmt *statement = store_statement(store, S_TASK_BEFORE);

	bind_number(statement, 1, before);
	return store_read_task(store, statement);
}

struct task *store_task_ended(struct store *store, int64_t ended_age, int64_t number)
{
	sqlite3_stmt *statement = store_statement(store, S_TASK_ENDED);

	bind_number(statement, 1, ended_age);
	bind_number(statement, 2, number);
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

/* ---- a task's log ---- */

void store_log(struct store *store, int64_t task, int64_t ts, int level, const char *message)
{
	sqlite3_stmt *statement = store_statement(store, S_LOG_BYTES);
	int64_t bytes = 0;

	bind_number(statement, 1, task);
	if (store_row(store, statement))
		bytes = sqlite3_column_int64(statement, 0);
	store_done(statement);
	if (bytes + (int64_t)strlen(message) > LOG_BYTES)
		return;

	statement = store_write(store, S_LOG);
	bind_number(statement, 1, task);
	bind_number(statement, 2, ts);
	bind_number(statement, 3, level);
	bind_text(statement, 4, message);
	store_apply(store, statement);
}

void store_log_lines(struct store *store, int64_t task, int limit,
		     void (*line)(void *context, int64_t ts, int level, const char *message),
		     void *context)
{
	sqlite3_stmt *statement = store_statement(store, S_LOG_LINES);

	bind_number(statement, 1, task);
	bind_number(statement, 2, limit);
	while (store_row(store, statement))
		line(context, sqlite3_column_int64(statement, 0), sqlite3_column_int(statement, 1),
		     column(statement, 2));
	store_done(statement);
}

/* ---- events ---- */

void store_event(struct store *store, int64_t seq, const char *body)
{
	sqlite3_stmt *statement = store_write(store, S_EVENT);

	bind_number(statement, 1, seq);
	bind_text(statement, 2, body);
	store_apply(store, statement);
	if (seq % 100 || seq <= EVENTS_KEPT)
		return;
	statement = store_write(store, S_EVENT_TRIM);
	bind_number(statement, 1, seq - EVENTS_KEPT);
	store_apply(store, statement);
}

char *store_event_from(struct store *store, int64_t from, int64_t *seq)
{
	sqlite3_stmt *statement = store_statement(store, S_EVENT_FROM);
	char *body = NULL;

	bind_number(statement, 1, from);
	if (store_row(store, statement)) {
		*seq = sqlite3_column_int64(statement, 0);
		body = strdup(column(statement, 1));
	}
	store_done(statement);
	return body;
}

int64_t store_event_oldest(struct store *store)
{
	sqlite3_stmt *statement = store_statement(store, S_EVENT_OLDEST);
	int64_t seq = 0;

	if (store_row(store, statement))
		seq = sqlite3_column_int64(statement, 0);
	store_done(statement);
	return seq;
}

/* ---- memory of commands ---- */

void store_remember(struct store *store, const char *key, const char *hash, const char *reply,
		    const char *status, int64_t age)
{
	sqlite3_stmt *statement = store_write(store, S_REMEMBER);

	bind_text(statement, 1, key);
	bind_text(statement, 2, hash);
	bind_text(statement, 3, reply);
	bind_text(statement, 4, status);
	bind_number(statement, 5, age);
	store_apply(store, statement);
}

bool store_recall(struct store *store, const char *key, struct memory *memory)
{
	sqlite3_stmt *statement = store_statement(store, S_RECALL);
	bool known;

	bind_text(statement, 1, key);
	known = store_row(store, statement);
	if (known) {
		snprintf(memory->hash, sizeof(memory->hash), "%s", column(statement, 0));
		memory->reply = strdup(column(statement, 1));
		snprintf(memory->status, sizeof(memory->status), "%s", column(statement, 2));
	}
	store_done(statement);
	return known;
}

void memory_clear(struct memory *memory)
{
	free(memory->reply);
	memory->reply = NULL;
}

void store_remember_status(struct store *store, const char *key, const char *status)
{
	sqlite3_stmt *statement = store_write(store, S_REMEMBER_STATUS);

	bind_text(statement, 1, key);
	bind_text(statement, 2, status);
	store_apply(store, statement);
}

void store_forget(struct store *store, int64_t older_than_age)
{
	sqlite3_stmt *statement = store_write(store, S_FORGET);

	bind_number(statement, 1, older_than_age);
	store_apply(store, statement);
	statement = store_write(store, S_FORGET_MOST);
	bind_number(statement, 1, MEMORY_KEPT);
	store_apply(store, statement);
}

/* ---- outbox ---- */

static void bind_blob(sqlite3_stmt *statement, int i, const void *bytes, size_t size)
{
	if (statement && bytes)
		sqlite3_bind_blob(statement, i, bytes, (int)size, SQLITE_STATIC);
}

void store_promise(struct store *store, const struct promise_row *row)
{
	sqlite3_stmt *statement = store_write(store, S_PROMISE);

	bind_number(statement, 1, row->number);
	bind_number(statement, 2, row->kind);
	bind_text(statement, 3, row->topic);
	bind_text(statement, 4, row->task);
	bind_text(statement, 5, row->payload);
	bind_blob(statement, 6, row->correlation, row->correlation_size);
	bind_number(statement, 7, row->age);
	bind_number(statement, 8, row->packet);
	bind_text(statement, 9, row->message);
	store_apply(store, statement);
}

void store_promise_kept(struct store *store, int64_t number)
{
	sqlite3_stmt *statement = store_write(store, S_PROMISE_KEPT);

	bind_number(statement, 1, number);
	store_apply(store, statement);
}

void store_promises(struct store *store, void (*each)(void *context, const struct promise_row *row),
		    void *context)
{
	sqlite3_stmt *s = store_statement(store, S_PROMISES);

	while (store_row(store, s)) {
		struct promise_row row = {
			.number = sqlite3_column_int64(s, 0),
			.kind = (enum promise)sqlite3_column_int(s, 1),
			.topic = column(s, 2),
			.task = column(s, 3),
			.payload = column(s, 4),
			.correlation = sqlite3_column_blob(s, 5),
			.correlation_size = (size_t)sqlite3_column_bytes(s, 5),
			.age = sqlite3_column_int64(s, 6),
			.packet = sqlite3_column_int(s, 7),
			.message = column(s, 8),
		};

		each(context, &row);
	}
	store_done(s);
}

void store_new_session(struct store *store)
{
	store_apply(store, store_write(store, S_NEW_SESSION));
}

/* ---- direct commands under way ---- */

void store_act(struct store *store, const struct act_row *row)
{
	sqlite3_stmt *statement = store_write(store, S_ACT);

	bind_number(statement, 1, row->number);
	bind_text(statement, 2, row->verb);
	bind_text(statement, 3, row->topic);
	bind_text(statement, 4, row->request);
	bind_blob(statement, 5, row->correlation, row->correlation_size);
	bind_number(statement, 6, row->packet);
	bind_text(statement, 7, row->message);
	store_apply(store, statement);
}

void store_act_done(struct store *store, int64_t number)
{
	sqlite3_stmt *statement = store_write(store, S_ACT_DONE);

	bind_number(statement, 1, number);
	store_apply(store, statement);
}

void store_acts(struct store *store, void (*each)(void *context, const struct act_row *row),
		void *context)
{
	sqlite3_stmt *s = store_statement(store, S_ACTS);

	while (store_row(store, s)) {
		struct act_row row = {
			.number = sqlite3_column_int64(s, 0),
			.verb = column(s, 1),
			.topic = column(s, 2),
			.request = column(s, 3),
			.correlation = sqlite3_column_blob(s, 4),
			.correlation_size = (size_t)sqlite3_column_bytes(s, 4),
			.packet = sqlite3_column_int(s, 5),
			.message = column(s, 6),
		};

		each(context, &row);
	}
	store_done(s);
}

void store_acts_clear(struct store *store)
{
	store_apply(store, store_write(store, S_ACTS_CLEAR));
}
