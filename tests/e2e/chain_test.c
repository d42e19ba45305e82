/* One message that scans, stacks and uploads: each task takes its missing arguments from
 * the previous one, and the chain survives kills of the agent. */
#include "tests/support/cloud.h"
#include "tests/support/world.h"

#include <stdio.h>
#include <string.h>

#define POINTS 12
#define STACKS 3
#define SLOW_MS 20 /* a stack of small photos would be done before a kill */

static const struct world_options later = {.agent_later = true};

/* Starts a server, an agent that uses it, and the tasks "s", "s-1" and "s-2". */
static void start_chain(struct world *w, int stacks, const char *faults)
{
	cloud_start(w, false);
	cloud_faults(w, faults);
	device_settings(&w->device, cloud_settings(w, "'split_size':30000"));
	world_start_agent(w);
	ask_ok(w, "task/create",
	       "{'id':'s','type':'scan_task','args':{'project':'cup','settings':"
	       "{'points':%d,'focus_stacks':%d}},'then':[{'type':'focus_stacking_task'},"
	       "{'type':'cloud_upload_task'}]}",
	       POINTS, stacks);
}

static void kill_in_step(struct world *w, const char *id, double step)
{
	wait_step(w, id, step);
	world_restart_agent(w);
}

static const cJSON *completed_after_a_kill(struct world *w, const char *id)
{
	const cJSON *task = wait_status(w, id, "completed");

	assert_true(number_at(task, "resumed") == 1);
	return task;
}

static void assert_uploaded_once(struct world *w, const cJSON *upload)
{
	const char *archive = wait_file(w, cloud_path(w, "archive"), "end\n");

	assert_true(number_at(upload, "result.photos") == POINTS);
	for (int i = 0; i < POINTS; i++)
		assert_non_null(strstr(archive, quoted(w, "stacked_scan01_%03d.jpg", i)));
	assert_null(strstr(archive, "_fs"));
	assert_null(strstr(archive, "damaged"));
	assert_int_equal(cloud_requests(w, "createProject ok 200"), 1);
	assert_int_equal(cloud_requests(w, "startProject ok 200"), 1);
}

static void assert_scanned_once(struct world *w)
{
	const cJSON *project = ask_ok(w, "project/get", "{'project':'cup'}");
	const char *path = quoted(w, "%s/cup/scan01/scan.json", w->device.project_dir);
	const cJSON *scan = parsed(w, wait_file(w, path, "}"));

	assert_true(number_at(project, "data.photos") == POINTS * STACKS);
	assert_int_equal(count_at(scan, "photos"), POINTS * STACKS + POINTS);
	assert_false(file_exists(quoted(w, "%s/cup/scan02", w->device.project_dir)));
}

static void a_chain_of_scan_stack_and_upload_survives_kills(struct world *w)
{
	start_chain(w, STACKS, "part ok\npart slow 10000\npart ok\n");

	device_slow_disk(&w->device, SLOW_MS);
	kill_in_step(w, "s", 4);
	completed_after_a_kill(w, "s");
	kill_in_step(w, "s-1", 2);
	const cJSON *stack = completed_after_a_kill(w, "s-1");
	assert_int_equal(count_at(stack, "result.outputs"), POINTS);
	kill_in_step(w, "s-2", 35000);
	const cJSON *upload = completed_after_a_kill(w, "s-2");

	assert_string_equal(text_at(upload, "result.project"), "cup");
	assert_uploaded_once(w, upload);
	assert_scanned_once(w);
}

static void nothing_is_uploaded_after_a_stack_has_failed(struct world *w)
{
	start_chain(w, 1, "part ok\n");

	wait_status(w, "s", "completed");
	const cJSON *stack = wait_status(w, "s-1", "error");
	const cJSON *upload = wait_status(w, "s-2", "error");

	assert_string_equal(text_at(stack, "error.code"), "invalid_state");
	assert_string_equal(text_at(upload, "error.code"), "dependency_failed");
	assert_int_equal(cloud_requests(w, "createProject"), 0);
}

static const struct test tests[] = {
	TEST_WITH(a_chain_of_scan_stack_and_upload_survives_kills, later),
	TEST_WITH(nothing_is_uploaded_after_a_stack_has_failed, later),
};

int main(int argc, char **argv)
{
	return world_run("chain", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
