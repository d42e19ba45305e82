/* Finding and setting the crop of the camera's picture. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Photos that are large enough for outlines. */
static const struct world_options large = {
	.rig = "{'backend':'simulated','cameras':{'sim':{'type':'simulated','settings':{"
	       "'shutter':5,'orientation_flag':1,'crop_width':7,'crop_height':3,"
	       "'photo_resolution':[820,616]}}},'motors':{},'lights':{'ringlight':{'pins'"
	       ":"
	       "[17,27],'pwm_support':true}},'triggers':{},'endstops':{},"
	       "'scan_radius_mm':130}",
};

static const cJSON *crop(struct world *w, const char *args)
{
	ask_ok(w, "light/set", "{'state':'ON'}");
	ask_ok(w, "task/create", "{'id':'c','type':'crop_task','args':%s}", args);
	return wait_status(w, "c", "completed");
}

static double setting(struct world *w, const char *key)
{
	const cJSON *reply = ask_ok(w, "camera/settings", "{}");

	return number_at(at(reply, "data.settings"), key);
}

static void the_crop_is_found_and_set(struct world *w)
{
	struct stat st;
	const cJSON *task = crop(w, "{'threshold':60}");
	double wide = number_at(task, "result.crop_width");

	assert_true(bool_at(task, "result.applied"));
	assert_int_equal(count_at(task, "result.bbox"), 4);
	assert_true(wide > 7 && wide < 90);
	assert_true(setting(w, "crop_width") == wide);
	assert_true(setting(w, "crop_height") == number_at(task, "result.crop_height"));
	assert_int_equal(stat(text_at(task, "result.image"), &st), 0);
	assert_true(st.st_size > 1000);
	wait_message(w, 0, BASE "/camera/sim/image", NULL);
}

static void a_look_without_setting_changes_nothing(struct world *w)
{
	const cJSON *task = crop(w, "{'threshold':60,'apply':false,'camera':'sim'}");

	assert_false(bool_at(task, "result.applied"));
	assert_true(number_at(task, "result.crop_width") > 7);
	assert_true(setting(w, "crop_width") == 7 && setting(w, "crop_height") == 3);
}

static void a_dark_picture_is_reported(struct world *w)
{
	ask_ok(w, "light/set", "OFF");

	ask_ok(w, "task/create", "{'id':'c','type':'crop_task'}");
	wait_status(w, "c", "completed");

	const cJSON *log = ask_ok(w, "task/log", "c");
	const cJSON *line = cJSON_GetArrayItem(at(log, "data.lines"), 0);
	assert_non_null(strstr(text_at(line, "message"), "nearly black"));
}

static void a_camera_that_is_not_there_is_named(struct world *w)
{
	ask_ok(w, "task/create",
	       "{'id':'c','type':'crop_task','args':{'camera':'second'}}");

	const cJSON *task = wait_status(w, "c", "error");
	assert_non_null(strstr(text_at(task, "error.message"), "second"));
	const cJSON *reply =
		ask_ok(w, "task/create",
		       "{'type':'crop_task','dry_run':true,'args':{'camera':'second'}}");
	assert_int_equal(count_at(reply, "data.problems"), 1);
}

static const struct test tests[] = {
	TEST_WITH(the_crop_is_found_and_set, large),
	TEST_WITH(a_look_without_setting_changes_nothing, large),
	TEST_WITH(a_dark_picture_is_reported, large),
	TEST_WITH(a_camera_that_is_not_there_is_named, large),
};

int main(int argc, char **argv)
{
	return world_run("crop", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
