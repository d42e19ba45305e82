/* Internals of the store, shared by its files: store.c opens, commits and has the single
 * facts; tasks.c has the tasks and their logs; messages.c has events, dedup records, the
 * outbox and pending commands. */
#ifndef AGENT_STORE_INTERNAL_H
#define AGENT_STORE_INTERNAL_H

#include "agent/store/store.h"

#include <pthread.h>

#include <sqlite3.h>

#define STATEMENTS_MAX 48

/* A statement, prepared at its first use and kept until the store closes. */
struct prepared {
	const char *key; /* compared by its address */
	sqlite3_stmt *statement;
};

struct store {
	sqlite3 *db;
	char path[STORE_PATH];
	pthread_t owner; /* only this thread may use the store */
	struct prepared prepared[STATEMENTS_MAX];
	size_t prepared_count;

	/* the turn's transaction */
	bool dirty;
	struct err failed; /* the first failure since the last commit */
	char **redo; /* the writes since the last commit, as SQL with their values */
	size_t redo_count, redo_capacity;

	struct disk_reserve reserve;
	bool disk_low; /* the disk was full and the reserve is released */

	/* The disk had no room to truncate the write-ahead log at the start.  Nothing is
	 * written before it could be. */
	bool wal_truncate_pending;
};

/* The statement sql, ready for its bindings; NULL after a failure, which is kept.  The
 * prepared statement is found by the address of sql, so sql must be a constant. */
sqlite3_stmt *store_statement(struct store *store, const char *sql);

/* The same for SQL that make(key) composes at the first use of key, a constant too.  make
 * returns a text for sqlite3_free(), or NULL without memory. */
sqlite3_stmt *store_statement_made(struct store *store, const char *key,
				   char *(*make)(const char *key));

/* Begins the turn's transaction unless it has begun; to be called before the statement of
 * a write is taken. */
void store_begin_write(struct store *store);

/* store_begin_write(), then store_statement(). */
sqlite3_stmt *store_write(struct store *store, const char *sql);

/* Runs a write and keeps its SQL until the commit: on a full disk SQLite rolls back the
 * whole transaction, which is repeated when there is room again. */
void store_apply(struct store *store, sqlite3_stmt *statement);

/* Moves to the next row of a statement that reads; store_done() ends the statement. */
bool store_row(struct store *store, sqlite3_stmt *statement);
void store_done(sqlite3_stmt *statement);

/* The text of column i, counted from 0; valid until the next row. */
const char *store_column(sqlite3_stmt *statement, int i);

/* Bind parameter i, counted from 1.  The text must stay until the statement has run. */
void store_bind_text(sqlite3_stmt *statement, int i, const char *text);
void store_bind_number(sqlite3_stmt *statement, int i, int64_t value);

/* The SQL that makes the table of tasks, for sqlite3_free(); NULL without memory. */
char *store_task_table(void);

#endif
