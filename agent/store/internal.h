/* The inside of the store, for its own files only: store.c opens, commits and knows
 * single facts; store_task.c has the tasks and their logs; store_promise.c what is owed
 * to others: events, remembered replies, the outbox, acts. */
#ifndef AGENT_STORE_INTERNAL_H
#define AGENT_STORE_INTERNAL_H

#include "agent/store/store.h"

#include <pthread.h>

#include <sqlite3.h>

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

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	bool dirty;
	struct err failed; /* the first failure since the last commit */
	char **redo; /* what was written since the last commit, as SQL with its values */
	size_t redo_count, redo_room;
	bool low;	 /* the disk was full and the reserve is given up */
	pthread_t owner; /* only this thread may use the store */
	struct reserve reserve;
	char path[STORE_PATH];
	bool log_waits; /* to begin anew, for room on a full disk; nothing is written
			   before */
};

/* The statement, prepared and without bindings; NULL after a failure, which is kept. */
sqlite3_stmt *store_statement(struct store *store, enum statement which);

/* The same for one that writes: the first one of a turn begins its transaction. */
sqlite3_stmt *store_write(struct store *store, enum statement which);

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

#endif
