/* Opening the database, the turn's transaction, and single facts. */
#include "agent/store/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_VERSION 1

extern const char store_schema[]; /* schema.sql, by CMake */

/* Keeps the first failure until the commit. */
static void store_fail(struct store *store)
{
	bool full = sqlite3_errcode(store->db) == SQLITE_FULL;

	if (!store->failed.number)
		err_code(&store->failed, full ? -ENOSPC : -EIO,
			 full ? "storage_full" : "storage_error", "%s: %s", store->path,
			 sqlite3_errmsg(store->db));
}

/* The slot of key, empty at its first use. */
static struct prepared *store_prepared(struct store *store, const char *key)
{
	struct prepared *new = &store->prepared[store->prepared_count];

	assert(pthread_equal(store->owner, pthread_self()));
	for (size_t i = 0; i < store->prepared_count; i++)
		if (store->prepared[i].key == key)
			return &store->prepared[i];
	if (store->prepared_count == STATEMENTS_MAX)
		abort(); /* more statements than the store has in its source */
	store->prepared_count++;
	new->key = key;
	return new;
}

static void store_prepare(struct store *store, struct prepared *p, const char *sql)
{
	if (!sql || sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
				       &p->statement, NULL) != SQLITE_OK)
		store_fail(store);
}

sqlite3_stmt *store_statement(struct store *store, const char *sql)
{
	struct prepared *p = store_prepared(store, sql);

	if (!p->statement)
		store_prepare(store, p, sql);
	return p->statement;
}

sqlite3_stmt *store_statement_made(struct store *store, const char *key,
				   char *(*make)(const char *key))
{
	struct prepared *p = store_prepared(store, key);
	char *sql;

	if (p->statement)
		return p->statement;
	sql = make(key);
	store_prepare(store, p, sql);
	sqlite3_free(sql);
	return p->statement;
}

/* Runs a statement that returns no rows. */
static void store_run(struct store *store, sqlite3_stmt *statement)
{
	if (!statement)
		return;
	if (sqlite3_step(statement) != SQLITE_DONE)
		store_fail(store);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

/* Moves all that was committed into the database file and empties the write-ahead log.
 * Otherwise, after a power cut, its next frame would share a sector with the last commit,
 * and a second power cut could tear both. */
static int truncate_wal(struct store *store)
{
	return sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
					 NULL, NULL);
}

static void store_begin(struct store *store)
{
	if (store->wal_truncate_pending && truncate_wal(store) != SQLITE_OK) {
		store_fail(store);
		return;
	}
	store->wal_truncate_pending = false;
	store_run(store, store_statement(store, "BEGIN IMMEDIATE"));
}

void store_begin_write(struct store *store)
{
	if (store->dirty)
		return;
	store->dirty = true;
	store_begin(store);
}

sqlite3_stmt *store_write(struct store *store, const char *sql)
{
	store_begin_write(store);
	return store_statement(store, sql);
}

static void redo_add(struct store *store, char *sql)
{
	if (store->redo_count == store->redo_capacity) {
		size_t room = store->redo_capacity ? 2 * store->redo_capacity : 64;
		char **redo = realloc(store->redo, room * sizeof(*redo));

		if (!redo)
			abort(); /* see effects_add() */
		store->redo = redo;
		store->redo_capacity = room;
	}
	store->redo[store->redo_count++] = sql;
}

static void redo_clear(struct store *store)
{
	while (store->redo_count)
		sqlite3_free(store->redo[--store->redo_count]);
}

void store_apply(struct store *store, sqlite3_stmt *statement)
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

void store_bind_text(sqlite3_stmt *statement, int i, const char *text)
{
	if (statement)
		sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC);
}

void store_bind_number(sqlite3_stmt *statement, int i, int64_t value)
{
	if (statement)
		sqlite3_bind_int64(statement, i, value);
}

bool store_row(struct store *store, sqlite3_stmt *statement)
{
	int step = statement ? sqlite3_step(statement) : SQLITE_ERROR;

	if (step != SQLITE_ROW && step != SQLITE_DONE)
		store_fail(store);
	return step == SQLITE_ROW;
}

void store_done(sqlite3_stmt *statement)
{
	if (!statement)
		return;
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

const char *store_column(sqlite3_stmt *s, int i)
{
	return (const char *)sqlite3_column_text(s, i);
}

static void store_roll_back(struct store *store)
{
	/* A full disk may have rolled back by itself. */
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- open and close ---- */

/* The last error of SQLite: -EBUSY, -EBADMSG for a damaged file, else -EIO. */
static int store_error(const struct store *store, struct err *err)
{
	int code = sqlite3_errcode(store->db);

	if (code == SQLITE_BUSY)
		return err_code(err, -EBUSY, "storage_error",
				"%s is in use: another agent runs on this state folder",
				store->path);
	return err_code(
		err, code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? -EBADMSG : -EIO,
		"storage_error", "%s: %s", store->path, sqlite3_errmsg(store->db));
}

static int store_exec(struct store *store, const char *sql, struct err *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return store_error(store, err);
}

/* Reads the result of a pragma as text. */
static int store_pragma(struct store *store, const char *sql, char *answer, size_t size,
			struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int ret = 0;

	answer[0] = '\0';
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		goto fail;
	if (sqlite3_step(statement) == SQLITE_ROW)
		snprintf(answer, size, "%s",
			 (const char *)sqlite3_column_text(statement, 0));
	else if (sqlite3_errcode(store->db) != SQLITE_DONE)
		goto fail;
	goto out;
fail:
	ret = store_error(store, err);
out:
	sqlite3_finalize(statement);
	return ret;
}

static int store_make_tables(struct store *store, struct err *err)
{
	char *tasks = store_task_table();
	int ret;

	if (!tasks)
		return err_set(err, -ENOMEM, "out of memory");
	ret = store_exec(store, tasks, err);
	sqlite3_free(tasks);
	return ret < 0 ? ret : store_exec(store, store_schema, err);
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
		return err_code(
			err, -EINVAL, "storage_error",
			"%s was written by a newer agent (version %ld, this one knows %d)",
			store->path, version, STORE_VERSION);
	if (version == STORE_VERSION)
		return 0;

	ret = store_exec(store, "BEGIN EXCLUSIVE", err);
	if (ret == 0)
		ret = store_make_tables(store, err);
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
		ret = store_pragma(store, "PRAGMA journal_mode = WAL", answer,
				   sizeof(answer), err);
	if (ret == 0 && strcmp(answer, "wal") != 0)
		ret = err_code(err, -EIO, "storage_error",
			       "%s: no write-ahead log, but '%s'", store->path, answer);
	if (ret == 0)
		ret = store_exec(
			store,
			"PRAGMA synchronous = FULL; PRAGMA cache_size = -1024;"
			"PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 1000;"
			"PRAGMA trusted_schema = OFF",
			err);
	/* Takes the lock and keeps it, so that a second agent fails now and not at its
	 * first write. */
	if (ret == 0)
		ret = store_exec(store, "BEGIN EXCLUSIVE; COMMIT", err);
	if (ret == 0)
		ret = store_pragma(store, "PRAGMA quick_check(1)", answer, sizeof(answer),
				   err);
	if (ret == 0 && strcmp(answer, "ok") != 0)
		ret = err_code(err, -EBADMSG, "storage_error", "%s is damaged: %s",
			       store->path, answer);
	return ret;
}

/* A full disk may have no room for it; then it is done before the first write. */
static int store_truncate_wal(struct store *store, struct err *err)
{
	int code = truncate_wal(store);

	store->wal_truncate_pending = code == SQLITE_FULL;
	return code == SQLITE_OK || code == SQLITE_FULL ? 0 : store_error(store, err);
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
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				    SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK) {
		ret = store_error(store, err);
		goto fail;
	}
	/* Arguments may be secrets.  SQLite gives the files beside it the same mode. */
	if (chmod(path, 0600) < 0 && errno != ENOENT) {
		ret = err_code(err, -errno, "storage_error", "%s: %s", path,
			       strerror(errno));
		goto fail;
	}
	ret = store_prepare_file(store, err);
	if (ret == 0)
		ret = store_migrate(store, err);
	if (ret == 0)
		ret = store_truncate_wal(store, err);
	if (ret < 0)
		goto fail;

	*out = store;
	return 0;
fail:
	store_close(store);
	return ret;
}

/* Renames the database and the files beside it to the first free name. */
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

int store_open(struct store **out, const char *state_dir,
	       const struct disk_reserve *reserve, char damaged[STORE_PATH],
	       struct err *err)
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
	if (reserve && reserve->acquire) {
		(*out)->reserve = *reserve;
		(*out)->disk_low = !reserve->acquire(reserve->context);
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
	for (size_t i = 0; i < store->prepared_count; i++)
		sqlite3_finalize(store->prepared[i].statement);
	sqlite3_close(store->db);
	free(store);
}

/* ---- the disk reserve ---- */

static void store_release_reserve(struct store *store)
{
	if (!store->reserve.release)
		return;
	store->reserve.release(store->reserve.context);
	store->disk_low = true;
}

bool store_disk_low(const struct store *store)
{
	return store->disk_low;
}

bool store_recover(struct store *store)
{
	if (store->disk_low && !store->failed.number)
		store->disk_low = !store->reserve.acquire(store->reserve.context);
	return !store->disk_low;
}

/* ---- the commit ---- */

bool store_dirty(const struct store *store)
{
	return store->dirty;
}

static const char commit[] = "COMMIT";

/* Repeats the transaction from the SQL that was kept. */
static void store_redo(struct store *store)
{
	store->failed.number = 0;
	store_begin(store);
	for (size_t i = 0; i < store->redo_count && !store->failed.number; i++)
		if (sqlite3_exec(store->db, store->redo[i], NULL, NULL, NULL) !=
		    SQLITE_OK)
			store_fail(store);
	if (!store->failed.number)
		store_run(store, store_statement(store, commit));
	if (store->failed.number)
		store_roll_back(store);
}

int store_commit(struct store *store, struct err *err)
{
	bool again = store->failed.number != 0;

	if (!store->dirty)
		return 0;

	if (!again)
		store_run(store, store_statement(store, commit));
	if (store->failed.number) {
		store_roll_back(store);
		if (store->failed.number == -ENOSPC)
			store_release_reserve(store);
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

/* ---- single facts ---- */

static const char read_meta[] = "SELECT value FROM meta WHERE key = ?";
static const char write_meta[] = "INSERT OR REPLACE INTO meta VALUES (?, ?)";

int64_t store_number(struct store *store, const char *key, int64_t otherwise)
{
	sqlite3_stmt *statement = store_statement(store, read_meta);
	int64_t value = otherwise;

	store_bind_text(statement, 1, key);
	if (store_row(store, statement))
		value = sqlite3_column_int64(statement, 0);
	store_done(statement);
	return value;
}

void store_set_number(struct store *store, const char *key, int64_t value)
{
	sqlite3_stmt *statement = store_write(store, write_meta);

	store_bind_text(statement, 1, key);
	store_bind_number(statement, 2, value);
	store_apply(store, statement);
}

void store_text(struct store *store, const char *key, char *text, size_t size)
{
	sqlite3_stmt *statement = store_statement(store, read_meta);

	text[0] = '\0';
	store_bind_text(statement, 1, key);
	if (store_row(store, statement))
		snprintf(text, size, "%s",
			 (const char *)sqlite3_column_text(statement, 0));
	store_done(statement);
}

void store_set_text(struct store *store, const char *key, const char *value)
{
	sqlite3_stmt *statement = store_write(store, write_meta);

	store_bind_text(statement, 1, key);
	store_bind_text(statement, 2, value);
	store_apply(store, statement);
}
