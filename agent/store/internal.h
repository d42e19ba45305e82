/* The inside of the store, for its own files only: store.c opens, commits and knows
 * single facts; store_task.c has the tasks and their logs; store_promise.c what is owed
 * to others: events, remembered replies, the outbox, pending commands. */
#ifndef AGENT_STORE_INTERNAL_H
#define AGENT_STORE_INTERNAL_H

#include "agent/store/store.h"

#include <pthread.h>

#include <sqlite3.h>

#define STATEMENTS_MAX 48

/* A statement, prepared at its first use and kept until the store closes. */
struct prepared {
	const char *key; /* found by its address */
	sqlite3_stmt *statement;
};

struct store {
	sqlite3 *db;
	struct prepared prepared[STATEMENTS_MAX];
	size_t prepared_count;
	bool dirty;
	struct err failed; /* the first failure since the last commit */
	char **redo; /* what was written since the last commit, as SQL with its values */
	size_t redo_count, redo_capacity;
	bool disk_low;	 /* the disk was full and the reserve is given up */
	pthread_t owner; /* only this thread may use the store */
	struct disk_reserve reserve;
	char path[STORE_PATH];
	bool wal_truncate_pending; /* to begin anew, for room on a full disk; nothing is
			   written before */
};

/* The statement sql, ready for its bindings; NULL after a failure, which is kept.  It is
 * found again by the address of sql, which must be that of a constant. */
sqlite3_stmt *store_statement(struct store *store, const char *sql);

/* The same for SQL that make(key) writes at the first use of key, a constant too; NULL
 * without memory.  The store frees it with sqlite3_free(). */
sqlite3_stmt *store_statement_made(struct store *store, const char *key,
				   char *(*make)(const char *key));

/* To be called before a statement that writes: the first one of a turn begins its
 * transaction. */
void store_begin_write(struct store *store);

/* store_begin_write() and store_statement(). */
sqlite3_stmt *store_write(struct store *store, const char *sql);

/* Carries a write out and keeps it until its commit: on a full disk SQLite takes back the
 * whole transaction, and it is made again when there is room. */
void store_apply(struct store *store, sqlite3_stmt *statement);

/* The next row of a statement that reads; store_done() ends it. */
bool store_row(struct store *store, sqlite3_stmt *statement);
void store_done(sqlite3_stmt *statement);
const char *store_column(sqlite3_stmt *s, int i);

/* Bindings; the text must stay until the statement has run. */
void store_bind_text(sqlite3_stmt *statement, int i, const char *text);
void store_bind_number(sqlite3_stmt *statement, int i, int64_t value);

/* The SQL that makes the table of tasks, NULL without memory; sqlite3_free() it. */
char *store_task_table(void);

#endif
