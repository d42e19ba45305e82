/* The disk fills up while a task writes to it: the task says so, leaves nothing
 * incomplete, and continues when there is room. */
#include "tests/support/cloud.h"
#include "tests/support/script.h"
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK_KIB 12288

static const struct world_options later = {.agent_later = true};

/* Mounts a small disk on the projects' folder, or on another one. */
static void mount_on(struct world *w, const char *folder)
{
	if (!disk_possible())
		world_skip(w, "only root may mount a disk");
	mkdir(folder, 0755);
	assert_int_equal(disk_mount(&w->disk, folder, DISK_KIB), 0);
}

static void start_download(struct world *w)
{
	mount_on(w, w->device.project_dir);
	cloud_start(w, false);
	device_settings(&w->device, cloud_settings(w, "'timeout_s':3},"
						      "'projects':{'min_free_mb':0"));
	cloud_uploaded_cup(w);
	cloud_model(w, CLOUD_MODEL);
	world_start_agent(w);
}

static void assert_full(struct world *w, const char *id)
{
	const cJSON *task = wait_status(w, id, "error");

	assert_string_equal(text_at(task, "error.code"), "storage_full");
	if (!strstr(text_at(task, "error.message"), "make room"))
		fail_msg("no word of what to do: %s", text_at(task, "error.message"));
}

static void assert_no_model(struct world *w)
{
	const char *cup = quoted(w, "%s/cup", w->device.project_dir);

	assert_false(file_exists(quoted(w, "%s/model", cup)));
	assert_false(file_exists(quoted(w, "%s/.cloud-model", cup)));
	assert_false(bool_at(
		parsed(w, wait_file(w, quoted(w, "%s/openscan_project.json", cup), "{")),
		"downloaded"));
}

static void goes_on(struct world *w, const char *id)
{
	ask_ok(w, "task/restart", "{'id':'%s','from':'checkpoint'}", id);
	wait_status(w, id, "completed");
}

static void assert_model(struct world *w)
{
	run_script(w, quoted(w,
			     "mkdir -p right; cd right; python3 -m zipfile -e "
			     "../cloud/model.zip .; diff -r . '%s/cup/model'",
			     w->device.project_dir));
}

static void a_download_that_fills_the_disk_can_be_continued(struct world *w)
{
	start_download(w);
	cloud_faults(w, "download slow 500000\ndownload ok\n");

	cloud_download(w, "d");
	wait_step(w, "d", 300000);
	assert_int_equal(disk_fill(&w->disk), 0);

	assert_full(w, "d");
	assert_no_model(w);
	assert_int_equal(disk_clear(&w->disk), 0);
	goes_on(w, "d");
	assert_model(w);
	assert_int_equal(cloud_requests(w, "206 from"), 1);
}

static void a_model_without_room_to_unpack_can_be_unpacked_later(struct world *w)
{
	start_download(w);
	run_script(w, quoted(w, "head -c 8000000 /dev/zero >'%s/filler'",
			     w->device.project_dir));

	cloud_download(w, "d");

	assert_full(w, "d");
	assert_no_model(w);
	unlink(quoted(w, "%s/filler", w->device.project_dir));
	goes_on(w, "d");
	assert_model(w);
	assert_int_equal(cloud_requests(w, "206 from"), 0);
}

/* ---- the photos of a scan ---- */

static void scan(struct world *w, int stacks)
{
	ask_ok(w, "task/create",
	       "{'id':'s','type':'scan_task','args':{'project':'cup',"
	       "'settings':{'points':2,'focus_stacks':%d}}}",
	       stacks);
	wait_status(w, "s", "completed");
}

static void a_stack_without_room_is_made_later(struct world *w)
{
	mount_on(w, w->device.project_dir);
	device_settings(&w->device, "{'projects':{'min_free_mb':0}}");
	world_start_agent(w);
	scan(w, 3);
	assert_int_equal(disk_fill(&w->disk), 0);

	ask_ok(w, "task/create",
	       "{'id':'f','type':'focus_stacking_task','args':{'project':'cup','scan':1}"
	       "}");
	assert_full(w, "f");
	run_script(w, quoted(w, "test -z \"$(find '%s' -type f -size 0)\"",
			     w->device.project_dir));
	assert_int_equal(disk_clear(&w->disk), 0);
	goes_on(w, "f");

	assert_int_equal(count_at(task_now(w, "f"), "result.outputs"), 2);
}

static void an_export_without_room_is_made_later(struct world *w)
{
	const char *out = below(w, "out");

	mount_on(w, out);
	device_settings(&w->device, quoted(w, "{'export':{'roots':['%s']}}", out));
	world_start_agent(w);
	scan(w, 1);
	assert_int_equal(disk_fill(&w->disk), 0);

	ask_ok(w, "task/create",
	       "{'id':'e','type':'export_task','args':{'project':'cup','scan':1,"
	       "'format':'photos','path':'%s/cup'}}",
	       out);
	assert_full(w, "e");
	assert_false(file_exists(quoted(w, "%s/cup/scan01_000.jpg", out)));
	assert_int_equal(disk_clear(&w->disk), 0);
	goes_on(w, "e");

	run_script(w, quoted(w,
			     "for p in 0 1; do cmp '%s/cup/scan01/scan01_00'$p.jpg "
			     "'%s/cup/scan01_00'$p.jpg; done",
			     w->device.project_dir, out));
}

static const struct test tests[] = {
	TEST_WITH(a_download_that_fills_the_disk_can_be_continued, later),
	TEST_WITH(a_model_without_room_to_unpack_can_be_unpacked_later, later),
	TEST_WITH(a_stack_without_room_is_made_later, later),
	TEST_WITH(an_export_without_room_is_made_later, later),
};

int main(int argc, char **argv)
{
	return world_run("full_disk", tests, sizeof(tests) / sizeof(tests[0]), argc,
			 argv);
}
