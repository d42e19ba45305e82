/* What survives: one SQLite file, used by the loop's thread alone.
 *
 * Writes join the transaction of the turn, which the first of them begins.  They return
 * nothing: the first failure is kept and told by store_commit(), because until then
 * nothing has been promised to anybody.  Reads see the turn's own writes. */
#ifndef AGENT_STORE_STORE_H
#define AGENT_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/store/disk_reserve.h"
#include "agent/model/task.h"

struct store;

#define STORE_PATH 4096

/* Opens or makes the database in state_dir.  A damaged one is moved aside and named in
 * damaged
 * ("" otherwise), and an empty one takes its place.  reserve may be NULL.  Fails with a
 * sentence when another agent has it, or when the folder cannot be written. */
int store_open(struct store **out, const char *state_dir,
	       const struct disk_reserve *reserve, char damaged[STORE_PATH],
	       struct err *err);
void store_close(
	struct store *store); /* rolls back what was not committed; NULL is fine */

/* Has this turn written anything? */
bool store_dirty(const struct store *store);

/* Ends the turn's transaction: on disk when it returns 0.  -ENOSPC: the disk is full, the
 * reserve did not help, nothing is on disk; all that was written is kept in memory, later
 * writes join it, and the next call tries again.  Anything else: the database cannot be
 * trusted any more, the process must end. */
int store_commit(struct store *store, struct err *err);

/* How many writes wait for the commit: tells whether something wrote. */
size_t store_writes(const struct store *store);

/* The disk was full and the reserve beside the database is given up: only what must not
 * be lost should be written.  store_recover() tries to take it back; true when all is
 * well. */
bool store_disk_low(const struct store *store);
bool store_recover(struct store *store);

int64_t store_size(const struct store *store); /* bytes of the database file */

/* ---- meta ---- */
int64_t store_number(struct store *store, const char *key, int64_t otherwise);
void store_set_number(struct store *store, const char *key, int64_t value);
/* text of size size, "" when there is none */
void store_text(struct store *store, const char *key, char *text, size_t size);
void store_set_text(struct store *store, const char *key, const char *value);

/* ---- tasks ---- */
void store_task_insert(struct store *store, const struct task *task);
void store_task_save(struct store *store, const struct task *task); /* all that changes */
void store_task_delete(struct store *store, const struct task *task); /* and its log */

/* A task by id, or NULL; the caller frees it.  Its type is not looked up. */
struct task *store_task(struct store *store, const char *id);

/* The next task with a number above after (below, when newest first) in the order of
 * numbers, or NULL; the caller frees it. */
struct task *store_task_after(struct store *store, int64_t after);
struct task *store_task_before(struct store *store, int64_t before);

/* The ended task that comes next behind (ended_age, number), the longest ended first; the
 * caller frees it. */
struct task *store_task_ended(struct store *store, int64_t ended_age, int64_t number);
int64_t store_count_ended(struct store *store);

/* ---- a task's log ---- */
void store_log(struct store *store, int64_t task, int64_t ts, int level,
	       const char *message);
/* Calls line for the newest limit lines, oldest first. */
void store_log_lines(struct store *store, int64_t task, int limit,
		     void (*line)(void *context, int64_t ts, int level,
				  const char *message),
		     void *context);

/* ---- events ---- */
void store_event(struct store *store, int64_t seq, const char *body);
/* The body of the first event with at least this number, its number in *seq; NULL when
 * there is none.  The caller frees it. */
char *store_event_from(struct store *store, int64_t from, int64_t *seq);
int64_t store_event_oldest(struct store *store); /* 0 without any */

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

/* Reads the record of key; dedup_record_clear() it.  False when there is none. */
bool store_dedup_find(struct store *store, const char *key, struct dedup_record *record);
void dedup_record_clear(struct dedup_record *record);

/* Deletes the records from before this age of the agent, and all but the newest 50,000.
 */
void store_dedup_trim(struct store *store, int64_t older_than_age);

/* ---- outbox ---- */
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
void store_message_delete(struct store *store, int64_t number); /* takes the row away */
void store_message_each(struct store *store,
			void (*each)(void *context, const struct message_row *row),
			void *context);

void store_clear_packet_ids(struct store *store); /* packet ids begin anew */

/* ---- direct commands under way ---- */
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
