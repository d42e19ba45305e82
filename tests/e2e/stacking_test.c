/* Focus stacking of a scan: from several photos per point with different focus to one
 * sharp picture per point. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *scan_file(struct world *w, const char *name)
{
	return quoted(w, "%s/cup/scan01/%s", w->device.project_dir, name);
}

static void scan(struct world *w, int points, int stacks)
{
	ask_ok(w, "task/create",
	       "{'id':'s','type':'scan_task','args':{'project':'cup',"
	       "'settings':{'points':%d,'focus_stacks':%d}}}",
	       points, stacks);
	wait_status(w, "s", "completed");
}

static void stack(struct world *w, const char *id)
{
	ask_ok(w, "task/create",
	       "{'id':'%s','type':'focus_stacking_task','args':{'project':'cup','scan':1}"
	       "}",
	       id);
}

static int64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* Reads width and height of a JPEG from its header. */
static void read_size(const char *path, int *width, int *height)
{
	FILE *file = fopen(path, "rb");
	unsigned char head[65536];
	size_t size, segment = 2;

	assert_non_null(file);
	size = fread(head, 1, sizeof(head), file);
	fclose(file);
	assert_true(size > 4 && head[0] == 0xff && head[1] == 0xd8);
	while (segment + 9 < size && head[segment + 1] != 0xc0)
		segment += 2 + (size_t)head[segment + 2] * 256 + head[segment + 3];
	assert_true(segment + 9 < size);
	*height = head[segment + 5] * 256 + head[segment + 6];
	*width = head[segment + 7] * 256 + head[segment + 8];
}

static bool has_exif(const char *path)
{
	FILE *file = fopen(path, "rb");
	char head[256];
	size_t size;

	assert_non_null(file);
	size = fread(head, 1, sizeof(head), file);
	fclose(file);
	return memmem(head, size, "Exif", 4) != NULL;
}

static const cJSON *scan_document(struct world *w)
{
	return parsed(w, wait_file(w, scan_file(w, "scan.json"), "}"));
}

static void each_point_is_stacked_into_one_picture(struct world *w)
{
	int width, height, photo_width, photo_height;

	scan(w, 4, 3);
	stack(w, "f");
	const cJSON *task = wait_status(w, "f", "completed");

	assert_int_equal(count_at(task, "result.outputs"), 4);
	assert_int_equal(count_at(task, "result.incomplete"), 0);
	assert_string_equal(text_at(task, "result.project"), "cup");
	assert_true(number_at(task, "result.scan") == 1);
	assert_string_equal(text_at(task, "result.calibration"),
			    "stacked/calibration_scan01.json");
	assert_true(number_at(task, "progress.current") == 4);
	read_size(scan_file(w, "scan01_000_fs01.jpg"), &photo_width, &photo_height);
	for (int i = 0; i < 4; i++) {
		const char *name = quoted(w, "stacked/stacked_scan01_%03d.jpg", i);

		assert_string_equal(
			cJSON_GetArrayItem(at(task, "result.outputs"), i)->valuestring,
			name);
		read_size(scan_file(w, name), &width, &height);
		assert_true(width == photo_width && height == photo_height);
		assert_true(has_exif(scan_file(w, name)));
	}
	const cJSON *calibration = parsed(
		w, wait_file(w, scan_file(w, "stacked/calibration_scan01.json"), "}"));
	assert_int_equal(count_at(calibration, "transforms"), 3);
	const cJSON *scan_now = scan_document(w);
	assert_int_equal(count_at(scan_now, "photos"), 12 + 4);
	assert_string_equal(text_at(scan_now, "stacking_task_status.status"),
			    "completed");
	assert_true(number_at(scan_now, "current_step") == 12);
	assert_true(number_at(scan_now, "stacked_size_bytes") > 1000);
	const cJSON *reply = ask_ok(w, "project/get", "{'project':'cup'}");
	assert_true(number_at(reply, "data.photos") == 12);
}

static void tear(const char *path)
{
	assert_true(size_of(path) > 2000);
	assert_int_equal(truncate(path, size_of(path) / 2), 0);
}

static void a_batch_that_cannot_be_stacked_is_named(struct world *w)
{
	scan(w, 5, 3);
	tear(scan_file(w, "scan01_001_fs02.jpg"));
	assert_int_equal(unlink(scan_file(w, "scan01_003_fs00.jpg")), 0);
	stack(w, "f");
	const cJSON *task = wait_status(w, "f", "completed");

	assert_int_equal(count_at(task, "result.outputs"), 3);
	assert_int_equal(count_at(task, "result.incomplete"), 2);
	const cJSON *torn = cJSON_GetArrayItem(at(task, "result.incomplete"), 0);
	assert_true(number_at(torn, "index") == 1);
	assert_string_equal(cJSON_GetArrayItem(at(torn, "photos"), 0)->valuestring,
			    "scan01_001_fs02.jpg");
	assert_non_null(strstr(text_at(torn, "reason"), "not a whole JPEG"));
	const cJSON *missing = cJSON_GetArrayItem(at(task, "result.incomplete"), 1);
	assert_true(number_at(missing, "index") == 3);
	assert_string_equal(text_at(missing, "reason"), "1 of 3 photos are missing");
	assert_true(size_of(scan_file(w, "stacked/stacked_scan01_001.jpg")) < 0);
	assert_true(size_of(scan_file(w, "stacked/stacked_scan01_003.jpg")) < 0);
}

static void existing_pictures_are_stacked_again(struct world *w)
{
	const char *path = scan_file(w, "stacked/stacked_scan01_000.jpg");

	scan(w, 1, 2);
	stack(w, "f");
	wait_status(w, "f", "completed");
	int64_t size = size_of(path);
	assert_int_equal(truncate(path, 5), 0);
	stack(w, "g");
	wait_status(w, "g", "completed");

	assert_true(size_of(path) == size);
	assert_int_equal(count_at(scan_document(w), "photos"), 2 + 1);
}

static void a_scan_without_batches_is_refused(struct world *w)
{
	scan(w, 2, 1);
	stack(w, "f");

	const cJSON *task = wait_status(w, "f", "error");
	assert_string_equal(text_at(task, "error.code"), "invalid_state");
	assert_non_null(strstr(text_at(task, "error.message"), "focus_stacks"));
	ask_ok(w, "task/create",
	       "{'id':'g','type':'focus_stacking_task','args':{'project':'cup','scan':7}"
	       "}");
	assert_string_equal(text_at(wait_status(w, "g", "error"), "error.code"),
			    "not_found");
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'focus_stacking_task','args':{'project':'cup','scan':1,"
		    "'align':'well'}}");
}

#define SLOW_RUN 12

/* Starts "f", which stacks slowly enough for the test to act in the middle. */
static void begin_a_slow_run(struct world *w)
{
	scan(w, SLOW_RUN, 3);
	world_stop_agent(w);
	device_slow_disk(&w->device, 40);
	world_start_agent(w);
	stack(w, "f");
}

static void a_paused_run_continues_and_is_exclusive(struct world *w)
{
	begin_a_slow_run(w);
	wait_step(w, "f", 1);
	ask_ok(w, "task/pause", "{'id':'f'}");
	const cJSON *task = wait_status(w, "f", "paused");
	double done = number_at(task, "progress.current");
	stack(w, "g");

	assert_true(done < SLOW_RUN);
	const cJSON *second = wait_status(w, "g", "error");
	assert_string_equal(text_at(second, "error.code"), "invalid_state");
	assert_non_null(strstr(text_at(second, "error.message"), "task f is stacking"));
	ask_ok(w, "task/resume", "{'id':'f'}");
	task = wait_status(w, "f", "completed");
	assert_int_equal(count_at(task, "result.outputs"), SLOW_RUN);
}

static void a_cancelled_run_keeps_its_pictures(struct world *w)
{
	begin_a_slow_run(w);
	wait_step(w, "f", 2);
	ask_ok(w, "task/cancel", "{'id':'f'}");
	wait_status(w, "f", "cancelled");

	const cJSON *scan_now = scan_document(w);
	assert_string_equal(text_at(scan_now, "stacking_task_status.status"),
			    "cancelled");
	int stacked = count_at(scan_now, "photos") - 3 * SLOW_RUN;
	assert_true(stacked >= 2 && stacked < SLOW_RUN);
	ask_ok(w, "task/restart", "{'id':'f'}");
	const cJSON *task = wait_status(w, "f", "completed");
	assert_int_equal(count_at(task, "result.outputs"), SLOW_RUN);
	assert_true(number_at(task, "resumed") == 1);
}

static void after_a_crash_only_the_rest_is_stacked(struct world *w)
{
	struct stat before, after;
	const char *first = scan_file(w, "stacked/stacked_scan01_000.jpg");

	begin_a_slow_run(w);
	wait_step(w, "f", 3);
	world_kill_agent(w);
	assert_int_equal(stat(first, &before), 0);
	world_start_agent(w);
	const cJSON *task = wait_status(w, "f", "completed");

	assert_int_equal(count_at(task, "result.outputs"), SLOW_RUN);
	assert_int_equal(stat(first, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	assert_int_equal(count_at(scan_document(w), "photos"), 3 * SLOW_RUN + SLOW_RUN);
}

static void a_chain_survives_a_restart(struct world *w)
{
	ask_ok(w, "task/create",
	       "{'id':'s','type':'scan_task','args':{'project':'cup','settings':"
	       "{'points':6,'focus_stacks':3}},'then':[{'type':'focus_stacking_task'}]}");
	wait_step(w, "s", 2);
	world_restart_agent(w);
	wait_status(w, "s", "completed");
	const cJSON *task = wait_status(w, "s-1", "completed");

	assert_int_equal(count_at(task, "result.outputs"), 6);
}

static void a_scan_that_fails_ends_its_chain(struct world *w)
{
	ask_ok(w, "task/create",
	       "{'id':'s','type':'scan_task','args':{'project':'cup','settings':"
	       "{'points':60,'focus_stacks':3}},'then':[{'type':'focus_stacking_task'}]"
	       "}");
	wait_step(w, "s", 2);
	ask_ok(w, "task/cancel", "{'id':'s'}");
	const cJSON *task = wait_status(w, "s-1", "error");

	assert_string_equal(text_at(task, "error.code"), "dependency_failed");
	assert_true(size_of(scan_file(w, "stacked")) < 0);
}

static void a_dry_run_reports_the_expected_pictures(struct world *w)
{
	scan(w, 3, 3);
	const cJSON *reply = ask_ok(w, "task/create",
				    "{'type':'focus_stacking_task','dry_run':true,"
				    "'args':{'project':'cup','scan':1}}");
	const cJSON *other = ask_ok(w, "task/create",
				    "{'type':'focus_stacking_task','dry_run':true,"
				    "'args':{'project':'cup','scan':2}}");

	assert_true(number_at(reply, "data.photos") == 3);
	assert_true(number_at(reply, "data.bytes") > 1000);
	assert_int_equal(count_at(reply, "data.problems"), 0);
	assert_int_equal(count_at(other, "data.problems"), 1);
	assert_true(size_of(scan_file(w, "stacked")) < 0);
}

static const struct test tests[] = {
	TEST(each_point_is_stacked_into_one_picture),
	TEST(a_batch_that_cannot_be_stacked_is_named),
	TEST(existing_pictures_are_stacked_again),
	TEST(a_scan_without_batches_is_refused),
	TEST(a_paused_run_continues_and_is_exclusive),
	TEST(a_cancelled_run_keeps_its_pictures),
	TEST(after_a_crash_only_the_rest_is_stacked),
	TEST(a_chain_survives_a_restart),
	TEST(a_scan_that_fails_ends_its_chain),
	TEST(a_dry_run_reports_the_expected_pictures),
};

int main(int argc, char **argv)
{
	return world_run("stacking", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
