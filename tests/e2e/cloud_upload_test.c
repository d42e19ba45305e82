/* Uploading the photos of a project to a cloud, a directory or a WebDAV server, with all
 * kinds of failures. */
#include "tests/support/cloud.h"
#include "tests/support/script.h"
#include "tests/support/world.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PHOTO_BYTES 300000
#define PHOTOS 6

static const struct world_options later = {.agent_later = true};

static const char *in_project(struct world *w, const char *path)
{
	return quoted(w, "%s/%s", w->device.project_dir, path);
}

/* Not a picture, but of the same size, and different for each name. */
static void make_file(struct world *w, const char *path, size_t size)
{
	unsigned char *bytes = malloc(size + 1);
	unsigned seed = 1;

	for (const char *c = path; *c; c++)
		seed = seed * 31 + (unsigned char)*c;
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(seed >> 24);
	}
	assert_int_equal(file_write(in_project(w, path), bytes, size), 0);
	free(bytes);
}

/* A project with a scan of count photos, as OpenScan3 writes it. */
static void make_project(struct world *w, const char *name, int photos)
{
	mkdir(w->device.project_dir, 0755);
	mkdir(in_project(w, name), 0755);
	mkdir(in_project(w, quoted(w, "%s/scan01", name)), 0755);
	for (int i = 0; i < photos; i++)
		make_file(w, quoted(w, "%s/scan01/scan01_%03d.jpg", name, i),
			  PHOTO_BYTES + (size_t)i * 1000);
	const char *project =
		quoted(w, "{'name':'%s','uploaded':false,'scans':{}}", name);
	assert_int_equal(
		file_write(in_project(w, quoted(w, "%s/openscan_project.json", name)),
			   project, strlen(project)),
		0);
}

/* Starts a server, an agent that uses it, and makes the project "cup". */
static void start_with(struct world *w, bool tls, const char *more)
{
	cloud_start(w, tls);
	device_settings(&w->device, cloud_settings(w, more));
	make_project(w, "cup", PHOTOS);
	world_start_agent(w);
}

static void start(struct world *w)
{
	start_with(w, false, "'split_size':500000");
}

static void upload(struct world *w, const char *id, const char *target)
{
	ask_ok(w, "task/create",
	       "{'id':'%s','type':'cloud_upload_task','args':{'project':'cup',"
	       "'target':'%s'}}",
	       id, target);
}

static const cJSON *project_document(struct world *w)
{
	return parsed(w, wait_file(w, in_project(w, "cup/openscan_project.json"), "{"));
}

/* Uploads it to a directory first: the server must get the same bytes. */
static void expect_the_same_as_in_a_folder(struct world *w, int split)
{
	glob_t found;

	upload(w, "reference", "directory");
	wait_status(w, "reference", "completed");
	assert_int_equal(glob(below(w, "out/cup-*.zip"), 0, NULL, &found), 0);
	const char *expect = quoted(w, "%d %s\n", split, found.gl_pathv[0]);
	assert_int_equal(file_write(cloud_path(w, "expect"), expect, strlen(expect)), 0);
	globfree(&found);
}

static void start_with_expectation(struct world *w)
{
	assert_int_equal(mkdir(below(w, "out"), 0755), 0);
	start_with(w, false,
		   quoted(w, "'split_size':500000,'directory':'%s','timeout_s':3",
			  below(w, "out")));
	expect_the_same_as_in_a_folder(w, 500000);
}

static void assert_archive_holds_all(struct world *w)
{
	const char *archive = wait_file(w, cloud_path(w, "archive"), "end\n");

	assert_null(strstr(archive, "wrong size"));
	assert_null(strstr(archive, "damaged"));
	assert_null(strstr(archive, "bad zip"));
	assert_null(strstr(archive, "not stored"));
	for (int i = 0; i < PHOTOS; i++)
		assert_non_null(strstr(archive, quoted(w, "scan01_%03d.jpg", i)));
}

/* ---- uploads ---- */

static void an_upload_arrives_part_by_part(struct world *w)
{
	start(w);

	upload(w, "u", "openscancloud");
	const cJSON *task = wait_status(w, "u", "completed");

	int parts = (int)number_at(task, "result.parts");
	assert_int_equal(parts, 4);
	assert_true(number_at(task, "result.photos") == PHOTOS);
	assert_true(number_at(task, "result.bytes") > PHOTOS * PHOTO_BYTES);
	assert_true(number_at(task, "progress.current") ==
		    number_at(task, "result.bytes"));
	assert_archive_holds_all(w);
	assert_int_equal(cloud_requests(w, "createProject ok 200"), 1);
	assert_int_equal(cloud_requests(w, "part ok 200"), parts);
	assert_int_equal(cloud_requests(w, "startProject ok 200"), 1);
	const cJSON *project = project_document(w);
	assert_true(bool_at(project, "uploaded"));
	assert_string_equal(text_at(project, "cloud_project_name"),
			    text_at(task, "result.remote_project"));
	assert_int_equal(strncmp(text_at(project, "cloud_project_name"), "cup-", 4), 0);
}

static void progress_grows_within_a_part_with_rate_and_remaining_time(struct world *w)
{
	start_with(w, false, "");
	cloud_faults(w, "part slow 600000\n");
	size_t mark = client_mark(w->client);

	upload(w, "u", "openscancloud");
	wait_message(w, mark, BASE "/task/u/progress", "kB/s");
	wait_message(w, mark, BASE "/task/u/progress", "left");
	wait_status(w, "u", "completed");

	double last = 0;
	int updates = 0;
	for (size_t i = mark; i < client_mark(w->client); i++) {
		const struct message *message = client_at(w->client, i);

		if (strcmp(message->topic, BASE "/task/u/progress") != 0)
			continue;
		double now = number_at(document(w, message), "current");
		assert_true(now >= last);
		updates += now > last;
		last = now;
	}
	assert_true(updates >= 3);
}

static void merged_photos_replace_those_of_their_scan(struct world *w)
{
	start(w);
	for (int scan = 2; scan <= 3; scan++) {
		mkdir(in_project(w, quoted(w, "cup/scan%02d", scan)), 0755);
		for (int i = 0; i < 4; i++)
			make_file(w,
				  quoted(w, "cup/scan%02d/scan%02d_000_fs%02d.jpg", scan,
					 scan, i),
				  1000);
	}
	mkdir(in_project(w, "cup/scan02/stacked"), 0755);
	mkdir(in_project(w, "cup/model"), 0755);
	mkdir(in_project(w, "cup/scan02/metadata"), 0755);
	make_file(w, "cup/scan02/stacked/stacked_scan02_000.jpg", 5000);
	make_file(w, "cup/thumbnail.jpg", 500);
	make_file(w, "cup/scan03/contact_sheet.jpg", 500);
	make_file(w, "cup/scan03/scan03_001.npy", 500);
	make_file(w, "cup/scan03/scan01_000.jpg", 700);
	make_file(w, "cup/model/texture.jpg", 500);
	make_file(w, "cup/scan01/empty.jpeg", 0);

	upload(w, "u", "openscancloud");
	const cJSON *task = wait_status(w, "u", "completed");

	const char *archive = wait_file(w, cloud_path(w, "archive"), "end\n");
	assert_archive_holds_all(w);
	assert_non_null(strstr(archive, "\nstacked_scan02_000.jpg"));
	assert_non_null(strstr(archive, "\nscan03_000_fs03.jpg"));
	assert_non_null(strstr(archive, "\nscan03_scan01_000.jpg"));
	assert_non_null(strstr(archive, "empty.jpeg"));
	assert_null(strstr(archive, "scan02_000_fs"));
	assert_null(strstr(archive, "thumbnail"));
	assert_null(strstr(archive, "texture"));
	assert_null(strstr(archive, "contact"));
	assert_null(strstr(archive, "npy"));
	assert_true(number_at(task, "result.photos") == PHOTOS + 7);
}

static void a_webdav_upload_stores_the_parts_as_files(struct world *w)
{
	start(w);

	upload(w, "u", "webdav");
	const cJSON *task = wait_status(w, "u", "completed");

	const char *name = text_at(task, "result.remote_project");
	for (int i = 1; i <= 4; i++)
		assert_true(
			file_exists(cloud_path(w, quoted(w, "dav/%s.%03d", name, i))));
	run_script(w,
		   quoted(w,
			  "cat cloud/dav/*.zip.* > joined.zip && "
			  "python3 -m zipfile -t joined.zip && "
			  "test $(python3 -m zipfile -l joined.zip | grep -c jpg) = %d",
			  PHOTOS));
}

static void a_directory_upload_is_one_file(struct world *w)
{
	assert_int_equal(mkdir(below(w, "out"), 0755), 0);
	start_with(w, false,
		   quoted(w, "'split_size':500000,'directory':'%s'", below(w, "out")));

	upload(w, "u", "directory");
	const cJSON *task = wait_status(w, "u", "completed");

	const char *file = quoted(w, "out/%s", text_at(task, "result.remote_project"));
	struct stat st;
	assert_int_equal(stat(below(w, file), &st), 0);
	assert_true((double)st.st_size == number_at(task, "result.bytes"));
	run_script(w,
		   quoted(w, "python3 -m zipfile -t %s; test ! -e %s.part", file, file));
}

/* ---- failures ---- */

static void a_bad_network_only_costs_time(struct world *w)
{
	start_with_expectation(w);
	cloud_faults(w, "createProject status 503\npart status 500\npart ok\n"
			"part reset 200000\npart slow 1000000\npart status 429\n"
			"startProject reset 0\n");

	upload(w, "u", "openscancloud");
	wait_status(w, "u", "completed");

	assert_archive_holds_all(w);
	assert_int_equal(cloud_requests(w, "part reset reset"), 1);
	assert_int_equal(cloud_requests(w, " 422"), 0);
	assert_int_equal(cloud_requests(w, "part ok 200"), 3);
	assert_int_equal(cloud_requests(w, "part slow 200"), 1);
	assert_int_equal(cloud_requests(w, "startProject ok 200"), 1);
}

static void a_silent_server_is_asked_again(struct world *w)
{
	start_with_expectation(w);
	cloud_faults(w, "createProject hang\npart hang\n");

	upload(w, "u", "openscancloud");
	wait_status(w, "u", "completed");

	assert_int_equal(cloud_requests(w, "hang hang"), 2);
	assert_archive_holds_all(w);
}

static void a_killed_agent_continues_with_the_part_in_flight(struct world *w)
{
	start_with_expectation(w);
	cloud_faults(w, "part ok\npart slow 200000\npart ok\n");

	upload(w, "u", "openscancloud");
	cloud_wait_requests(w, "part ok 200", 1);
	wait_step(w, "u", 600000);
	world_restart_agent(w);
	const cJSON *task = wait_status(w, "u", "completed");

	assert_true(number_at(task, "resumed") == 1);
	assert_archive_holds_all(w);
	assert_int_equal(cloud_requests(w, "createProject ok 200"), 1);
	/* The first part was sent only once. */
	assert_int_equal(cloud_requests(w, "part ok 200"), 4);
	assert_int_equal(cloud_requests(w, " 422"), 0);
	assert_int_equal(cloud_requests(w, "startProject ok 200"), 1);
}

static void a_killed_agent_continues_with_the_file_in_a_directory(struct world *w)
{
	assert_int_equal(mkdir(below(w, "out"), 0755), 0);
	make_project(w, "cup", 100);
	device_slow_disk(&w->device, 100); /* by which each part is delayed */
	start_with(w, false,
		   quoted(w, "'split_size':1000000,'directory':'%s'", below(w, "out")));

	upload(w, "u", "directory");
	wait_step(w, "u", 3000000);
	world_restart_agent(w);
	const cJSON *task = wait_status(w, "u", "completed");

	assert_true(number_at(task, "resumed") == 1);
	run_script(w, quoted(w, "python3 -m zipfile -t out/%s",
			     text_at(task, "result.remote_project")));
}

static void a_changed_project_is_uploaded_from_the_start(struct world *w)
{
	start(w);
	cloud_faults(w, "part ok\npart slow 200000\npart ok\n");
	upload(w, "u", "openscancloud");
	wait_step(w, "u", 600000);
	ask_ok(w, "task/cancel", "{'id':'u'}");
	wait_status(w, "u", "cancelled");
	make_file(w, "cup/scan01/scan01_002.jpg", 20000);

	ask_ok(w, "task/restart", "{'id':'u','from':'checkpoint'}");
	wait_status(w, "u", "completed");

	assert_archive_holds_all(w);
	assert_int_equal(cloud_requests(w, "createProject ok 200"), 2);
}

static void a_paused_upload_sends_nothing(struct world *w)
{
	start_with_expectation(w);
	cloud_faults(w, "part ok\npart slow 200000\npart ok\n");
	upload(w, "u", "openscancloud");
	wait_step(w, "u", 600000);

	ask_ok(w, "task/pause", "{'id':'u'}");
	wait_status(w, "u", "paused");
	cloud_wait_requests(w, "part slow cut", 1);
	size_t parts = cloud_requests(w, "part ok 200");
	deadline_let_pass(500);
	assert_int_equal(cloud_requests(w, "part ok 200"), parts);
	ask_ok(w, "task/resume", "{'id':'u'}");

	wait_status(w, "u", "completed");
	assert_archive_holds_all(w);
}

static void a_cancelled_upload_leaves_nothing(struct world *w)
{
	start(w);
	cloud_faults(w, "part slow 50000\n");
	upload(w, "u", "openscancloud");
	wait_step(w, "u", 100);

	int64_t asked = deadline_now();
	ask_ok(w, "task/cancel", "{'id':'u'}");
	const cJSON *task = wait_status(w, "u", "cancelled");

	assert_true(deadline_now() - asked < deadline_patient(2000));
	assert_true(cJSON_IsNull(at(task, "result")));
	assert_false(bool_at(project_document(w), "uploaded"));
	assert_int_equal(cloud_requests(w, "startProject"), 0);
}

static void a_permanent_server_error_is_reported_with_advice(struct world *w)
{
	start(w);
	static const struct {
		const char *faults, *sentence;
	} cases[] = {
		{"createProject links 3\n", "3 places to upload to instead of 4"},
		{"createProject ok\npart status 507\n", "has no room"},
		{"createProject ok\ncreateProject ok\npart ok\npart status 403\n",
		 "check the settings cloud.*"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *id = quoted(w, "u%zu", i);

		cloud_faults(w, cases[i].faults);
		upload(w, id, "openscancloud");
		const cJSON *task = wait_status(w, id, "error");

		assert_non_null(
			strstr(text_at(task, "error.message"), cases[i].sentence));
		assert_null(strstr(text_at(task, "error.message"), CLOUD_TOKEN));
		assert_false(bool_at(project_document(w), "uploaded"));
	}
}

/* ---- refusals ---- */

static void a_second_upload_of_the_same_project_is_refused(struct world *w)
{
	start(w);
	cloud_faults(w, "part slow 50000\n");
	upload(w, "u", "openscancloud");
	wait_step(w, "u", 100);

	const cJSON *running =
		ask_refused(w, "task/create", "invalid_state",
			    "{'type':'cloud_upload_task','args':{'project':'cup'}}");
	ask_ok(w, "task/pause", "{'id':'u'}");
	wait_status(w, "u", "paused");
	world_restart_agent(w);
	ask_refused(w, "task/create", "invalid_state",
		    "{'type':'cloud_upload_task','args':{'project':'cup'}}");

	assert_non_null(strstr(text_at(running, "message"), "'u'"));
	cloud_faults(w, "");
	ask_ok(w, "task/resume", "{'id':'u'}");
	wait_status(w, "u", "completed");
}

static void an_uploaded_project_is_uploaded_again_only_on_request(struct world *w)
{
	start(w);
	upload(w, "u", "openscancloud");
	wait_status(w, "u", "completed");

	upload(w, "v", "openscancloud");
	const cJSON *refused = wait_status(w, "v", "error");
	ask_ok(w, "task/create",
	       "{'id':'x','type':'cloud_upload_task','args':{'project':'cup',"
	       "'again':true}}");
	const cJSON *again = wait_status(w, "x", "completed");

	assert_string_equal(text_at(refused, "error.code"), "invalid_state");
	assert_non_null(strstr(text_at(refused, "error.message"), "again"));
	assert_string_equal(text_at(project_document(w), "cloud_project_name"),
			    text_at(again, "result.remote_project"));
}

static const char *why_not(struct world *w, const char *id, const char *target)
{
	upload(w, id, target);
	return text_at(wait_status(w, id, "error"), "error.message");
}

static void missing_settings_are_named(struct world *w)
{
	make_project(w, "cup", 1);
	world_start_agent(w);

	const char *cloud = why_not(w, "a", "openscancloud");
	const char *directory = why_not(w, "b", "directory");
	const char *webdav = why_not(w, "c", "webdav");

	assert_non_null(strstr(cloud, "cloud is not configured"));
	assert_non_null(strstr(cloud, "cloud.host"));
	assert_non_null(strstr(cloud, "cloud.token_file"));
	assert_non_null(strstr(directory, "cloud.directory"));
	assert_non_null(strstr(webdav, "cloud.webdav_url"));
	ask_refused(w, "settings/set", "invalid_args",
		    "{'values':{'cloud.host':'https://example.org'}}");
	const cJSON *dry = ask_ok(w, "task/create",
				  "{'type':'cloud_upload_task','dry_run':true,"
				  "'args':{'project':'cup'}}");
	assert_int_equal(count_at(dry, "data.problems"), 1);
	assert_true(number_at(dry, "data.photos") == 1);
	assert_true(number_at(dry, "data.bytes") == PHOTO_BYTES);
}

static void nothing_is_sent_unencrypted_without_permission(struct world *w)
{
	cloud_start(w, false);
	char *settings = strdup(cloud_settings(w, ""));
	char *leave = strstr(settings, "\"allow_http\":true");
	memcpy(leave, "\"allow_http\":null", 17);
	memmove(leave + 13, leave + 17, strlen(leave + 17) + 1);
	memcpy(leave, "\"timeout_s\":9", 13);
	device_settings(&w->device, settings);
	free(settings);
	make_project(w, "cup", 1);
	world_start_agent(w);

	const char *why = why_not(w, "u", "openscancloud");

	assert_non_null(strstr(why, "cloud.allow_http"));
	assert_false(file_exists(cloud_path(w, "requests")));
}

static void a_secret_that_others_can_read_is_not_used(struct world *w)
{
	start(w);
	assert_int_equal(chmod(cloud_path(w, "token"), 0644), 0);

	const char *why = why_not(w, "u", "openscancloud");

	assert_non_null(strstr(why, "0600"));
	assert_false(file_exists(cloud_path(w, "requests")));
}

static void an_unknown_or_empty_project_is_refused(struct world *w)
{
	start(w);
	make_project(w, "bare", 0);

	ask_ok(w, "task/create",
	       "{'id':'a','type':'cloud_upload_task','args':{'project':'nobody'}}");
	ask_ok(w, "task/create",
	       "{'id':'b','type':'cloud_upload_task','args':{'project':'bare'}}");

	assert_string_equal(text_at(wait_status(w, "a", "error"), "error.code"),
			    "not_found");
	assert_non_null(strstr(text_at(wait_status(w, "b", "error"), "error.message"),
			       "no JPEG"));
}

/* ---- secrets and TLS ---- */

static void the_token_appears_nowhere(struct world *w)
{
	start(w);
	size_t size;
	cloud_faults(w, "createProject status 400\n");

	ask_ok(w, "task/create",
	       "{'id':'a','type':'cloud_upload_task','args':{'project':'cup',"
	       "'token':'" CLOUD_TOKEN "'}}");
	wait_status(w, "a", "error");
	ask_ok(w, "task/create",
	       "{'id':'b','type':'cloud_upload_task','args':{'project':'cup',"
	       "'token':'" CLOUD_TOKEN "'}}");
	wait_status(w, "b", "completed");
	ask_ok(w, "task/get", "{'id':'b'}");
	ask_ok(w, "task/log", "{'id':'a'}");

	assert_nowhere(w->device.log, CLOUD_TOKEN);
	for (size_t i = 0; i < client_mark(w->client); i++) {
		const struct message *message = client_at(w->client, i);

		if (!strstr(message->topic, "/cmd/"))
			assert_null(memmem(message->payload, message->size, CLOUD_TOKEN,
					   strlen(CLOUD_TOKEN)));
	}
	char *line =
		file_read(quoted(w, "/proc/%d/cmdline", (int)w->device.child.pid), &size);
	assert_null(memmem(line ? line : "", line ? size : 0, CLOUD_TOKEN,
			   strlen(CLOUD_TOKEN)));
	free(line);
}

static void a_trusted_certificate_is_required_and_sufficient(struct world *w)
{
	cloud_start(w, true);
	make_authority(w, "other");
	make_project(w, "cup", PHOTOS);
	device_settings(&w->device, cloud_settings(w, quoted(w, "'ca_file':'%s'",
							     below(w, "other.pem"))));
	world_start_agent(w);

	const char *why = why_not(w, "a", "openscancloud");
	assert_non_null(strstr(why, "certificate is not trusted"));
	assert_non_null(strstr(why, "cloud.ca_file"));
	assert_false(file_exists(cloud_path(w, "requests")));

	world_stop_agent(w);
	device_settings(&w->device, cloud_settings(w, quoted(w, "'ca_file':'%s'",
							     below(w, "ca.pem"))));
	world_start_agent(w);
	upload(w, "b", "openscancloud");
	wait_status(w, "b", "completed");
	assert_archive_holds_all(w);
}

/* ---- chains ---- */

static void a_scan_and_its_upload_survive_a_restart(struct world *w)
{
	start_with(w, false, "'split_size':3000");

	ask_ok(w, "task/create",
	       "{'id':'s','type':'scan_task','args':{'project':'vase','settings':{"
	       "'points':8}},'then':[{'type':'cloud_upload_task'}]}");
	wait_step(w, "s", 2);
	world_restart_agent(w);

	const cJSON *task = wait_status(w, "s-1", "completed");
	assert_string_equal(text_at(task, "result.project"), "vase");
	assert_true(number_at(task, "result.photos") == 8);
	const char *archive = wait_file(w, cloud_path(w, "archive"), "end\n");
	assert_non_null(strstr(archive, "scan01_007.jpg"));
}

static void a_scan_that_fails_is_not_uploaded(struct world *w)
{
	start(w);

	ask_ok(w, "task/create",
	       "{'id':'s','type':'scan_task','args':{'project':'vase','settings':{"
	       "'min_theta':170}},'then':[{'type':'cloud_upload_task'}]}");
	const cJSON *task = wait_status(w, "s-1", "error");

	assert_string_equal(text_at(task, "error.code"), "dependency_failed");
	assert_false(file_exists(cloud_path(w, "requests")));
}

static const struct test tests[] = {
	TEST_WITH(an_upload_arrives_part_by_part, later),
	TEST_WITH(progress_grows_within_a_part_with_rate_and_remaining_time, later),
	TEST_WITH(merged_photos_replace_those_of_their_scan, later),
	TEST_WITH(a_webdav_upload_stores_the_parts_as_files, later),
	TEST_WITH(a_directory_upload_is_one_file, later),
	TEST_WITH(a_bad_network_only_costs_time, later),
	TEST_WITH(a_silent_server_is_asked_again, later),
	TEST_WITH(a_killed_agent_continues_with_the_part_in_flight, later),
	TEST_WITH(a_killed_agent_continues_with_the_file_in_a_directory, later),
	TEST_WITH(a_changed_project_is_uploaded_from_the_start, later),
	TEST_WITH(a_paused_upload_sends_nothing, later),
	TEST_WITH(a_cancelled_upload_leaves_nothing, later),
	TEST_WITH(a_permanent_server_error_is_reported_with_advice, later),
	TEST_WITH(a_second_upload_of_the_same_project_is_refused, later),
	TEST_WITH(an_uploaded_project_is_uploaded_again_only_on_request, later),
	TEST_WITH(missing_settings_are_named, later),
	TEST_WITH(nothing_is_sent_unencrypted_without_permission, later),
	TEST_WITH(a_secret_that_others_can_read_is_not_used, later),
	TEST_WITH(an_unknown_or_empty_project_is_refused, later),
	TEST_WITH(the_token_appears_nowhere, later),
	TEST_WITH(a_trusted_certificate_is_required_and_sufficient, later),
	TEST_WITH(a_scan_and_its_upload_survive_a_restart, later),
	TEST_WITH(a_scan_that_fails_is_not_uploaded, later),
};

int main(int argc, char **argv)
{
	return world_run("cloud_upload", tests, sizeof(tests) / sizeof(tests[0]), argc,
			 argv);
}
