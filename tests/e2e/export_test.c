/* Exporting a scan for a program that reconstructs it. */
#include "tests/support/world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct world_options later = {.agent_later = true};

/* Starts an agent that may export below <folder>/out. */
static void start(struct world *w)
{
	assert_int_equal(mkdir(below(w, "out"), 0755), 0);
	device_settings(&w->device,
			quoted(w, "{'export':{'roots':['%s']}}", below(w, "out")));
	world_start_agent(w);
}

static void scan(struct world *w, const char *settings)
{
	ask_ok(w, "task/create",
	       "{'id':'s','type':'scan_task','args':{'project':'cup','settings':%s}}",
	       settings);
	wait_status(w, "s", "completed");
}

static const cJSON *export(struct world *w, const char *id, const char *format,
			   const char *path)
{
	ask_ok(w, "task/create",
	       "{'id':'%s','type':'export_task','args':{'project':'cup','scan':1,"
	       "'format':'%s','path':'%s'}}",
	       id, format, path);
	return wait_status(w, id, "completed");
}

static const char *text_of(struct world *w, const char *path)
{
	return wait_file(w, path, "#");
}

static void photos_are_exported_once(struct world *w)
{
	start(w);
	scan(w, "{'points':5}");
	const char *path = below(w, "out/cups/first");

	const cJSON *first = export(w, "e1", "photos", path);
	const cJSON *second = export(w, "e2", "photos", path);

	assert_true(number_at(first, "result.photos") == 5);
	assert_true(number_at(first, "result.new") == 5);
	assert_true(number_at(second, "result.photos") == 5);
	assert_true(number_at(second, "result.new") == 0);
	for (int i = 0; i < 5; i++)
		assert_true(file_exists(quoted(w, "%s/scan01_%03d.jpg", path, i)));
}

/* The pose of image number wanted (from 1), as in images.txt. */
static void read_pose(const char *text, int wanted, double q[4], double t[3],
		      char name[64])
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		int id = 0;

		line += *line == '\n';
		if (sscanf(line, "%d %lf %lf %lf %lf %lf %lf %lf 1 %63s", &id, &q[0],
			   &q[1], &q[2], &q[3], &t[0], &t[1], &t[2], name) == 9 &&
		    id == wanted)
			return;
	}
	fail_msg("images.txt has no image %d", wanted);
}

/* -R^T t, the centre of the camera. */
static void centre_of(const double q[4], const double t[3], double centre[3])
{
	double w = q[0], x = q[1], y = q[2], z = q[3];
	double r[3][3] = {
		{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
		{2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
		{2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)},
	};

	for (int i = 0; i < 3; i++)
		centre[i] = -(r[0][i] * t[0] + r[1][i] * t[1] + r[2][i] * t[2]);
}

static void colmap_gets_the_poses_of_the_path(struct world *w)
{
	start(w);
	scan(w, "{'points':7}");
	const char *path = below(w, "out/colmap");

	export(w, "e", "colmap", path);

	assert_true(file_exists(quoted(w, "%s/images/scan01_006.jpg", path)));
	assert_true(file_exists(quoted(w, "%s/sparse/0/points3D.txt", path)));
	const char *cameras = text_of(w, quoted(w, "%s/sparse/0/cameras.txt", path));
	assert_non_null(strstr(cameras, "\n1 PINHOLE 164 122 "));
	const char *images = text_of(w, quoted(w, "%s/sparse/0/images.txt", path));
	const cJSON *points = at(parsed(w, wait_file(w,
						     quoted(w, "%s/cup/scan01/path.json",
							    w->device.project_dir),
						     "{")),
				 "points");
	const cJSON *point;
	cJSON_ArrayForEach(point, points) {
		int index = (int)number_at(point, "original_step");
		double q[4], t[3], centre[3];
		char name[64];

		read_pose(images, index + 1, q, t, name);
		assert_string_equal(name, quoted(w, "scan01_%03d.jpg", index));
		centre_of(q, t, centre);
		assert_true(fabs(centre[0] - number_at(point, "cartesian.x")) < 1e-6);
		assert_true(fabs(centre[1] - number_at(point, "cartesian.y")) < 1e-6);
		assert_true(fabs(centre[2] - number_at(point, "cartesian.z")) < 1e-6);
		/* The object is straight ahead, in the middle of the picture. */
		assert_true(fabs(t[0]) < 1e-6 && fabs(t[1]) < 1e-6 && t[2] > 129);
	}
}

static void meshroom_gets_a_view_and_a_pose_for_each_photo(struct world *w)
{
	start(w);
	scan(w, "{'points':4}");
	const char *path = below(w, "out/mesh");

	export(w, "e", "meshroom", path);

	const cJSON *sfm =
		parsed(w, wait_file(w, quoted(w, "%s/cameras.sfm", path), "{"));
	assert_int_equal(count_at(sfm, "views"), 4);
	assert_int_equal(count_at(sfm, "poses"), 4);
	assert_int_equal(count_at(sfm, "intrinsics"), 1);
	const cJSON *view = cJSON_GetArrayItem(at(sfm, "views"), 2);
	assert_true(file_exists(text_at(view, "path")));
	const cJSON *pose = cJSON_GetArrayItem(at(sfm, "poses"), 2);
	assert_int_equal(count_at(pose, "pose.transform.rotation"), 9);
	assert_int_equal(count_at(pose, "pose.transform.center"), 3);
}

static const cJSON *export_in_vain(struct world *w, const char *id, const char *path)
{
	const cJSON *reply =
		ask(w, "task/create",
		    "{'id':'%s','type':'export_task','args':{'project':'cup',"
		    "'scan':1,'path':'%s'}}",
		    id, path);

	if (!bool_at(reply, "ok"))
		return NULL;
	return wait_status(w, id, "error");
}

static void nothing_is_written_outside_the_roots(struct world *w)
{
	start(w);
	scan(w, "{'points':1}");
	assert_int_equal(symlink("/tmp", below(w, "out/link")), 0);
	assert_int_equal(mkdir(below(w, "outside"), 0755), 0);
	const char *const paths[] = {
		below(w, "outside"),	 below(w, "out/../outside/a"), below(w, "outer"),
		below(w, "out/link/xy"), below(w, "out/a/.."),	       "relative/path",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		export_in_vain(w, quoted(w, "e%zu", i), paths[i]);

	assert_false(file_exists(below(w, "outside/scan01_000.jpg")));
	assert_false(file_exists(below(w, "outside/a")));
	assert_false(file_exists(below(w, "outer")));
	assert_false(file_exists(below(w, "scan01_000.jpg")));
	assert_false(file_exists("/tmp/xy"));
	const cJSON *task = task_now(w, "e0");
	assert_non_null(strstr(text_at(task, "error.message"), "export.roots"));
}

static const cJSON *would_export(struct world *w, const char *project, const char *path)
{
	return ask_ok(
		w, "task/create",
		"{'type':'export_task','dry_run':true,'args':{'project':'%s','scan':1,"
		"'path':'%s'}}",
		project, path);
}

static void a_dry_run_reports_what_would_be_exported(struct world *w)
{
	start(w);
	scan(w, "{'points':3}");

	const cJSON *fine = would_export(w, "cup", below(w, "out/a"));
	const cJSON *outside = would_export(w, "cup", below(w, "outer"));
	const cJSON *nothing = would_export(w, "jug", below(w, "out/a"));

	assert_true(number_at(fine, "data.photos") == 3);
	assert_true(number_at(fine, "data.bytes") > 1000);
	assert_true(number_at(fine, "data.bytes_free") > 0);
	assert_int_equal(count_at(fine, "data.problems"), 0);
	assert_int_equal(count_at(outside, "data.problems"), 1);
	assert_int_equal(count_at(nothing, "data.problems"), 1);
	const cJSON *problem = at(nothing, "data.problems")->child;
	assert_string_equal(text_at(problem, "message"), "there is no project 'jug'");
	assert_false(file_exists(below(w, "out/a")));
}

static void without_roots_nothing_is_exported(struct world *w)
{
	world_start_agent(w);
	scan(w, "{'points':1}");

	const cJSON *task = export_in_vain(w, "e", below(w, "out"));

	assert_string_equal(text_at(task, "error.code"), "not_supported");
	ask_refused(w, "settings/set", "invalid_args",
		    "{'values':{'export.roots':['/']}}");
}

static void arrays_are_exported_as_photos_only(struct world *w)
{
	start(w);
	scan(w, "{'points':2,'image_format':'rgb_array'}");

	const cJSON *task = export(w, "e", "photos", below(w, "out/a"));
	ask_ok(w, "task/create",
	       "{'id':'c','type':'export_task','args':{'project':'cup','scan':1,"
	       "'format':'colmap','path':'%s'}}",
	       below(w, "out/b"));

	assert_true(number_at(task, "result.photos") == 2);
	assert_true(file_exists(below(w, "out/a/scan01_001.npy")));
	assert_string_equal(text_at(wait_status(w, "c", "error"), "error.code"),
			    "not_supported");
	assert_false(file_exists(below(w, "out/b")));
}

static const struct test tests[] = {
	TEST_WITH(photos_are_exported_once, later),
	TEST_WITH(colmap_gets_the_poses_of_the_path, later),
	TEST_WITH(meshroom_gets_a_view_and_a_pose_for_each_photo, later),
	TEST_WITH(nothing_is_written_outside_the_roots, later),
	TEST_WITH(a_dry_run_reports_what_would_be_exported, later),
	TEST_WITH(without_roots_nothing_is_exported, later),
	TEST_WITH(arrays_are_exported_as_photos_only, later),
};

int main(int argc, char **argv)
{
	return world_run("export", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
