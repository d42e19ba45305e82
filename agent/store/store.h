/* The database: one SQLite file that holds all that must survive a restart.
 *
 * For the loop's thread alone.  The first write of a turn begins a transaction, which the
 * later ones join.  Writes return nothing: the first failure is kept and returned by
 * store_commit(), because nothing is published before the commit.  Reads see the turn's
 * own writes. */
#ifndef AGENT_STORE_STORE_H
#define AGENT_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/model/task.h"
#include "agent/store/disk_reserve.h"

struct store;

#define STORE_PATH 4096

/* Opens or makes the database in state_dir.  A damaged one is moved aside, to the path
 * that damaged holds then ("" otherwise), and an empty one takes its place.  reserve may
 * be NULL.  Fails with a sentence when another agent uses the database, or when the
 * folder cannot be written. */
int store_open(struct store **out, const char *state_dir,
	       const struct disk_reserve *reserve, char damaged[STORE_PATH],
	       struct err *err);

/* Rolls back what was not committed; NULL is fine. */
void store_close(struct store *store);

/* Has this turn written anything? */
bool store_dirty(const struct store *store);

/* Ends the turn's transaction, which is on disk when this returns 0.
 *
 * -ENOSPC: the disk is full and releasing the reserve did not help.  Nothing is on disk,
 * but all writes are kept in memory, later ones join them, and the next call tries again.
 * Any other error: the database cannot be trusted any more and the process must exit. */
int store_commit(struct store *store, struct err *err);

/* How many writes wait for the commit; tells whether something has written. */
size_t store_writes(const struct store *store);

/* Was the disk full, and is the reserve beside the database released?  Then only what
 * must not be lost should be written. */
bool store_disk_low(const struct store *store);

/* Tries to acquire the reserve again; true when the disk is no longer low. */
bool store_recover(struct store *store);

int64_t store_size(const struct store *store); /* bytes of the database file */

/* ---- single facts ---- */

int64_t store_number(struct store *store, const char *key, int64_t otherwise);
void store_set_number(struct store *store, const char *key, int64_t value);

/* Copies the text of key, cut to size; "" when there is none. */
void store_text(struct store *store, const char *key, char *text, size_t size);
void store_set_text(struct store *store, const char *key, const char *value);

/* ---- tasks ---- */

void store_task_insert(struct store *store, const struct task *task);
void store_task_save(struct store *store, const struct task *task); /* what may change */
void store_task_delete(struct store *store, const struct task *task); /* and its log */

/* The task with this id, or NULL; the caller frees it.  Its type is not looked up. */
struct task *store_task(struct store *store, const char *id);

/* The task with the next number above after, or NULL; the caller frees it. */
struct task *store_task_after(struct store *store, int64_t after);

/* The task with the next number below before, or NULL; the caller frees it. */
struct task *store_task_before(struct store *store, int64_t before);

/* The ended task that follows (ended_age, number) in the order in which tasks ended, or
 * NULL; the caller frees it. */
struct task *store_task_ended(struct store *store, int64_t ended_age, int64_t number);
int64_t store_count_ended(struct store *store);

/* ---- a task's log ---- */

/* Does nothing once the task's log has 64 KiB. */
void store_log_add(struct store *store, int64_t task, int64_t ts, int level,
		   const char *message);

/* Calls line for the newest limit lines, oldest first. */
void store_log_each(struct store *store, int64_t task, int limit,
		    void (*line)(void *context, int64_t ts, int level,
				 const char *message),
		    void *context);

/* ---- events ---- */

/* Keeps the newest 50,000. */
void store_event_add(struct store *store, int64_t seq, const char *body);

/* The body of the first event with at least this number, which is put into *seq; NULL
 * when there is none.  The caller frees it. */
char *store_event_from(struct store *store, int64_t from, int64_t *seq);
int64_t store_event_oldest(struct store *store); /* 0 when there are no events */

/* ---- dedup records: what makes a repeated command a repetition ---- */

/* Its key is "i" and the id of what the command created, or "r" and its request. */
struct dedup_record {
	char hash[SHA256_HEX]; /* of the command */
	char *reply;	       /* the first one, without its data */
	char status[16];       /* the last one of the created task, or "" */
};

void store_dedup_add(struct store *store, const char *key, const char *hash,
		     const char *reply, const char *status, int64_t age);
void store_dedup_set_status(struct store *store, const char *key, const char *status);

/* Reads the record of key, which dedup_record_clear() frees; false when there is none. */
bool store_dedup_find(struct store *store, const char *key, struct dedup_record *record);
void dedup_record_clear(struct dedup_record *record);

/* Deletes records from before this age of the agent, and all but the newest 50,000. */
void store_dedup_trim(struct store *store, int64_t older_than_age);

/* ---- messages of the outbox ---- */

enum message_kind { MESSAGE_DOCUMENT, MESSAGE_CLEARING, MESSAGE_REPLY };

struct message_row {
	int64_t number;
	enum message_kind kind;
	const char *topic, *task, *payload;
	const void *correlation;
	size_t correlation_size;
	int64_t age;
	int packet;		  /* a reply: id of the message it answers, 0 for none */
	const char *message_hash; /* sha256 of that message */
};

void store_message_add(struct store *store, const struct message_row *row);
void store_message_delete(struct store *store, int64_t number);
void store_message_each(struct store *store,
			void (*each)(void *context, const struct message_row *row),
			void *context);

/* Forgets the packet ids of all replies: those of an earlier session mean nothing. */
void store_clear_packet_ids(struct store *store);

/* ---- direct commands in progress ---- */

struct pending_row {
	int64_t number;
	const char *verb, *topic, *request;
	const void *correlation;
	size_t correlation_size;
	int packet;		  /* id of the message that asked for it, 0 for none */
	const char *message_hash; /* sha256 of that message */
};

void store_pending_add(struct store *store, const struct pending_row *row);
void store_pending_delete(struct store *store, int64_t number);
void store_pending_clear(struct store *store);
void store_pending_each(struct store *store,
			void (*each)(void *context, const struct pending_row *row),
			void *context);

#endif
