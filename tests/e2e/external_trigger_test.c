/* A camera on a trigger line is fired at every point of a path. */
#include "tests/support/world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Slow enough for the test to act in the middle of a run. */
static const struct world_options three_times = {.sim_speed = "3"};

struct pulse {
	double theta, fi;
};

static const char *trigger_log(struct world *w)
{
	return quoted(w, "%s/sim/trigger.log", w->device.state_dir);
}

/* The pulses so far, with the true angles of the axes. */
static size_t pulses(struct world *w, struct pulse *list, size_t max)
{
	char *text = file_read(trigger_log(w), NULL), *rest = text;
	size_t n = 0;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line && n < max;
	     line = strtok_r(NULL, "\n", &rest))
		if (sscanf(line, "%*s %*u %lf %lf", &list[n].theta, &list[n].fi) == 2)
			n++;
	free(text);
	return n;
}

/* Waits as long as several pulses would take. */
static void assert_no_more_pulses(struct world *w)
{
	struct pulse list[64];
	size_t before = pulses(w, list, 64);

	deadline_let_pass(400);
	assert_int_equal(pulses(w, list, 64), before);
}

static void run(struct world *w, const char *id, const char *settings)
{
	ask_ok(w, "task/create",
	       "{'id':'%s','type':'external_trigger_run_task','args':{'label':'cup',"
	       "'description':'with the old reflex camera','settings':%s}}",
	       id, settings);
}

static const cJSON *path_of(struct world *w, const cJSON *task)
{
	return parsed(w, wait_file(w,
				   quoted(w, "%s/%s", text_at(task, "result.folder"),
					  text_at(task, "result.path")),
				   "]"));
}

/* Pulse i was sent at the point of the path, within whole steps. */
static void assert_pulses_follow(const cJSON *path, const struct pulse *list, size_t n)
{
	assert_int_equal(count_at(path, "points"), (int)n);
	for (size_t i = 0; i < n; i++) {
		const cJSON *point = cJSON_GetArrayItem(at(path, "points"), (int)i);
		double theta = number_at(point, "polar_coordinates.theta");
		double turn = number_at(point, "polar_coordinates.fi") - list[i].fi;

		assert_true(number_at(point, "execution_step") == (double)i);
		assert_true(fabs(theta - list[i].theta) < 0.2);
		assert_true(fabs(remainder(turn, 360)) < 0.2);
	}
}

/* The states of many motors are published late: the state before may still be there. */
static void wait_at_home(struct world *w)
{
	wait_value(w, BASE "/motor/rotor", "angle", "90");
	wait_value(w, BASE "/motor/turntable", "angle", "90");
}

static void behaviour_42_two_points_are_two_pulses_and_home(struct world *w)
{
	run(w, "r",
	    "{'points':2,'trigger_name':'external','pre_trigger_delay_ms':20,"
	    "'post_trigger_delay_ms':30}");

	const cJSON *task = wait_status(w, "r", "completed");

	struct pulse list[8];
	const cJSON *path = path_of(w, task);
	assert_true(number_at(task, "result.points") == 2);
	assert_true(number_at(task, "progress.current") == 2);
	assert_int_equal(pulses(w, list, 8), 2);
	assert_pulses_follow(path, list, 2);
	assert_string_equal(text_at(path, "task_id"), "r");
	assert_string_equal(text_at(path, "label"), "cup");
	wait_at_home(w);
	assert_false(bool_at(wait_value(w, BASE "/trigger/external", "busy", "false"),
			     "busy"));
}

static void a_paused_run_fires_nothing_and_can_be_resumed(struct world *w)
{
	struct pulse list[64];

	run(w, "r", "{'points':12}");
	wait_step(w, "r", 3);
	ask_ok(w, "task/pause", "{'id':'r'}");
	wait_status(w, "r", "paused");
	assert_no_more_pulses(w);

	ask_ok(w, "task/resume", "{'id':'r'}");

	const cJSON *task = wait_status(w, "r", "completed");
	assert_int_equal(pulses(w, list, 64), 12);
	assert_pulses_follow(path_of(w, task), list, 12);
}

static void a_cancelled_run_goes_home_and_can_be_continued(struct world *w)
{
	struct pulse list[64];

	run(w, "r", "{'points':12}");
	wait_step(w, "r", 4);
	ask_ok(w, "task/cancel", "{'id':'r'}");
	wait_status(w, "r", "cancelled");
	wait_at_home(w);
	size_t before = pulses(w, list, 64);
	assert_in_range(before, 4, 11);

	ask_ok(w, "task/restart", "{'id':'r','from':'checkpoint'}");

	const cJSON *task = wait_status(w, "r", "completed");
	assert_int_equal(pulses(w, list, 64), 12);
	assert_pulses_follow(path_of(w, task), list, 12);
}

static bool log_says(struct world *w, const char *id, const char *words)
{
	const cJSON *line, *reply = ask_ok(w, "task/log", "{'id':'%s'}", id);

	cJSON_ArrayForEach(line, at(reply, "data.lines")) {
		if (strstr(text_at(line, "message"), words))
			return true;
	}
	return false;
}

/* Only the point at which the run was interrupted may be triggered twice, and then the
 * log says so. */
static void a_killed_run_continues_along_its_path(struct world *w)
{
	struct pulse list[64];

	run(w, "r", "{'points':12}");
	for (int kill = 1; kill <= 2; kill++) {
		wait_step(w, "r", 3 * kill);
		world_restart_agent(w);
	}

	const cJSON *task = wait_status(w, "r", "completed");

	size_t n = pulses(w, list, 64), kept = 0;
	for (size_t i = 0; i < n; i++)
		if (i == 0 || fabs(list[i].theta - list[kept - 1].theta) > 0.01)
			list[kept++] = list[i];
	assert_in_range(n, 12, 14);
	assert_pulses_follow(path_of(w, task), list, kept);
	if (n > 12)
		assert_true(log_says(w, "r", "fired again"));
}

static void an_estop_ends_a_run_without_moving_home(struct world *w)
{
	run(w, "r", "{'points':40}");
	wait_step(w, "r", 2);
	ask_ok(w, "estop", "{}");
	wait_status(w, "r", "interrupted");

	assert_no_more_pulses(w);
}

static void problems_are_reported_before_a_run_moves(struct world *w)
{
	run(w, "r", "{'points':2,'trigger_name':'flash'}");
	const cJSON *task = wait_status(w, "r", "error");
	const cJSON *low = ask_ok(w, "task/create",
				  "{'type':'external_trigger_run_task','dry_run':true,"
				  "'args':{'settings':{'min_theta':150}}}");
	const cJSON *good = ask_ok(w, "task/create",
				   "{'type':'external_trigger_run_task','dry_run':true,"
				   "'args':{'settings':{'points':5,"
				   "'post_trigger_delay_ms':2000}}}");

	assert_string_equal(text_at(task, "error.code"), "not_found");
	assert_non_null(strstr(text_at(task, "error.message"), "external"));
	assert_int_equal(count_at(low, "data.problems"), 1);
	assert_int_equal(count_at(good, "data.problems"), 0);
	assert_true(number_at(good, "data.seconds") > 10);
	assert_true(number_at(good, "data.photos") == 5);
	ask_refused(w, "task/create", "invalid_args",
		    "{'type':'external_trigger_run_task','args':{'settings':{"
		    "'pre_trigger_delay_ms':600001}}}");
	assert_false(file_exists(
		quoted(w, "%s/external-trigger-runs/r/path.json", w->device.state_dir)));
}

static const struct test tests[] = {
	TEST(behaviour_42_two_points_are_two_pulses_and_home),
	TEST_WITH(a_paused_run_fires_nothing_and_can_be_resumed, three_times),
	TEST_WITH(a_cancelled_run_goes_home_and_can_be_continued, three_times),
	TEST_WITH(a_killed_run_continues_along_its_path, three_times),
	TEST_WITH(an_estop_ends_a_run_without_moving_home, three_times),
	TEST(problems_are_reported_before_a_run_moves),
};

int main(int argc, char **argv)
{
	return world_run("external_trigger", tests, sizeof(tests) / sizeof(tests[0]),
			 argc, argv);
}
