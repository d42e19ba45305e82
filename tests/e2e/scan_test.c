/* Scans, seen from outside: photos on disk, each once and complete, whatever happens. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXCLUSIVE "exclusive_demo_task"

/* Ten times faster than a real rig: slow enough for the test to act in the middle. */
static const struct world_options ten_times = {.sim_speed = "10"};
static const struct world_options four_times = {.sim_speed = "4"};

/* A rig whose camera has these faults. */
#define FAULTY(faults)                                                                   \
	"{'name':'Faulty','backend':'simulated','cameras':{'sim':{'settings':"           \
	"{'shutter':5,'orientation_flag':1,'crop_width':0,'crop_height':0,"              \
	"'photo_resolution':[164,122]}}},'motors':{"                                     \
	"'rotor':{'acceleration':20000,'max_speed':5000,'steps_per_rotation':42667,"     \
	"'min_angle':0,'max_angle':140,'home_angle':90},"                                \
	"'turntable':{'acceleration':5000,'max_speed':5000,'steps_per_rotation':3200}}," \
	"'lights':{'ringlight':{'pwm_support':true}},'scan_radius_mm':130,"              \
	"'sim':{'faults':[" faults "]}}"

static const struct world_options now_and_then = {
	.rig = FAULTY("{'kind':'fail','every':3},{'kind':'torn','every':5}")};
static const struct world_options for_good = {
	.rig = FAULTY("{'kind':'fail','photo':3,'times':3},"
		      "{'kind':'hang','photo':9,'times':3}")};
static const struct world_options unplugged = {
	.rig = FAULTY("{'kind':'gone','photo':1}")};

static const cJSON *scan(struct world *w, const char *id, const char *project, int points)
{
	return ask_ok(w, "task/create",
		      "{'id':'%s','type':'scan_task',"
		      "'args':{'project':'%s','settings':{'points':%d}}}",
		      id, project, points);
}

static const char *in_project(struct world *w, const char *path)
{
	return quoted(w, "%s/%s", w->device.project_dir, path);
}

static bool is_whole_jpeg(const char *path)
{
	size_t size = 0;
	char *bytes = file_read(path, &size);
	bool yes = bytes && size > 200 && memcmp(bytes, "\xff\xd8", 2) == 0 &&
		   memcmp(bytes + size - 2, "\xff\xd9", 2) == 0;

	free(bytes);
	return yes;
}

static void assert_photos(struct world *w, const char *folder, int count)
{
	for (int i = 0; i < count; i++)
		if (!is_whole_jpeg(
			    in_project(w, quoted(w, "%s/scan01_%03d.jpg", folder, i))))
			fail_msg("photo %d of %s is missing or broken", i, folder);
}

/* How often the simulated shutter was released. */
static size_t shutters(struct world *w)
{
	return lines_of(quoted(w, "%s/sim/shutter.log", w->device.state_dir));
}

static const cJSON *json_file(struct world *w, const char *path)
{
	return parsed(w, wait_file(w, in_project(w, path), "{"));
}

static void behaviour_23_a_scan_takes_every_photo_and_goes_home(struct world *w)
{
	scan(w, "s", "cup", 6);

	const cJSON *task = wait_status(w, "s", "completed");

	assert_true(number_at(task, "progress.current") == 6);
	assert_true(number_at(task, "progress.total") == 6);
	assert_string_equal(text_at(task, "result.project"), "cup");
	assert_true(number_at(task, "result.photos") == 6);
	assert_int_equal(count_at(task, "result.missing"), 0);
	assert_photos(w, "cup/scan01", 6);
	assert_int_equal(shutters(w), 6);
	assert_int_equal(count_at(json_file(w, "cup/scan01/path.json"), "points"), 6);
	assert_string_equal(text_at(json_file(w, "cup/scan01/scan.json"), "status"),
			    "completed");
	assert_true(file_exists(in_project(w, "cup/openscan_project.json")));
	assert_true(file_exists(in_project(w, "cup/scan01/metadata/scan01_005.json")));
	assert_true(is_whole_jpeg(in_project(w, "cup/scan01/contact_sheet.jpg")));
	wait_value(w, BASE "/motor/rotor", "angle", "90");
	for (int i = 1; i <= 6; i++)
		wait_message(w, 0, BASE "/event", quoted(w, "'done':%d,", i));
	assert_true(client_count(w->client, 0, BASE "/camera/sim/image") > 0);
}

static void a_second_scan_of_a_project_has_the_next_number(struct world *w)
{
	scan(w, "a", "cup", 2);
	scan(w, "b", "cup", 2);

	const cJSON *first = wait_status(w, "a", "completed");
	const cJSON *second = wait_status(w, "b", "completed");

	assert_true(number_at(first, "result.scan") == 1);
	assert_true(number_at(second, "result.scan") == 2);
	assert_true(is_whole_jpeg(in_project(w, "cup/scan02/scan02_001.jpg")));
	const cJSON *project = ask_ok(w, "project/get", "{'project':'cup'}");
	assert_int_equal(count_at(project, "data.scans"), 2);
	assert_true(number_at(project, "data.photos") == 4);
}

static void behaviour_25_a_running_scan_is_cancelled_and_goes_home(struct world *w)
{
	scan(w, "s", "cup", 60);
	wait_event(w, 0, "scan.photo", "s");

	ask_ok(w, "task/cancel", "s");

	wait_status(w, "s", "cancelled");
	assert_string_equal(text_at(json_file(w, "cup/scan01/scan.json"), "status"),
			    "cancelled");
	wait_value(w, BASE "/motor/rotor", "angle", "90");
	assert_in_range(shutters(w), 1, 59);
}

static void behaviour_25_a_paused_scan_is_cancelled_and_goes_home(struct world *w)
{
	scan(w, "s", "cup", 60);
	wait_event(w, 0, "scan.photo", "s");
	ask_ok(w, "task/pause", "s");
	wait_status(w, "s", "paused");
	size_t taken = shutters(w);

	ask_ok(w, "task/cancel", "s");

	wait_status(w, "s", "cancelled");
	assert_int_equal(shutters(w), taken);
	wait_value(w, BASE "/motor/rotor", "angle", "90");
}

static void behaviour_25_a_paused_scan_is_resumed_and_completes(struct world *w)
{
	scan(w, "s", "cup", 20);
	wait_event(w, 0, "scan.photo", "s");
	ask_ok(w, "task/pause", "s");
	wait_status(w, "s", "paused");
	size_t taken = shutters(w);
	deadline_let_pass(300);
	assert_int_equal(shutters(w), taken);

	ask_ok(w, "task/resume", "s");

	wait_status(w, "s", "completed");
	assert_photos(w, "cup/scan01", 20);
	assert_int_equal(shutters(w), 20);
}

static void a_paused_exclusive_scan_keeps_its_place(struct world *w)
{
	scan(w, "s", "cup", 20);
	wait_event(w, 0, "scan.photo", "s");
	ask_ok(w, "task/pause", "s");
	wait_status(w, "s", "paused");
	create(w, "x", EXCLUSIVE, "{'duration':0.1}");

	assert_status(w, "x", "pending");
	ask_refused(w, "motor/move", "device_busy", "{'name':'rotor','degrees':10}");
	ask_ok(w, "task/resume", "s");
	wait_status(w, "s", "completed");
	wait_status(w, "x", "completed");
}

static void behaviour_29_a_restarted_scan_takes_only_the_missing_photos(struct world *w)
{
	scan(w, "s", "cup", 16);
	wait_message(w, 0, BASE "/event", "\"done\":4");
	ask_ok(w, "task/cancel", "s");
	wait_status(w, "s", "cancelled");
	size_t taken = shutters(w);

	ask_ok(w, "task/restart", "s");

	const cJSON *task = wait_status(w, "s", "completed");
	assert_true(number_at(task, "progress.current") == 16);
	assert_true(number_at(task, "resumed") == 1);
	assert_photos(w, "cup/scan01", 16);
	assert_true(taken < 16);
	/* one may have been exposed but not written when it was cancelled */
	assert_in_range(shutters(w), 16, 18);
}

/* Reads the indices of the scan.photo events, in order; returns how many. */
static size_t photo_order(struct world *w, int *order, size_t max)
{
	size_t used = 0;

	for (size_t i = 0; i < client_mark(w->client); i++) {
		const struct message *m = client_at(w->client, i);
		const cJSON *event;
		bool known = false;

		if (strcmp(m->topic, BASE "/event") != 0)
			continue;
		event = document(w, m);
		if (strcmp(text_at(event, "event"), "scan.photo") != 0)
			continue;
		for (size_t k = 0; k < used; k++)
			known = known || order[k] == (int)number_at(event, "data.index");
		if (!known && used < max)
			order[used++] = (int)number_at(event, "data.index");
	}
	return used;
}

static void a_killed_scan_has_every_photo_once_and_in_order(struct world *w)
{
	int order[32];

	scan(w, "s", "cup", 24);
	for (int kills = 1; kills <= 3; kills++) {
		wait_message(w, 0, BASE "/event", quoted(w, "'done':%d,", kills * 5));
		world_restart_agent(w);
	}

	const cJSON *task = wait_status(w, "s", "completed");
	assert_true(number_at(task, "resumed") == 3);
	assert_true(number_at(task, "result.photos") == 24);
	assert_photos(w, "cup/scan01", 24);
	assert_in_range(shutters(w), 24, 24 + 3 * 3);
	const cJSON *path = json_file(w, "cup/scan01/path.json");
	assert_int_equal(count_at(path, "points"), 24);
	size_t count = photo_order(w, order, 32);
	for (size_t i = 0; i < count; i++) {
		const cJSON *point = cJSON_GetArrayItem(at(path, "points"), (int)i);

		if (count == 24)
			assert_int_equal(order[i],
					 (int)number_at(point, "original_step"));
	}
	assert_revs_grow(w);
}

static void a_deleted_photo_is_taken_again(struct world *w)
{
	scan(w, "s", "cup", 12);
	wait_message(w, 0, BASE "/event", "\"done\":4");
	ask_ok(w, "task/cancel", "s");
	wait_status(w, "s", "cancelled");
	const char *torn = NULL;
	for (int i = 0; i < 12 && !torn; i++) {
		const char *path =
			in_project(w, quoted(w, "cup/scan01/scan01_%03d.jpg", i));

		if (file_exists(path))
			torn = path;
	}
	assert_non_null(torn);
	assert_int_equal(file_write(torn, "\xff\xd8 half a photo", 16), 0);

	ask_ok(w, "task/restart", "s");

	wait_status(w, "s", "completed");
	assert_photos(w, "cup/scan01", 12);
}

static void an_estop_interrupts_a_scan_that_can_be_continued(struct world *w)
{
	scan(w, "s", "cup", 20);
	wait_event(w, 0, "scan.photo", "s");

	ask_ok(w, "estop", "{}");
	wait_status(w, "s", "interrupted");
	wait_value(w, BASE "/motor/rotor", "busy", "false");
	ask_ok(w, "queue/resume", "{}");
	ask_ok(w, "task/restart", "s");

	wait_status(w, "s", "completed");
	assert_photos(w, "cup/scan01", 20);
}

static void a_camera_that_fails_now_and_then_loses_no_photo(struct world *w)
{
	scan(w, "s", "cup", 12);

	const cJSON *task = wait_status(w, "s", "completed");

	assert_true(number_at(task, "result.photos") == 12);
	assert_int_equal(count_at(task, "result.missing"), 0);
	assert_photos(w, "cup/scan01", 12);
	const cJSON *event = wait_event(w, 0, "scan.photo", "s");
	assert_true(number_at(event, "data.sharpness") > 0);
	assert_true(number_at(event, "data.clipped") >= 0);
	assert_int_equal(count_at(event, "data.histogram"), 16);
	assert_true(number_at(event, "data.bytes") > 200);
}

static void a_photo_that_always_fails_is_named_with_the_reason(struct world *w)
{
	scan(w, "s", "cup", 6);

	const cJSON *task = wait_status(w, "s", "completed");

	assert_true(number_at(task, "result.photos") == 5);
	assert_int_equal(count_at(task, "result.missing"), 1);
	const cJSON *missing = cJSON_GetArrayItem(at(task, "result.missing"), 0);
	const char *photo = text_at(missing, "photo");
	assert_non_null(strstr(text_at(missing, "reason"), "did not answer"));
	assert_false(file_exists(in_project(w, quoted(w, "cup/scan01/%s", photo))));
	ask_ok(w, "task/create",
	       "{'id':'rest','type':'scan_task','args':{'project':'cup','scan':1}}");
	task = wait_status(w, "rest", "completed");
	assert_true(number_at(task, "result.photos") == 6);
	assert_photos(w, "cup/scan01", 6);
	assert_int_equal(shutters(w), 6);
}

static void a_camera_that_does_not_answer_is_found_before_anything_moves(struct world *w)
{
	const cJSON *dry = ask_ok(
		w, "task/create",
		"{'type':'scan_task','dry_run':true,"
		"'args':{'project':'cup','settings':{'points':5,'max_theta':170}}}");

	assert_int_equal(count_at(dry, "data.problems"), 2);
	const cJSON *first = cJSON_GetArrayItem(at(dry, "data.problems"), 0);
	assert_string_equal(text_at(first, "code"), "hal_unavailable");
	scan(w, "s", "cup", 5);
	const cJSON *task = wait_status(w, "s", "error");
	assert_string_equal(text_at(task, "error.code"), "hal_unavailable");
	assert_false(file_exists(in_project(w, "cup")));
	assert_int_equal(shutters(w), 0);
}

static void a_scan_continues_after_an_orderly_stop(struct world *w)
{
	scan(w, "s", "cup", 20);
	wait_message(w, 0, BASE "/event", "\"done\":3");

	world_stop_agent(w);
	world_start_agent(w);

	wait_status(w, "s", "completed");
	assert_photos(w, "cup/scan01", 20);
	assert_in_range(shutters(w), 20, 22);
}

/* ---- projects ---- */

static void projects_are_made_listed_and_deleted(struct world *w)
{
	ask_ok(w, "project/create",
	       "{'project':'Tasse größer 茶','description':'a cup'}");
	ask_ok(w, "project/create", "{'project':'b'}");

	const cJSON *list = ask_ok(w, "project/list", "{}");
	const cJSON *one = ask_ok(w, "project/get", "{'project':'Tasse größer 茶'}");

	assert_int_equal(count_at(list, "data.projects"), 2);
	assert_string_equal(text_at(one, "data.description"), "a cup");
	assert_false(bool_at(
		ask(w, "project/create", "{'project':'b','description':'other'}"), "ok"));
	ask_ok(w, "project/delete", "{'project':'b'}");
	wait_event(w, 0, "project.deleted", NULL);
	ask_refused(w, "project/get", "not_found", "{'project':'b'}");
	assert_false(file_exists(in_project(w, "b")));
}

static void a_project_in_use_is_not_deleted(struct world *w)
{
	scan(w, "s", "cup", 60);
	wait_event(w, 0, "scan.photo", "s");

	ask_refused(w, "project/delete", "invalid_state", "{'project':'cup'}");

	ask_ok(w, "task/cancel", "s");
	wait_status(w, "s", "cancelled");
	ask_ok(w, "project/delete", "{'project':'cup'}");
	assert_false(file_exists(in_project(w, "cup")));
}

static void no_project_name_leaves_the_folder(struct world *w)
{
	static const char *const names[] = {
		"../out", "..", ".",  "/tmp/out", "a/b",       "a\\\\b",    "con",
		"",	  " a", "a.", "a:b",	  "../../etc", "a\\u0007b",
	};

	file_write(below(w, "victim"), "mine", 4);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ask_refused(w, "project/create", "invalid_args", "{'project':'%s'}",
			    names[i]);
		ask_refused(w, "project/delete", "invalid_args", "{'project':'%s'}",
			    names[i]);
		const cJSON *reply =
			ask(w, "task/create",
			    "{'id':'t%zu','type':'scan_task','args':{'project':'%s'}}", i,
			    names[i]);
		if (bool_at(reply, "ok"))
			wait_status(w, quoted(w, "t%zu", i), "error");
	}
	assert_true(file_exists(below(w, "victim")));
	assert_int_equal(count_at(ask_ok(w, "project/list", "{}"), "data.projects"), 0);
}

static void a_scan_outside_the_rotors_range_is_refused_before_it_moves(struct world *w)
{
	ask_ok(w, "task/create",
	       "{'id':'s','type':'scan_task','args':{'project':'cup',"
	       "'settings':{'points':4,'min_theta':10,'max_theta':170}}}");

	const cJSON *task = wait_status(w, "s", "error");

	assert_non_null(strstr(text_at(task, "error.message"), "170"));
	assert_int_equal(shutters(w), 0);
}

static const struct test tests[] = {
	TEST(behaviour_23_a_scan_takes_every_photo_and_goes_home),
	TEST(a_second_scan_of_a_project_has_the_next_number),
	TEST_WITH(behaviour_25_a_running_scan_is_cancelled_and_goes_home, ten_times),
	TEST_WITH(behaviour_25_a_paused_scan_is_cancelled_and_goes_home, ten_times),
	TEST_WITH(behaviour_25_a_paused_scan_is_resumed_and_completes, ten_times),
	TEST_WITH(a_paused_exclusive_scan_keeps_its_place, ten_times),
	TEST_WITH(behaviour_29_a_restarted_scan_takes_only_the_missing_photos, ten_times),
	TEST_WITH(a_killed_scan_has_every_photo_once_and_in_order, four_times),
	TEST_WITH(a_deleted_photo_is_taken_again, ten_times),
	TEST_WITH(an_estop_interrupts_a_scan_that_can_be_continued, ten_times),
	TEST_WITH(a_camera_that_fails_now_and_then_loses_no_photo, now_and_then),
	TEST_WITH(a_photo_that_always_fails_is_named_with_the_reason, for_good),
	TEST_WITH(a_camera_that_does_not_answer_is_found_before_anything_moves,
		  unplugged),
	TEST_WITH(a_scan_continues_after_an_orderly_stop, ten_times),
	TEST(projects_are_made_listed_and_deleted),
	TEST_WITH(a_project_in_use_is_not_deleted, ten_times),
	TEST(no_project_name_leaves_the_folder),
	TEST(a_scan_outside_the_rotors_range_is_refused_before_it_moves),
};

int main(int argc, char **argv)
{
	return world_run("scan", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
