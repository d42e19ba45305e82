/* Tests the database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/store/store.h"

struct fixture {
	struct store *store;
	char folder[64], damaged[STORE_PATH];
};

static void open_store(struct fixture *f)
{
	struct err err;

	if (store_open(&f->store, f->folder, NULL, f->damaged, &err) < 0)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	snprintf(f->folder, sizeof(f->folder), "%s/store_test.XXXXXX",
		 tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	open_store(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	DIR *dir;

	store_close(f->store);
	dir = opendir(f->folder);
	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		char path[400];

		snprintf(path, sizeof(path), "%s/%s", f->folder, entry->d_name);
		unlink(path);
	}
	closedir(dir);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void commit(struct fixture *f)
{
	struct err err;

	if (store_commit(f->store, &err) < 0)
		fail_msg("%s", err.text);
}

/* As if the process ended without a commit and another one started. */
static void open_again(struct fixture *f)
{
	store_close(f->store);
	open_store(f);
}

static struct task *make_task(int64_t number, const char *id)
{
	struct task *task = task_new();

	task->number = number;
	snprintf(task->id, sizeof(task->id), "%s", id);
	strcpy(task->type_name, "plain_task");
	strcpy(task->category, "core");
	strcpy(task->boot, "b1");
	task_set_text(&task->args, "{}");
	task_set_text(&task->labels, "{}");
	return task;
}

static void insert(struct fixture *f, int64_t number, const char *id,
		   enum task_status status, int64_t ended_age)
{
	struct task *task = make_task(number, id);

	task->status = status;
	task->ended_age = ended_age;
	store_task_insert(f->store, task);
	task_free(task);
}

static void committed_changes_persist_and_others_do_not(void **state)
{
	struct fixture *f = *state;

	assert_false(store_dirty(f->store));
	store_set_number(f->store, "a", 1);
	assert_true(store_dirty(f->store));
	commit(f);
	assert_false(store_dirty(f->store));
	store_set_number(f->store, "a", 2);
	/* A turn sees its own writes. */
	assert_int_equal(store_number(f->store, "a", -1), 2);
	open_again(f);

	assert_int_equal(store_number(f->store, "a", -1), 1);
	assert_int_equal(store_number(f->store, "nothing", -7), -7);
}

static void texts_are_stored_and_cut_to_size(void **state)
{
	struct fixture *f = *state;
	char text[4];

	store_set_text(f->store, "k", "abcdef");
	store_text(f->store, "k", text, sizeof(text));
	assert_string_equal(text, "abc");
	store_text(f->store, "nothing", text, sizeof(text));
	assert_string_equal(text, "");
}

static void a_second_agent_cannot_open_the_folder(void **state)
{
	struct fixture *f = *state;
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		char damaged[STORE_PATH];
		struct store *second = NULL;
		struct err err;
		int ret = store_open(&second, f->folder, NULL, damaged, &err);

		_exit(ret == -EBUSY && strstr(err.text, "another agent") ? 0 : 1);
	}
	waitpid(child, &status, 0);

	assert_int_equal(status, 0);
}

static void a_missing_folder_is_a_clear_error(void **state)
{
	struct store *store = NULL;
	char damaged[STORE_PATH];
	struct err err;

	(void)state;
	assert_true(store_open(&store, "/nowhere/at/all", NULL, damaged, &err) < 0);
	assert_null(store);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	store_close(NULL);
}

static void a_damaged_database_is_moved_aside_never_deleted(void **state)
{
	struct fixture *f = *state;
	char path[200];
	FILE *file;

	store_set_number(f->store, "a", 1);
	commit(f);
	store_close(f->store);
	snprintf(path, sizeof(path), "%s/agent.sqlite", f->folder);
	file = fopen(path, "r+");
	assert_non_null(file);
	for (int i = 0; i < 4096; i++)
		fputc('x', file);
	fclose(file);
	open_store(f);

	assert_int_equal(store_number(f->store, "a", -1), -1);
	assert_non_null(strstr(f->damaged, "agent.sqlite.damaged-1"));
	assert_int_equal(access(f->damaged, F_OK), 0);
}

/* Every column once; long because the table is wide. */
/* NOLINTNEXTLINE(readability-function-size) */
static void a_task_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct task *task = make_task(7, "cup"), *back;

	task->is_exclusive = true;
	task->resumable = true;
	task->resumes = true;
	strcpy(task->after[0], "a");
	strcpy(task->after[1], "b-2");
	task->after_count = 2;
	task->after_open = 0x80000002u;
	strcpy(task->predecessor, "b-2");
	task->retries = 3;
	task->retry_delay_ms = 1500;
	task->timeout_ms = 60000;
	task->created_at = 1760000000000;
	store_task_insert(f->store, task);

	task->status = TASK_PAUSED;
	task->stopping = STOPPING_CANCEL;
	task->rev = 9;
	task->durable_rev = 8;
	task->priority = -3;
	task->arrival = 12;
	task->attempt = 2;
	task->retries_left = 1;
	task->resumed = 4;
	task->crashes = 2;
	task->current = 1.5;
	task->total = 3;
	strcpy(task->message, "grüße");
	task_set_text(&task->checkpoint, "{\"at\":5}");
	task->has_effects = true;
	task->requeued = true;
	task_set_text(&task->result, "[1]");
	task_set_error(task, "task_failed", "it broke");
	task->started_at = 11;
	task->completed_at = 12;
	task->elapsed_ms = 13;
	task->attempt_ms = 14;
	task->ended_age = 15;
	task->photos = 16;
	task_set_text(&task->labels, "{\"a\":\"b\"}");
	store_task_save(f->store, task);
	commit(f);
	open_again(f);
	back = store_task(f->store, "cup");

	assert_non_null(back);
	assert_int_equal(back->number, 7);
	assert_true(back->is_exclusive && back->resumable && back->resumes &&
		    !back->is_blocking);
	assert_int_equal(back->after_count, 2);
	assert_string_equal(back->after[1], "b-2");
	assert_int_equal(back->after_open, 0x80000002u);
	assert_string_equal(back->predecessor, "b-2");
	assert_int_equal(back->retries, 3);
	assert_int_equal(back->retry_delay_ms, 1500);
	assert_int_equal(back->timeout_ms, 60000);
	assert_int_equal(back->created_at, 1760000000000);
	assert_int_equal(back->status, TASK_PAUSED);
	assert_int_equal(back->stopping, STOPPING_CANCEL);
	assert_int_equal(back->rev, 9);
	assert_int_equal(back->durable_rev, 8);
	assert_int_equal(back->priority, -3);
	assert_int_equal(back->arrival, 12);
	assert_int_equal(back->attempt, 2);
	assert_int_equal(back->retries_left, 1);
	assert_int_equal(back->resumed, 4);
	assert_int_equal(back->crashes, 2);
	assert_true(back->current == 1.5 && back->total == 3);
	assert_string_equal(back->message, "grüße");
	assert_string_equal(back->checkpoint, "{\"at\":5}");
	assert_true(back->has_effects && back->requeued);
	assert_string_equal(back->result, "[1]");
	assert_string_equal(back->error_code, "task_failed");
	assert_string_equal(back->error_message, "it broke");
	assert_int_equal(back->started_at, 11);
	assert_int_equal(back->completed_at, 12);
	assert_int_equal(back->elapsed_ms, 13);
	assert_int_equal(back->attempt_ms, 14);
	assert_int_equal(back->ended_age, 15);
	assert_int_equal(back->photos, 16);
	assert_string_equal(back->labels, "{\"a\":\"b\"}");
	task_free(back);
	task_free(task);
}

static void assert_next(struct task *task, const char *id)
{
	if (!id) {
		assert_null(task);
		return;
	}
	assert_non_null(task);
	assert_string_equal(task->id, id);
	task_free(task);
}

static long wal_bytes(const struct fixture *f)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/agent.sqlite-wal", f->folder);
	return stat(path, &st) < 0 ? -1 : (long)st.st_size;
}

/* Otherwise, after a power cut, the next frame would share a sector with the last commit,
 * and a second power cut could tear both.  tests/simulation found it (seed 7009479). */
static void the_wal_is_restarted_at_every_start(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t child;

	store_close(f->store);
	child = fork();
	if (child == 0) {
		open_store(f);
		store_set_number(f->store, "a", 7);
		_exit(store_commit(f->store, NULL) < 0); /* as if it were killed */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(wal_bytes(f) > 0);

	open_store(f);

	assert_int_equal(wal_bytes(f), 0);
	assert_int_equal(store_number(f->store, "a", 0), 7);
}

static void tasks_are_walked_by_number_and_by_the_age_of_their_end(void **state)
{
	struct fixture *f = *state;

	insert(f, 1, "a", TASK_COMPLETED, 300);
	insert(f, 2, "b", TASK_PENDING, 0);
	insert(f, 3, "c", TASK_CANCELLED, 100);
	insert(f, 4, "d", TASK_ERROR, 100);

	assert_next(store_task_after(f->store, 0), "a");
	assert_next(store_task_after(f->store, 1), "b");
	assert_next(store_task_after(f->store, 4), NULL);
	assert_next(store_task_before(f->store, INT64_MAX), "d");
	assert_next(store_task_before(f->store, 1), NULL);
	assert_next(store_task_ended(f->store, -1, 0), "c");
	assert_next(store_task_ended(f->store, 100, 3), "d");
	assert_next(store_task_ended(f->store, 100, 4), "a");
	assert_next(store_task_ended(f->store, 300, 1), NULL);
	assert_int_equal(store_count_ended(f->store), 3);
	assert_next(store_task(f->store, "nobody"), NULL);
}

struct lines {
	int n;
	size_t bytes;
	char last[64];
};

static void count_line(void *context, int64_t ts, int level, const char *message)
{
	struct lines *lines = context;

	(void)ts;
	(void)level;
	lines->n++;
	lines->bytes += strlen(message);
	snprintf(lines->last, sizeof(lines->last), "%.60s", message);
}

static void a_log_is_bounded_in_bytes_and_deleted_with_its_task(void **state)
{
	struct fixture *f = *state;
	struct task *task = make_task(1, "a");
	struct lines lines = {0};
	char line[1001] = "";

	for (int i = 0; i < 250; i++)
		strcat(line, "\U0001F4F7"); /* four bytes per character */
	for (int i = 0; i < 100; i++)
		store_log_add(f->store, 1, i, 2, line);
	store_log_add(f->store, 2, 1, 2, "another's");
	store_log_each(f->store, 1, 500, count_line, &lines);
	assert_int_equal(lines.n, 65);
	assert_true(lines.bytes <= 64 * 1024);

	store_task_delete(f->store, task);
	lines = (struct lines){0};
	store_log_each(f->store, 1, 500, count_line, &lines);
	assert_int_equal(lines.n, 0);
	store_log_each(f->store, 2, 500, count_line, &lines);
	assert_string_equal(lines.last, "another's");
	task_free(task);
}

static void the_newest_log_lines_are_read_oldest_first(void **state)
{
	struct fixture *f = *state;
	struct lines lines = {0};
	char text[32];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		store_log_add(f->store, 1, i, 2, text);
	}
	store_log_each(f->store, 1, 3, count_line, &lines);

	assert_int_equal(lines.n, 3);
	assert_string_equal(lines.last, "line 9");
}

static void the_newest_fifty_thousand_events_are_kept(void **state)
{
	struct fixture *f = *state;
	int64_t seq = 0;
	char *body;

	for (int i = 1; i <= 50200; i++)
		store_event_add(f->store, i, "{}");
	commit(f);

	assert_int_equal(store_event_oldest(f->store), 201);
	body = store_event_from(f->store, 1, &seq);
	assert_string_equal(body, "{}");
	assert_int_equal(seq, 201);
	free(body);
	assert_null(store_event_from(f->store, 50201, &seq));
}

static void dedup_records_expire(void **state)
{
	struct fixture *f = *state;
	struct dedup_record record = {0};

	store_dedup_add(f->store, "icup", "h1", "{\"ok\":true}", "", 100);
	store_dedup_add(f->store, "rr1", "h2", "{}", "", 200);
	store_dedup_set_status(f->store, "icup", "completed");
	assert_true(store_dedup_find(f->store, "icup", &record));
	assert_string_equal(record.hash, "h1");
	assert_string_equal(record.reply, "{\"ok\":true}");
	assert_string_equal(record.status, "completed");
	dedup_record_clear(&record);

	store_dedup_trim(f->store, 150);

	assert_false(store_dedup_find(f->store, "icup", &record));
	assert_true(store_dedup_find(f->store, "rr1", &record));
	dedup_record_clear(&record);
}

static void at_most_fifty_thousand_dedup_records_are_kept(void **state)
{
	struct fixture *f = *state;
	struct dedup_record record = {0};
	char key[32];

	for (int i = 1; i <= 50010; i++) {
		snprintf(key, sizeof(key), "r%d", i);
		store_dedup_add(f->store, key, "h", "{}", "", 1);
	}
	store_dedup_trim(f->store, 0);

	assert_false(store_dedup_find(f->store, "r10", &record));
	assert_true(store_dedup_find(f->store, "r11", &record));
	dedup_record_clear(&record);
}

static void see_message(void *context, const struct message_row *row)
{
	char *text = context;

	sprintf(text + strlen(text), "%d:%d:%s:%s:%.*s ", (int)row->number,
		(int)row->kind, row->topic, row->payload, (int)row->correlation_size,
		row->correlation ? (const char *)row->correlation : "");
}

static void messages_are_read_in_order_until_they_are_acknowledged(void **state)
{
	struct fixture *f = *state;
	char text[400] = "";

	store_message_add(f->store, &(struct message_row){2, MESSAGE_REPLY, "b", "", "{}",
							  "c0", 2, 0, 0, ""});
	store_message_add(f->store, &(struct message_row){1, MESSAGE_DOCUMENT, "a", "t",
							  "", NULL, 0, 0, 0, ""});
	store_message_add(f->store, &(struct message_row){3, MESSAGE_CLEARING, "c", "",
							  "", NULL, 0, 0, 0, ""});
	store_message_delete(f->store, 3);
	commit(f);
	open_again(f);
	store_message_each(f->store, see_message, text);

	assert_string_equal(text, "1:0:a:: 2:2:b:{}:c0 ");
}

static void see_pending(void *context, const struct pending_row *row)
{
	char *text = context;

	sprintf(text + strlen(text), "%d:%s:%s:%s ", (int)row->number, row->verb,
		row->topic, row->request);
}

static void pending_commands_are_stored_until_they_are_done(void **state)
{
	struct fixture *f = *state;
	char text[200] = "";

	store_pending_add(f->store, &(struct pending_row){1, "motor/move", "t1", "r1",
							  NULL, 0, 0, ""});
	store_pending_add(f->store, &(struct pending_row){2, "motor/home", "t2", "r2",
							  NULL, 0, 0, ""});
	store_pending_delete(f->store, 1);
	store_pending_each(f->store, see_pending, text);
	assert_string_equal(text, "2:motor/home:t2:r2 ");

	store_pending_clear(f->store);
	text[0] = '\0';
	store_pending_each(f->store, see_pending, text);
	assert_string_equal(text, "");
}

/* No file may grow.  Whether SQLite fails in the middle of a large transaction or at its
 * end, nothing of the turn may be on disk afterwards. */
static void a_turn_that_fails_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, none;
	struct err err;
	char *large = malloc(100001);
	int ret;

	memset(large, 'x', 100000);
	large[100000] = '\0';
	store_set_number(f->store, "a", 1);
	commit(f);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	none = before;
	none.rlim_cur = 0;

	setrlimit(RLIMIT_FSIZE, &none);
	store_set_number(f->store, "a", 2);
	for (int i = 1; i <= 30; i++) /* more than the cache holds */
		store_event_add(f->store, i, large);
	store_set_number(f->store, "b", 2);
	ret = store_commit(f->store, &err);
	setrlimit(RLIMIT_FSIZE, &before);

	assert_true(ret < 0);
	open_again(f);
	assert_int_equal(store_number(f->store, "a", -1), 1);
	assert_int_equal(store_number(f->store, "b", -1), -1);
	assert_int_equal(store_event_oldest(f->store), 0);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			committed_changes_persist_and_others_do_not, setup, teardown),
		cmocka_unit_test_setup_teardown(texts_are_stored_and_cut_to_size, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_second_agent_cannot_open_the_folder,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_folder_is_a_clear_error, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_damaged_database_is_moved_aside_never_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_task_comes_back_as_it_was, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_wal_is_restarted_at_every_start,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			tasks_are_walked_by_number_and_by_the_age_of_their_end, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_log_is_bounded_in_bytes_and_deleted_with_its_task, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_newest_log_lines_are_read_oldest_first, setup, teardown),
		cmocka_unit_test_setup_teardown(the_newest_fifty_thousand_events_are_kept,
						setup, teardown),
		cmocka_unit_test_setup_teardown(dedup_records_expire, setup, teardown),
		cmocka_unit_test_setup_teardown(
			at_most_fifty_thousand_dedup_records_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			messages_are_read_in_order_until_they_are_acknowledged, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			pending_commands_are_stored_until_they_are_done, setup, teardown),
		cmocka_unit_test_setup_teardown(a_turn_that_fails_leaves_nothing_behind,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
