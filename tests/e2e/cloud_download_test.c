/* Downloading a model from a cloud into its project: completely or not at all. */
#include "tests/support/cloud.h"
#include "tests/support/script.h"
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODEL_BYTES 3000000

static const struct world_options later = {.agent_later = true};

static const char *in_project(struct world *w, const char *path)
{
	return quoted(w, "%s/%s", w->device.project_dir, path);
}

static void start_with(struct world *w, const char *more)
{
	cloud_start(w, false);
	device_settings(&w->device, cloud_settings(w, more));
	cloud_uploaded_cup(w);
	cloud_model(w, CLOUD_MODEL);
	world_start_agent(w);
}

static void start(struct world *w)
{
	start_with(w, "'timeout_s':3");
}

static bool marked(struct world *w)
{
	return bool_at(
		parsed(w, wait_file(w, in_project(w, "cup/openscan_project.json"), "{")),
		"downloaded");
}

/* Complete, byte for byte, and nothing else. */
static void assert_model(struct world *w)
{
	run_script(w, quoted(w,
			     "mkdir -p right; cd right; python3 -m zipfile -e "
			     "../cloud/model.zip .; diff -r . '%s'; cd ..; rm -r right",
			     in_project(w, "cup/model")));
	assert_true(marked(w));
	assert_false(file_exists(in_project(w, "cup/.cloud-download.zip")));
	assert_false(file_exists(in_project(w, "cup/.cloud-model")));
}

static void a_model_is_stored_in_its_project(struct world *w)
{
	start(w);

	cloud_download(w, "d");
	const cJSON *task = wait_status(w, "d", "completed");

	assert_string_equal(text_at(task, "result.project"), "cup");
	assert_true(number_at(task, "result.bytes") > MODEL_BYTES);
	assert_true(number_at(task, "result.files") == 3);
	assert_model(w);
}

static void a_new_model_replaces_the_old_one(struct world *w)
{
	start(w);
	mkdir(in_project(w, "cup/model"), 0755);
	assert_int_equal(file_write(in_project(w, "cup/model/old.obj"), "old", 3), 0);

	cloud_download(w, "d");
	wait_status(w, "d", "completed");

	assert_model(w);
	assert_false(file_exists(in_project(w, "cup/model/old.obj")));
}

static void downloads_despite(struct world *w, const char *faults)
{
	start(w);
	cloud_faults(w, faults);

	cloud_download(w, "d");
	wait_status(w, "d", "completed");

	assert_model(w);
}

static void a_broken_download_continues_where_it_broke(struct world *w)
{
	downloads_despite(w, "getProjectInfo status 500\ndownload reset 1000000\n"
			     "download short 500000\ndownload ok\n");

	assert_int_equal(cloud_requests(w, "200 from 0"), 1);
	assert_int_equal(cloud_requests(w, "206 from"), 2);
}

static void a_changed_file_is_downloaded_from_the_start(struct world *w)
{
	downloads_despite(w, "download reset 1000000\ndownload changed\n");

	assert_int_equal(cloud_requests(w, "download changed 200 from 0"), 1);
}

static void a_server_without_ranges_or_lengths_works(struct world *w)
{
	downloads_despite(w, "download reset 1000000\ndownload norange\n"
			     "download away\ndownload nolength\n");
	cloud_download(w, "e");
	wait_status(w, "e", "completed");

	assert_model(w);
	assert_int_equal(cloud_requests(w, "download norange 200 from 0"), 1);
	assert_int_equal(cloud_requests(w, "download nolength 200 from 0"), 1);
}

static void a_killed_agent_continues_the_download(struct world *w)
{
	start(w);
	cloud_faults(w, "download slow 500000\ndownload ok\n");

	cloud_download(w, "d");
	wait_step(w, "d", 300000);
	world_restart_agent(w);
	const cJSON *task = wait_status(w, "d", "completed");

	assert_true(number_at(task, "resumed") == 1);
	assert_int_equal(cloud_requests(w, "206 from"), 1);
	assert_model(w);
}

static void
a_paused_download_continues_and_a_cancelled_one_leaves_nothing(struct world *w)
{
	start(w);
	cloud_faults(w, "download slow 500000\ndownload slow 500000\n");
	cloud_download(w, "d");
	wait_step(w, "d", 300000);

	ask_ok(w, "task/pause", "{'id':'d'}");
	wait_status(w, "d", "paused");
	assert_false(file_exists(in_project(w, "cup/model")));
	ask_refused(w, "task/create", "invalid_state",
		    "{'type':'cloud_download_task','args':{'project':'cup'}}");
	ask_ok(w, "task/resume", "{'id':'d'}");
	cloud_wait_requests(w, "206 from", 1);
	ask_ok(w, "task/cancel", "{'id':'d'}");
	wait_status(w, "d", "cancelled");

	assert_false(marked(w));
	assert_false(file_exists(in_project(w, "cup/model")));
	ask_ok(w, "task/restart", "{'id':'d','from':'checkpoint'}");
	wait_status(w, "d", "completed");
	assert_model(w);
}

static void a_model_that_is_not_ready_is_asked_for_three_times(struct world *w)
{
	start(w);
	cloud_faults(w, "getProjectInfo notready\ngetProjectInfo notready\n"
			"getProjectInfo notready\n");

	cloud_download(w, "d");
	const cJSON *task = wait_status(w, "d", "error");

	assert_non_null(strstr(text_at(task, "error.message"), "not ready"));
	assert_int_equal(cloud_requests(w, "getProjectInfo"), 3);
	cloud_download(w, "e");
	wait_status(w, "e", "completed");
	assert_model(w);
}

/* ---- malicious archives ---- */

static void a_bad_archive_is_refused_completely(struct world *w)
{
	static const struct {
		const char *line, *sentence;
	} cases[] = {
		{"z.writestr('good.txt', 'x')\nz.writestr('../evil.txt', 'x')",
		 "../evil"},
		{"z.writestr('a/../../evil.txt', 'x')", "evil"},
		{"i = zipfile.ZipInfo('x')\ni.filename = '/tmp/openscan-evil.txt'\n"
		 "z.writestr(i, 'x')",
		 "openscan-evil"},
		{"i = zipfile.ZipInfo('link')\ni.external_attr = 0o120777 << 16\n"
		 "z.writestr(i, '/etc')\nz.writestr('link/evil.txt', 'x')",
		 "neither a file nor a folder"},
		{"i = zipfile.ZipInfo('x')\ni.filename = 'a\\\\..\\\\evil.txt'\n"
		 "z.writestr(i, 'x')",
		 "refused"},
		{"[z.writestr(f'f{i}', '') for i in range(10001)]", "more than 10000"},
		{"z.writestr('one', 'a')\nz.writestr('one', 'b')", "one"},
	};

	start(w);
	mkdir(in_project(w, "cup/model"), 0755);
	assert_int_equal(file_write(in_project(w, "cup/model/old.obj"), "old", 3), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *id = quoted(w, "d%zu", i);

		cloud_model(w, cases[i].line);
		cloud_download(w, id);
		const cJSON *task = wait_status(w, id, "error");

		if (!strstr(text_at(task, "error.message"), cases[i].sentence))
			fail_msg("%s: %s", cases[i].line, text_at(task, "error.message"));
	}

	assert_true(file_exists(in_project(w, "cup/model/old.obj")));
	assert_false(file_exists(in_project(w, "cup/model/good.txt")));
	assert_false(file_exists(in_project(w, "evil.txt")));
	assert_false(file_exists("/tmp/openscan-evil.txt"));
	assert_false(file_exists(in_project(w, "cup/.cloud-model")));
	assert_false(file_exists(in_project(w, "cup/.cloud-download.zip")));
	assert_false(marked(w));
}

static void a_file_that_is_no_archive_is_reported(struct world *w)
{
	start(w);
	run_script(w, "head -c 100000 /dev/urandom > cloud/model.zip");

	cloud_download(w, "d");
	const cJSON *task = wait_status(w, "d", "error");

	assert_non_null(strstr(text_at(task, "error.message"), "no whole ZIP archive"));
	cloud_model(w, CLOUD_MODEL);
	ask_ok(w, "task/restart", "{'id':'d','from':'checkpoint'}");
	wait_status(w, "d", "completed");
	assert_model(w);
}

static void a_lack_of_disk_space_is_reported_in_advance(struct world *w)
{
	start_with(w, "'timeout_s':3},'projects':{'min_free_mb':1000000000");

	cloud_download(w, "d");
	const cJSON *task = wait_status(w, "d", "error");

	assert_string_equal(text_at(task, "error.code"), "storage_full");
	assert_false(marked(w));
}

static void a_project_that_was_not_uploaded_needs_a_name(struct world *w)
{
	start(w);
	ask_ok(w, "project/create", "{'project':'vase'}");

	ask_ok(w, "task/create",
	       "{'id':'d','type':'cloud_download_task','args':{'project':'vase'}}");
	const cJSON *task = wait_status(w, "d", "error");
	ask_ok(w, "task/create",
	       "{'id':'e','type':'cloud_download_task','args':{'project':'vase',"
	       "'remote_project':'cup-1.zip'}}");
	wait_status(w, "e", "completed");
	const cJSON *dry = ask_ok(w, "task/create",
				  "{'type':'cloud_download_task','dry_run':true,"
				  "'args':{'project':'vase'}}");

	assert_non_null(strstr(text_at(task, "error.message"), "remote_project"));
	assert_true(file_exists(in_project(w, "vase/model/mesh/model.obj")));
	assert_int_equal(count_at(dry, "data.problems"), 1);
}

static const struct test tests[] = {
	TEST_WITH(a_model_is_stored_in_its_project, later),
	TEST_WITH(a_new_model_replaces_the_old_one, later),
	TEST_WITH(a_broken_download_continues_where_it_broke, later),
	TEST_WITH(a_changed_file_is_downloaded_from_the_start, later),
	TEST_WITH(a_server_without_ranges_or_lengths_works, later),
	TEST_WITH(a_killed_agent_continues_the_download, later),
	TEST_WITH(a_paused_download_continues_and_a_cancelled_one_leaves_nothing, later),
	TEST_WITH(a_model_that_is_not_ready_is_asked_for_three_times, later),
	TEST_WITH(a_bad_archive_is_refused_completely, later),
	TEST_WITH(a_file_that_is_no_archive_is_reported, later),
	TEST_WITH(a_lack_of_disk_space_is_reported_in_advance, later),
	TEST_WITH(a_project_that_was_not_uploaded_needs_a_name, later),
};

int main(int argc, char **argv)
{
	return world_run("cloud_download", tests, sizeof(tests) / sizeof(tests[0]), argc,
			 argv);
}
