/* Events, dedup records, the outbox and pending commands in the database. */
#include "agent/store/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_KEPT 50000
#define DEDUP_RECORDS_KEPT 50000

/* ---- events ---- */

void store_event_add(struct store *store, int64_t seq, const char *body)
{
	sqlite3_stmt *statement = store_write(store, "INSERT INTO event VALUES (?, ?)");

	store_bind_number(statement, 1, seq);
	store_bind_text(statement, 2, body);
	store_apply(store, statement);
	if (seq % 100 || seq <= EVENTS_KEPT)
		return;
	statement = store_write(store, "DELETE FROM event WHERE seq <= ?");
	store_bind_number(statement, 1, seq - EVENTS_KEPT);
	store_apply(store, statement);
}

char *store_event_from(struct store *store, int64_t from, int64_t *seq)
{
	sqlite3_stmt *statement = store_statement(
		store, "SELECT seq, body FROM event WHERE seq >= ? ORDER BY seq LIMIT 1");
	char *body = NULL;

	store_bind_number(statement, 1, from);
	if (store_row(store, statement)) {
		*seq = sqlite3_column_int64(statement, 0);
		body = strdup(store_column(statement, 1));
	}
	store_done(statement);
	return body;
}

int64_t store_event_oldest(struct store *store)
{
	sqlite3_stmt *statement = store_statement(store, "SELECT min(seq) FROM event");
	int64_t seq = 0;

	if (store_row(store, statement))
		seq = sqlite3_column_int64(statement, 0);
	store_done(statement);
	return seq;
}

/* ---- dedup records ---- */

void store_dedup_add(struct store *store, const char *key, const char *hash,
		     const char *reply, const char *status, int64_t age)
{
	sqlite3_stmt *statement = store_write(
		store, "INSERT OR REPLACE INTO memory (key, hash, reply, status, age) "
		       "VALUES (?, ?, ?, ?, ?)");

	store_bind_text(statement, 1, key);
	store_bind_text(statement, 2, hash);
	store_bind_text(statement, 3, reply);
	store_bind_text(statement, 4, status);
	store_bind_number(statement, 5, age);
	store_apply(store, statement);
}

bool store_dedup_find(struct store *store, const char *key, struct dedup_record *record)
{
	sqlite3_stmt *statement = store_statement(
		store, "SELECT hash, reply, status FROM memory WHERE key = ?");
	bool known;

	store_bind_text(statement, 1, key);
	known = store_row(store, statement);
	if (known) {
		snprintf(record->hash, sizeof(record->hash), "%s",
			 store_column(statement, 0));
		record->reply = strdup(store_column(statement, 1));
		snprintf(record->status, sizeof(record->status), "%s",
			 store_column(statement, 2));
	}
	store_done(statement);
	return known;
}

void dedup_record_clear(struct dedup_record *record)
{
	free(record->reply);
	record->reply = NULL;
}

void store_dedup_set_status(struct store *store, const char *key, const char *status)
{
	sqlite3_stmt *statement =
		store_write(store, "UPDATE memory SET status = ?2 WHERE key = ?1");

	store_bind_text(statement, 1, key);
	store_bind_text(statement, 2, status);
	store_apply(store, statement);
}

void store_dedup_trim(struct store *store, int64_t older_than_age)
{
	sqlite3_stmt *statement = store_write(store, "DELETE FROM memory WHERE age < ?");

	store_bind_number(statement, 1, older_than_age);
	store_apply(store, statement);
	statement = store_write(
		store,
		"DELETE FROM memory WHERE number <= (SELECT max(number) FROM memory) - ?");
	store_bind_number(statement, 1, DEDUP_RECORDS_KEPT);
	store_apply(store, statement);
}

/* ---- the outbox ---- */

static void bind_blob(sqlite3_stmt *statement, int i, const void *bytes, size_t size)
{
	if (statement && bytes)
		sqlite3_bind_blob(statement, i, bytes, (int)size, SQLITE_STATIC);
}

void store_message_add(struct store *store, const struct message_row *row)
{
	sqlite3_stmt *statement = store_write(
		store,
		"INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

	store_bind_number(statement, 1, row->number);
	store_bind_number(statement, 2, row->kind);
	store_bind_text(statement, 3, row->topic);
	store_bind_text(statement, 4, row->task);
	store_bind_text(statement, 5, row->payload);
	bind_blob(statement, 6, row->correlation, row->correlation_size);
	store_bind_number(statement, 7, row->age);
	store_bind_number(statement, 8, row->packet);
	store_bind_text(statement, 9, row->message_hash);
	store_apply(store, statement);
}

void store_message_delete(struct store *store, int64_t number)
{
	sqlite3_stmt *statement =
		store_write(store, "DELETE FROM outbox WHERE number = ?");

	store_bind_number(statement, 1, number);
	store_apply(store, statement);
}

void store_message_each(struct store *store,
			void (*each)(void *context, const struct message_row *row),
			void *context)
{
	sqlite3_stmt *s = store_statement(store, "SELECT * FROM outbox ORDER BY number");

	while (store_row(store, s)) {
		struct message_row row = {
			.number = sqlite3_column_int64(s, 0),
			.kind = (enum message_kind)sqlite3_column_int(s, 1),
			.topic = store_column(s, 2),
			.task = store_column(s, 3),
			.payload = store_column(s, 4),
			.correlation = sqlite3_column_blob(s, 5),
			.correlation_size = (size_t)sqlite3_column_bytes(s, 5),
			.age = sqlite3_column_int64(s, 6),
			.packet = sqlite3_column_int(s, 7),
			.message_hash = store_column(s, 8),
		};

		each(context, &row);
	}
	store_done(s);
}

void store_clear_packet_ids(struct store *store)
{
	store_apply(store,
		    store_write(store, "UPDATE outbox SET packet = 0 WHERE packet"));
}

/* ---- pending commands ---- */

void store_pending_add(struct store *store, const struct pending_row *row)
{
	sqlite3_stmt *statement =
		store_write(store, "INSERT INTO act VALUES (?, ?, ?, ?, ?, ?, ?)");

	store_bind_number(statement, 1, row->number);
	store_bind_text(statement, 2, row->verb);
	store_bind_text(statement, 3, row->topic);
	store_bind_text(statement, 4, row->request);
	bind_blob(statement, 5, row->correlation, row->correlation_size);
	store_bind_number(statement, 6, row->packet);
	store_bind_text(statement, 7, row->message_hash);
	store_apply(store, statement);
}

void store_pending_delete(struct store *store, int64_t number)
{
	sqlite3_stmt *statement = store_write(store, "DELETE FROM act WHERE number = ?");

	store_bind_number(statement, 1, number);
	store_apply(store, statement);
}

void store_pending_each(struct store *store,
			void (*each)(void *context, const struct pending_row *row),
			void *context)
{
	sqlite3_stmt *s = store_statement(store, "SELECT * FROM act ORDER BY number");

	while (store_row(store, s)) {
		struct pending_row row = {
			.number = sqlite3_column_int64(s, 0),
			.verb = store_column(s, 1),
			.topic = store_column(s, 2),
			.request = store_column(s, 3),
			.correlation = sqlite3_column_blob(s, 4),
			.correlation_size = (size_t)sqlite3_column_bytes(s, 4),
			.packet = sqlite3_column_int(s, 5),
			.message_hash = store_column(s, 6),
		};

		each(context, &row);
	}
	store_done(s);
}

void store_pending_clear(struct store *store)
{
	store_apply(store, store_write(store, "DELETE FROM act"));
}
