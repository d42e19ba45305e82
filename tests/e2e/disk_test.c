/* A disk that is full, damaged, read-only or slow: nothing that was accepted is lost, and
 * every reply is true. */
#include "tests/support/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define HELLO "hello_world_async_task"
#define LONG_HELLO "{'total_steps':10000,'delay':0.05}"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"
#define DISK_KIB 16384
#define RESERVE_KIB 4096 /* the size of the agent's disk reserve */

static const struct world_options later = {.agent_later = true};

/* ---- full ---- */

static char *state_file(struct world *w, const char *name)
{
	return quoted(w, "%s/%s", w->device.state_dir, name);
}

/* Starts the agent with its state folder on a disk of kib KiB. */
static void start_on_disk(struct world *w, int kib)
{
	if (!disk_possible())
		world_skip(w, "only root can mount a small disk");
	assert_int_equal(disk_mount(&w->disk, w->device.state_dir, kib), 0);
	world_start_agent(w);
}

/* Fills the disk and makes the agent write until it needs its reserve. */
static void fill_disk(struct world *w)
{
	size_t mark = client_mark(w->client);

	assert_int_equal(disk_fill(&w->disk), 0);
	for (int i = 0; i < 100 && file_exists(state_file(w, "reserve")); i++)
		ask(w, "task/create", "{'id':'filler-%d','type':'%s','args':%s}", i,
		    HELLO, SHORT_HELLO);
	wait_event(w, mark, "storage.full", NULL);
}

static void free_disk(struct world *w)
{
	size_t mark = client_mark(w->client);

	assert_int_equal(disk_clear(&w->disk), 0);
	wait_event(w, mark, "storage.ok", NULL);
	wait_value(w, BASE "/health", "storage", "ok");
	assert_true(file_exists(state_file(w, "reserve")));
}

static void on_a_full_disk_commands_that_write_are_refused(struct world *w)
{
	start_on_disk(w, DISK_KIB);

	fill_disk(w);

	wait_value(w, BASE "/health", "storage", "full");
	const cJSON *refusal = ask_refused(w, "task/create", "storage_full",
					   "{'type':'%s','args':%s}", HELLO, SHORT_HELLO);
	assert_true(bool_at(refusal, "retryable"));
	assert_true(number_at(refusal, "retry_after_s") > 0);
	ask_refused(w, "project/create", "storage_full", "{'project':'cup'}");
	ask_refused(w, "queue/pause", "storage_full", "{}");
	ask_refused(w, "settings/set", "storage_full",
		    "{'values':{'scheduler.max_concurrent':2}}");
	ask_ok(w, "agent/ping", "{}");
	ask_ok(w, "task/list", "{}");
	free_disk(w);
	create(w, "after", HELLO, SHORT_HELLO);
	wait_status(w, "after", "completed");
}

static void on_a_full_disk_cancel_pause_delete_prune_and_estop_work(struct world *w)
{
	start_on_disk(w, DISK_KIB);
	create(w, "ended", HELLO, SHORT_HELLO);
	wait_status(w, "ended", "completed");
	create(w, "a", HELLO, LONG_HELLO);
	create(w, "b", HELLO, LONG_HELLO);
	create(w, "m", "motor_task", "{'steps':10000,'delay':0.05}");
	wait_status(w, "a", "running");
	wait_status(w, "b", "running");
	wait_status(w, "m", "running");
	fill_disk(w);

	ask_ok(w, "task/cancel", "a");
	ask_ok(w, "task/pause", "b");
	ask_ok(w, "task/delete", "ended");
	ask_ok(w, "agent/prune", "{'keep':0}");
	ask_ok(w, "estop", "{}");

	wait_status(w, "a", "cancelled");
	wait_status(w, "b", "paused");
	wait_status(w, "m", "interrupted");
	wait_event(w, 0, "task.deleted", "ended");
	wait_event(w, 0, "estop", NULL);
	ask_refused(w, "queue/resume", "storage_full", "{}");
	free_disk(w);
	ask_ok(w, "queue/resume", "{}");
	ask_ok(w, "task/resume", "b");
	assert_revs_grow(w);
}

static void a_full_disk_is_survived_by_a_restart(struct world *w)
{
	start_on_disk(w, DISK_KIB);
	create(w, "a", HELLO, LONG_HELLO);
	wait_status(w, "a", "running");
	fill_disk(w);

	world_restart_agent(w);

	wait_status(w, "a", "interrupted");
	/* The WAL was restarted: the reserve fits into its space. */
	assert_true(file_exists(state_file(w, "reserve")));
	ask_ok(w, "task/restart", "a");
	ask_ok(w, "task/cancel", "a");
}

/* ---- full to the last byte, with the reserve used up ---- */

/* Fills the rest of the reserve and makes the agent notice it: the end of the running
 * task id cannot be committed. */
static void fill_all(struct world *w, const char *id)
{
	size_t mark = client_mark(w->client);

	fill_disk(w);
	assert_int_equal(disk_fill(&w->disk), 0);
	tell(w, "task/cancel", "%s", id);
	wait_file(w, w->device.log, "nothing can be committed");
	assert_false(event_seen(w, mark, "task.cancelled", id));
}

static void results_that_cannot_be_committed_are_not_published(struct world *w)
{
	char *file = below(w, "steps");

	start_on_disk(w, DISK_KIB);
	create(w, "a", HELLO, LONG_HELLO);
	create(w, "r", "resume_count_task",
	       quoted(w, "{'file':'%s','steps':4,%s}", file, held(w)));
	wait_status(w, "a", "running");
	allow(w, 1);
	wait_file(w, file, "r 0");
	size_t mark = client_mark(w->client);
	fill_all(w, "a");
	allow(w, 4);

	deadline_let_pass(3000);

	assert_int_equal(client_count(w->client, mark, BASE "/task/a"), 0);
	assert_false(event_seen(w, mark, "task.completed", "r"));
	assert_false(event_seen(w, mark, "task.cancelled", "a"));
	free_disk(w);
	/* It is refused when it follows another end that could not be committed. */
	ask_ok(w, "task/cancel", "a");
	wait_status(w, "a", "cancelled");
	wait_status(w, "r", "completed");
	assert_int_equal(lines_of(file), 4);
	assert_revs_grow(w);
}

static void with_no_byte_left_commands_are_answered_at_once(struct world *w)
{
	start_on_disk(w, DISK_KIB);
	create(w, "a", HELLO, LONG_HELLO);
	create(w, "b", HELLO, LONG_HELLO);
	wait_status(w, "a", "running");
	wait_status(w, "b", "running");
	fill_all(w, "a");

	ask_refused(w, "task/cancel", "storage_full", "b");
	ask_refused(w, "task/create", "storage_full", "{'type':'%s'}", HELLO);

	wait_value(w, BASE "/health", "storage", "full");
	free_disk(w);
	ask_ok(w, "task/cancel", "b");
	wait_status(w, "b", "cancelled");
}

/* The reply says that the rig is stopped; that this lasts over a restart follows with the
 * commit. */
static void with_no_byte_left_an_emergency_stop_acts_and_is_answered(struct world *w)
{
	struct publish retain = {.qos = 1, .retain = true};

	start_on_disk(w, DISK_KIB);
	create(w, "a", HELLO, LONG_HELLO);
	create(w, "m", "motor_task", "{'steps':10000,'delay':0.05}");
	wait_status(w, "a", "running");
	wait_status(w, "m", "running");
	fill_all(w, "a");
	client_publish(w->client, BASE "/cmd/task/create", "hello", 5, &retain);
	int64_t asked = deadline_now();

	ask_ok(w, "estop", "{}");

	assert_true(deadline_now() - asked < deadline_patient(2000));
	free_disk(w);
	wait_status(w, "m", "interrupted");
	wait_event(w, 0, "estop", NULL);
	wait_value(w, BASE "/queue", "paused", "estop");
}

static void with_no_byte_left_the_agent_starts_and_waits_for_room(struct world *w)
{
	start_on_disk(w, DISK_KIB);
	create(w, "a", HELLO, LONG_HELLO);
	wait_status(w, "a", "running");
	fill_disk(w);
	assert_int_equal(disk_fill(&w->disk), 0);
	world_kill_agent(w);
	assert_int_equal(device_start(&w->device), 0);
	assert_false(child_wait(&w->device.child, deadline_patient(1500)));

	assert_int_equal(disk_clear(&w->disk), 0);

	wait_status(w, "a", "interrupted");
	wait_event(w, 0, "storage.ok", NULL);
	create(w, "b", HELLO, SHORT_HELLO);
	wait_status(w, "b", "completed");
}

/* There was never room for the reserve. */
static void a_disk_without_room_for_the_reserve_counts_as_full(struct world *w)
{
	start_on_disk(w, RESERVE_KIB - 512);

	wait_event(w, 0, "storage.full", NULL);

	wait_value(w, BASE "/health", "storage", "full");
	ask_refused(w, "task/create", "storage_full", "{'type':'%s'}", HELLO);
	ask_ok(w, "estop", "{}");
	wait_value(w, BASE "/queue", "paused", "estop");
}

/* ---- damaged ---- */

static void damage(const char *path, size_t from)
{
	size_t size = 0;
	char *bytes = file_read(path, &size);

	assert_non_null(bytes);
	assert_true(size > from);
	for (size_t i = from; i < size; i++)
		bytes[i] = (char)(i * 7 + 1);
	assert_int_equal(file_write(path, bytes, size), 0);
	free(bytes);
}

static void assert_reported(struct world *w, const char *part)
{
	assert_non_null(strstr(wait_message(w, 0, BASE "/info", part)->payload, part));
	wait_file(w, w->device.log, part);
}

static void a_damaged_database_is_moved_aside_and_named(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);
	wait_status(w, "a", "completed");
	world_stop_agent(w);
	damage(state_file(w, "agent.sqlite"), 0);

	world_start_agent(w);

	assert_reported(w, "agent.sqlite.damaged-1");
	assert_true(file_exists(state_file(w, "agent.sqlite.damaged-1")));
	create(w, "b", HELLO, SHORT_HELLO);
	wait_status(w, "b", "completed");
}

/* The header is intact; only a complete check finds the damage. */
static void a_database_damaged_in_the_middle_is_moved_aside_and_named(struct world *w)
{
	for (int i = 0; i < 20; i++)
		create(w, quoted(w, "t%d", i), HELLO, SHORT_HELLO);
	wait_status(w, "t19", "completed");
	world_stop_agent(w);
	damage(state_file(w, "agent.sqlite"), 8192);

	world_start_agent(w);

	assert_reported(w, "agent.sqlite.damaged-1");
	create(w, "b", HELLO, SHORT_HELLO);
	wait_status(w, "b", "completed");
}

/* SQLite ignores a WAL from its first damaged frame on: the state before counts. */
static void a_damaged_wal_loses_only_its_own_changes(struct world *w)
{
	create(w, "a", HELLO, SHORT_HELLO);
	wait_status(w, "a", "completed");
	world_stop_agent(w);
	world_start_agent(w);
	create(w, "b", HELLO, SHORT_HELLO);
	wait_status(w, "b", "completed");
	world_kill_agent(w);
	damage(state_file(w, "agent.sqlite-wal"), 0);

	world_start_agent(w);

	assert_status(w, "a", "completed");
	create(w, "c", HELLO, SHORT_HELLO);
	wait_status(w, "c", "completed");
}

static void a_damaged_settings_file_is_moved_aside_and_named(struct world *w)
{
	ask_ok(w, "settings/set", "{'values':{'scheduler.max_concurrent':2}}");
	world_stop_agent(w);
	damage(state_file(w, "settings.json"), 0);

	world_start_agent(w);

	assert_reported(w, "settings.json");
	wait_value(w, BASE "/settings", "values.scheduler.max_concurrent", "3");
	ask_ok(w, "settings/set", "{'values':{'scheduler.max_concurrent':1}}");
}

/* ---- read-only ---- */

static void ends_with_a_sentence(struct world *w, const char *part)
{
	bool ended;

	assert_int_equal(device_start(&w->device), 0);
	ended = child_wait(&w->device.child, deadline_patient(SOON_MS));
	device_kill(&w->device);
	assert_true(ended);
	assert_true(WIFEXITED(w->device.child.status));
	assert_int_equal(WEXITSTATUS(w->device.child.status), 1);
	wait_file(w, w->device.log, part);
}

static void a_read_only_state_folder_is_reported(struct world *w)
{
	start_on_disk(w, DISK_KIB);
	world_stop_agent(w);
	assert_int_equal(disk_read_only(&w->disk, true), 0);

	ends_with_a_sentence(w, w->device.state_dir);

	assert_int_equal(disk_read_only(&w->disk, false), 0);
	world_start_agent(w);
}

static void an_empty_read_only_state_folder_is_reported(struct world *w)
{
	if (!disk_possible())
		world_skip(w, "only root can mount a small disk");
	assert_int_equal(disk_mount(&w->disk, w->device.state_dir, DISK_KIB), 0);
	assert_int_equal(disk_read_only(&w->disk, true), 0);

	ends_with_a_sentence(w, w->device.state_dir);
}

/* ---- slow ---- */

#define SLOW_MS 100

static void a_disk_with_100_ms_per_fsync_breaks_nothing(struct world *w)
{
	char *file = below(w, "count");
	int64_t begun;
	int n = 20;

	device_slow_disk(&w->device, SLOW_MS);
	world_start_agent(w);

	begun = deadline_now();
	for (int i = 0; i < n; i++)
		create(w, quoted(w, "t%d", i), "count_task",
		       quoted(w, "{'file':'%s','steps':1,'delay':0}", file));
	int64_t each = (deadline_now() - begun) / n;
	for (int i = 0; i < n; i++)
		wait_event(w, 0, "task.completed", quoted(w, "t%d", i));

	printf("task/create on a disk of %d ms for each fsync: %lld ms each; %d tasks "
	       "done "
	       "after %lld ms\n",
	       SLOW_MS, (long long)each, n, (long long)(deadline_now() - begun));
	assert_true(each >= SLOW_MS); /* the disk was really slow */
	assert_int_equal(lines_of(file), n);
	assert_revs_grow(w);
}

static size_t photos_on_disk(struct world *w, int photos)
{
	size_t count = 0;

	for (int i = 0; i < photos; i++)
		count += file_exists(quoted(w, "%s/cup/scan01/scan01_%03d.jpg",
					    w->device.project_dir, i));
	return count;
}

/* One photo is being written, one waits, and one cannot be queued before there is
 * room. */
#define PHOTOS_IN_MEMORY 3

static void a_slow_disk_slows_the_scan_and_memory_stays_bounded(struct world *w)
{
	const int photos = 12;
	char *shutter = quoted(w, "%s/sim/shutter.log", w->device.state_dir);
	size_t most = 0;
	int64_t begun;

	device_slow_disk(&w->device, SLOW_MS);
	world_start_agent(w);

	begun = deadline_now();
	ask_ok(w, "task/create",
	       "{'id':'s','type':'scan_task',"
	       "'args':{'project':'cup','settings':{'points':%d}}}",
	       photos);
	while (photos_on_disk(w, photos) < (size_t)photos) {
		size_t exposed = lines_of(shutter); /* counted before the written ones */
		size_t written = photos_on_disk(w, photos);

		if (exposed > written + most)
			most = exposed - written;
		assert_true(deadline_now() - begun < deadline_patient(60000));
		deadline_let_pass(5);
	}

	wait_status(w, "s", "completed");
	printf("%d photos on a disk of %d ms for each fsync: %lld ms, at most %zu in "
	       "memory\n",
	       photos, SLOW_MS, (long long)(deadline_now() - begun), most);
	assert_in_range(most, 1, PHOTOS_IN_MEMORY);
	/* the photo and its metadata */
	assert_true(deadline_now() - begun >= 2 * photos * SLOW_MS);
}

static const struct test tests[] = {
	TEST_WITH(on_a_full_disk_commands_that_write_are_refused, later),
	TEST_WITH(on_a_full_disk_cancel_pause_delete_prune_and_estop_work, later),
	TEST_WITH(a_full_disk_is_survived_by_a_restart, later),
	TEST_WITH(results_that_cannot_be_committed_are_not_published, later),
	TEST_WITH(with_no_byte_left_commands_are_answered_at_once, later),
	TEST_WITH(with_no_byte_left_an_emergency_stop_acts_and_is_answered, later),
	TEST_WITH(with_no_byte_left_the_agent_starts_and_waits_for_room, later),
	TEST_WITH(a_disk_without_room_for_the_reserve_counts_as_full, later),
	TEST(a_damaged_database_is_moved_aside_and_named),
	TEST(a_database_damaged_in_the_middle_is_moved_aside_and_named),
	TEST(a_damaged_wal_loses_only_its_own_changes),
	TEST(a_damaged_settings_file_is_moved_aside_and_named),
	TEST_WITH(a_read_only_state_folder_is_reported, later),
	TEST_WITH(an_empty_read_only_state_folder_is_reported, later),
	TEST_WITH(a_disk_with_100_ms_per_fsync_breaks_nothing, later),
	TEST_WITH(a_slow_disk_slows_the_scan_and_memory_stays_bounded, later),
};

int main(int argc, char **argv)
{
	return world_run("disk", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
