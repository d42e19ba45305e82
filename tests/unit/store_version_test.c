/* Tests that a database of an earlier agent is opened with all its contents.
 *
 * golden/agent-N.sql makes one of user_version N.  These files never change; a change
 * that raises the version adds the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "agent/store/store.h"

#define FIXTURE "tests/unit/golden/agent-%d.sql"

struct fixture {
	struct store *store;
	char folder[64], damaged[STORE_PATH];
};

static void open_store(struct fixture *f)
{
	struct err err;

	if (store_open(&f->store, f->folder, NULL, f->damaged, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(f->damaged, "");
}

static void close_store(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

static void commit(struct fixture *f)
{
	struct err err;

	if (store_commit(f->store, &err) < 0)
		fail_msg("%s", err.text);
}

/* Opens the database directly; no store may have it open. */
static sqlite3 *open_database(const struct fixture *f)
{
	char path[128];
	sqlite3 *db;

	assert_null(f->store);
	snprintf(path, sizeof(path), "%s/agent.sqlite", f->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static char *read_sql(int version)
{
	char path[64], *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof(path), FIXTURE, version);
	file = fopen(path, "r");
	assert_non_null(text);
	assert_non_null(file);
	assert_true(fread(text, 1, 65535, file) > 0);
	assert_true(feof(file));
	fclose(file);
	return text;
}

static void remove_database(const struct fixture *f)
{
	DIR *dir = opendir(f->folder);

	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		char path[400];

		snprintf(path, sizeof(path), "%s/%s", f->folder, entry->d_name);
		unlink(path);
	}
	closedir(dir);
}

static void make_database(struct fixture *f, int version)
{
	char *sql = read_sql(version), *why = NULL;
	sqlite3 *db;

	close_store(f);
	remove_database(f);
	db = open_database(f);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("version %d: %s", version, why);
	sqlite3_close(db);
	free(sql);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "%s/store_version_test.XXXXXX",
		 tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	open_store(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close_store(f);
	remove_database(f);
	rmdir(f->folder);
	free(f);
	return 0;
}

/* The result of sql as text, one line per row. */
static char *rows(sqlite3 *db, const char *sql)
{
	sqlite3_str *text = sqlite3_str_new(db);
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	while (sqlite3_step(s) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(s); i++)
			sqlite3_str_appendf(text, "%s|", sqlite3_column_text(s, i));
		sqlite3_str_appendchar(text, 1, '\n');
	}
	sqlite3_finalize(s);
	return sqlite3_str_finish(text);
}

/* The user_version of a database that was just made. */
static int newest(struct fixture *f)
{
	sqlite3 *db;
	char *text;
	int version;

	close_store(f);
	remove_database(f);
	open_store(f);
	close_store(f);
	db = open_database(f);
	text = rows(db, "PRAGMA user_version");
	version = (int)strtol(text, NULL, 10);
	sqlite3_free(text);
	sqlite3_close(db);
	assert_true(version >= 1);
	return version;
}

/* Opens a database of every version and calls check with it. */
static void for_each_version(struct fixture *f, void (*check)(struct store *store))
{
	int last = newest(f);

	for (int version = 1; version <= last; version++) {
		make_database(f, version);
		open_store(f);
		check(f->store);
	}
}

static void a_database_of_every_version_is_kept_for_this_test(void **state)
{
	struct fixture *f = *state;
	int last = newest(f);
	char path[64];

	for (int version = 1; version <= last; version++) {
		snprintf(path, sizeof(path), FIXTURE, version);
		assert_int_equal(access(path, R_OK), 0);
	}
}

/* Describes the columns of all tables, and the indexes. */
static char *layout(struct fixture *f)
{
	sqlite3 *db;
	char *columns, *indexes, *both;

	close_store(f);
	db = open_database(f);
	columns = rows(db, "SELECT t.name, t.wr, c.cid, c.name, c.type, c.\"notnull\", "
			   "c.pk FROM pragma_table_list t, pragma_table_info(t.name) c "
			   "WHERE t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid");
	indexes = rows(db, "SELECT name, tbl_name, sql FROM sqlite_master "
			   "WHERE type = 'index' ORDER BY name");
	both = sqlite3_mprintf("%s%s", columns, indexes);
	sqlite3_free(columns);
	sqlite3_free(indexes);
	sqlite3_close(db);
	return both;
}

static void an_old_database_gets_the_columns_of_a_new_one(void **state)
{
	struct fixture *f = *state;
	int last = newest(f);
	char *new_one = layout(f);

	assert_non_null(strstr(new_one, "task|0|38|photos|INTEGER|1|0|\n"));
	assert_non_null(strstr(new_one, "task_ended|task|CREATE INDEX"));
	for (int version = 1; version <= last; version++) {
		char *old_one;

		make_database(f, version);
		open_store(f);
		old_one = layout(f);
		assert_string_equal(old_one, new_one);
		sqlite3_free(old_one);
	}
	sqlite3_free(new_one);
}

/* Every column once; long because the table is wide. */
/* NOLINTNEXTLINE(readability-function-size) */
static void check_finished_task(struct store *store)
{
	struct task *task = store_task(store, "cup-1");

	assert_non_null(task);
	assert_int_equal(task->number, 1);
	assert_string_equal(task->id, "cup-1");
	assert_string_equal(task->type_name, "scan_task");
	assert_string_equal(task->category, "core");
	assert_true(task->is_exclusive && task->resumable);
	assert_false(task->is_blocking || task->resumes);
	assert_string_equal(task->args, "{\"project\":\"cup\",\"photos\":40}");
	assert_string_equal(task->labels, "{\"shelf\":\"b\"}");
	assert_int_equal(task->after_count, 2);
	assert_string_equal(task->after[0], "warm-up");
	assert_string_equal(task->after[1], "cool");
	assert_string_equal(task->predecessor, "warm-up");
	assert_int_equal(task->retries, 3);
	assert_int_equal(task->retry_delay_ms, 1500);
	assert_int_equal(task->timeout_ms, 60000);
	assert_string_equal(task->boot, "0123456789abcdef");
	assert_int_equal(task->created_at, 1760000000123);
	assert_int_equal(task->status, TASK_ERROR);
	assert_int_equal(task->stopping, STOPPING_NOT);
	assert_int_equal(task->rev, 17);
	assert_int_equal(task->durable_rev, 16);
	assert_int_equal(task->arrival, 12);
	assert_int_equal(task->priority, -3);
	assert_int_equal(task->after_open, 0x80000002u);
	assert_int_equal(task->attempt, 2);
	assert_int_equal(task->retries_left, 1);
	assert_int_equal(task->resumed, 4);
	assert_int_equal(task->crashes, 2);
	assert_true(task->current == 7.25 && task->total == 40);
	assert_string_equal(task->message, "photo 7 of 40 – grüße");
	assert_string_equal(task->checkpoint, "{\"at\":7}");
	assert_true(task->has_effects && task->requeued);
	assert_string_equal(task->result, "{\"photos\":7}");
	assert_string_equal(task->error_code, "hardware_fault");
	assert_string_equal(task->error_message, "the camera does not answer");
	assert_int_equal(task->started_at, 1760000001000);
	assert_int_equal(task->completed_at, 1760000002000);
	assert_int_equal(task->elapsed_ms, 1300);
	assert_int_equal(task->attempt_ms, 400);
	assert_int_equal(task->ended_age, 7200000);
	assert_int_equal(task->photos, 7);
	task_free(task);
}

static void check_live_tasks(struct store *store)
{
	struct task *paused = store_task(store, "cup-2");
	struct task *pending = store_task(store, "cup-3");

	assert_non_null(paused);
	assert_int_equal(paused->status, TASK_PAUSED);
	assert_true(paused->resumable && paused->resumes && !paused->is_exclusive);
	assert_true(paused->has_effects && !paused->requeued);
	assert_string_equal(paused->checkpoint, "{\"n\":1}");
	assert_null(paused->result);
	assert_string_equal(paused->error_code, "");
	assert_null(paused->error_message);
	assert_int_equal(paused->photos, -1);

	assert_non_null(pending);
	assert_int_equal(pending->status, TASK_PENDING);
	assert_true(pending->is_blocking && !pending->resumable);
	assert_int_equal(pending->after_count, 1);
	assert_string_equal(pending->after[0], "cup-2");
	assert_int_equal(pending->after_open, 1);
	assert_int_equal(pending->priority, 9);
	assert_null(pending->checkpoint);
	task_free(paused);
	task_free(pending);
}

static void check_tasks(struct store *store)
{
	struct task *ended;

	check_finished_task(store);
	check_live_tasks(store);
	assert_int_equal(store_count_ended(store), 1);
	ended = store_task_ended(store, -1, 0);
	assert_non_null(ended);
	assert_string_equal(ended->id, "cup-1");
	task_free(ended);
}

static void tasks_of_an_old_database_are_as_they_were(void **state)
{
	for_each_version(*state, check_tasks);
}

static void see_line(void *context, int64_t ts, int level, const char *message)
{
	char *text = context;

	sprintf(text + strlen(text), "%lld:%d:%s ", (long long)ts, level, message);
}

static void check_logs_and_events(struct store *store)
{
	char text[200] = "", *body;
	int64_t seq = 0;

	store_log_each(store, 1, 10, see_line, text);
	assert_string_equal(text, "1760000001100:1:started "
				  "1760000001200:3:the camera is slow ");
	assert_int_equal(store_event_oldest(store), 11);
	body = store_event_from(store, 12, &seq);
	assert_int_equal(seq, 12);
	assert_string_equal(body, "{\"seq\":12,\"event\":\"task.error\"}");
	free(body);
}

static void logs_and_events_of_an_old_database_are_as_they_were(void **state)
{
	for_each_version(*state, check_logs_and_events);
}

static void check_facts(struct store *store)
{
	char text[32];

	store_text(store, "store", text, sizeof(text));
	assert_string_equal(text, "5a17c0de00000001");
	assert_int_equal(store_number(store, "age_ms", -1), 86400000);
	assert_int_equal(store_number(store, "next_task", -1), 4);
	assert_int_equal(store_number(store, "last_seq", -1), 12);
	assert_int_equal(store_number(store, "paused", -1), 0);
}

static void single_facts_of_an_old_database_are_as_they_were(void **state)
{
	for_each_version(*state, check_facts);
}

static void check_dedup_records(struct store *store)
{
	struct dedup_record record = {0};

	assert_true(store_dedup_find(store, "icup-1", &record));
	assert_string_equal(record.hash, "9f86d081");
	assert_string_equal(record.reply, "{\"ok\":true,\"task\":\"cup-1\"}");
	assert_string_equal(record.status, "error");
	dedup_record_clear(&record);
	assert_true(store_dedup_find(store, "rask-7", &record));
	assert_string_equal(record.hash, "60303ae2");
	assert_string_equal(record.status, "");
	dedup_record_clear(&record);
}

static void remembered_ids_of_an_old_database_are_as_they_were(void **state)
{
	for_each_version(*state, check_dedup_records);
}

static void see_message(void *context, const struct message_row *row)
{
	char *text = context;

	sprintf(text + strlen(text), "%d:%d:%s:%s:%s:%zu:%d:%d:%s\n", (int)row->number,
		(int)row->kind, row->topic, row->task, row->payload,
		row->correlation_size, (int)row->age, row->packet, row->message_hash);
	if (row->correlation_size)
		assert_memory_equal(row->correlation, "\x00\xff\x10", 3);
}

static void check_messages(struct store *store)
{
	char text[400] = "";

	store_message_each(store, see_message, text);
	assert_string_equal(text,
			    "21:0:openscan/v1/rig/task/cup-1:cup-1::0:7200000:0:\n"
			    "22:1:openscan/v1/rig/task/old:old::0:7200001:0:\n"
			    "23:2:client/reply::{\"ok\":true}:3:7200002:513:fd61a03a\n");
}

static void messages_of_an_old_database_are_as_they_were(void **state)
{
	for_each_version(*state, check_messages);
}

static void see_pending(void *context, const struct pending_row *row)
{
	char *text = context;

	sprintf(text + strlen(text), "%d:%s:%s:%s:%zu:%d:%s\n", (int)row->number,
		row->verb, row->topic, row->request, row->correlation_size, row->packet,
		row->message_hash);
	if (row->correlation_size)
		assert_memory_equal(row->correlation, "\x01\x02", 2);
}

static void check_pending(struct store *store)
{
	char text[200] = "";

	store_pending_each(store, see_pending, text);
	assert_string_equal(text, "31:motor/move:client/reply:ask-8:2:514:4bac27393bdd\n"
				  "32:light/set:::0:0:\n");
}

static void pending_commands_of_an_old_database_are_as_they_were(void **state)
{
	for_each_version(*state, check_pending);
}

static void an_old_database_can_be_written(void **state)
{
	struct fixture *f = *state;
	int last = newest(f);

	for (int version = 1; version <= last; version++) {
		struct task *task;

		make_database(f, version);
		open_store(f);
		task = store_task(f->store, "cup-3");
		assert_non_null(task);
		task->rev = 2;
		store_task_save(f->store, task);
		task->number = 4;
		strcpy(task->id, "cup-4");
		store_task_insert(f->store, task);
		task_free(task);
		commit(f);
		close_store(f);

		open_store(f);
		task = store_task_before(f->store, INT64_MAX);
		assert_string_equal(task->id, "cup-4");
		task_free(task);
		task = store_task(f->store, "cup-3");
		assert_int_equal(task->rev, 2);
		task_free(task);
		check_finished_task(f->store);
	}
}

static void a_database_of_a_later_agent_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct err err;
	sqlite3 *db;

	close_store(f);
	db = open_database(f);
	sqlite3_exec(db, "PRAGMA user_version = 1000", NULL, NULL, NULL);
	sqlite3_close(db);

	assert_true(store_open(&f->store, f->folder, NULL, f->damaged, &err) < 0);
	assert_non_null(strstr(err.text, "written by a newer agent (version 1000"));
	assert_string_equal(f->damaged, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_database_of_every_version_is_kept_for_this_test),
		TEST(an_old_database_gets_the_columns_of_a_new_one),
		TEST(tasks_of_an_old_database_are_as_they_were),
		TEST(logs_and_events_of_an_old_database_are_as_they_were),
		TEST(single_facts_of_an_old_database_are_as_they_were),
		TEST(remembered_ids_of_an_old_database_are_as_they_were),
		TEST(messages_of_an_old_database_are_as_they_were),
		TEST(pending_commands_of_an_old_database_are_as_they_were),
		TEST(an_old_database_can_be_written),
		TEST(a_database_of_a_later_agent_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
