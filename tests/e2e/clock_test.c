/* A board without a clock battery, whose wall clock jumps by years: the order of tasks
 * stays, nothing is pruned, nothing times out. libfaketime, preloaded into the agent,
 * changes the wall clock; the monotonic clock stays. */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELLO "hello_world_async_task"
#define GENERATOR "generator_task"
#define LONG_HELLO "{'total_steps':100000,'delay':0.05}"
#define SHORT_HELLO "{'total_steps':1,'delay':0.01}"

static const struct world_options later = {.agent_later = true};

/* The paths in which distributions install it. */
static const char *library(struct world *w)
{
	static const char *const places[] = {
		"/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
		"/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
		"/usr/lib/arm-linux-gnueabihf/faketime/libfaketimeMT.so.1",
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	world_skip(w, "there is no libfaketime");
	return NULL;
}

/* offset: "+10y", "-10y", "+0". */
static void set_clock(struct world *w, const char *offset)
{
	char *text = quoted(w, "%s\n", offset);

	/* replaced atomically: it may be read at any moment */
	assert_int_equal(file_write(below(w, "clock.new"), text, strlen(text)), 0);
	assert_int_equal(rename(below(w, "clock.new"), below(w, "clock")), 0);
}

static void start_with_clock(struct world *w)
{
#if defined(__SANITIZE_THREAD__)
	world_skip(w, "libfaketime and the thread sanitizer do not get on");
#endif
	set_clock(w, "+0");
	w->device.more[0] = quoted(w, "LD_PRELOAD=%s", library(w));
	w->device.more[1] = quoted(w, "FAKETIME_TIMESTAMP_FILE=%s", below(w, "clock"));
	w->device.more[2] = "FAKETIME_NO_CACHE=1";
	w->device.more[3] = "DONT_FAKE_MONOTONIC=1";
	w->device.more[4] = "FAKETIME_DONT_FAKE_MONOTONIC=1";
	/* otherwise it would mix up the two clocks' deadlines */
	w->device.more[5] = "FAKETIME_FORCE_MONOTONIC_FIX=0";
#ifdef __SANITIZE_ADDRESS__
	w->device.more[6] = "ASAN_OPTIONS=verify_asan_link_order=0";
#endif
	world_start_agent(w);
}

static int year(struct world *w)
{
	return (int)strtol(text_at(ask_ok(w, "agent/ping", "{}"), "data.time"), NULL, 10);
}

static void make_counting(struct world *w, const char *id)
{
	create(w, id, "count_task",
	       quoted(w, "{'file':'%s','steps':1,'delay':0}", below(w, "order")));
}

/* One task of each kind that depends on time. */
static void fill(struct world *w)
{
	create(w, "ended", HELLO, SHORT_HELLO);
	wait_status(w, "ended", "completed");
	ask_ok(w, "light/set", "{'brightness':40,'request':'lamp'}");
	create(w, "paused", GENERATOR, "{'total_steps':1000,'interval':0.05}");
	wait_status(w, "paused", "running");
	ask_ok(w, "task/pause", "paused");
	wait_status(w, "paused", "paused");
	ask_ok(w, "task/create",
	       "{'id':'timed','type':'" HELLO "','timeout_s':600,'args':" LONG_HELLO "}");
	wait_status(w, "timed", "running");
	ask_ok(w, "task/create",
	       "{'id':'again','type':'failing_task','retries':1,'retry_delay_s':600}");
	wait_event(w, 0, "task.retry", "again");
	ask_ok(w, "queue/pause", "{}");
	make_counting(w, "first");
}

static void assert_all_as_it_was(struct world *w)
{
	assert_status(w, "ended", "completed");
	assert_status(w, "paused", "paused");
	assert_status(w, "timed", "running");
	assert_status(w, "again", "pending");
	assert_status(w, "first", "pending");
	assert_true(number_at(ask_ok(w, "agent/prune", "{}"), "data.pruned") == 0);
	assert_true(bool_at(ask_ok(w, "light/set", "{'brightness':40,'request':'lamp'}"),
			    "duplicate"));
	assert_true(bool_at(ask_ok(w, "task/create",
				   "{'id':'ended','type':'" HELLO "','args':" SHORT_HELLO
				   "}"),
			    "duplicate"));
}

static void a_clock_that_jumps_by_ten_years_changes_nothing(struct world *w)
{
	start_with_clock(w);
	fill(w);
	int now = year(w);

	set_clock(w, "+10y");
	assert_in_range(year(w), now + 9, now + 11);
	make_counting(w, "second");
	assert_all_as_it_was(w);
	set_clock(w, "-10y");
	assert_in_range(year(w), now - 11, now - 9);
	make_counting(w, "third");
	assert_all_as_it_was(w);

	ask_ok(w, "queue/resume", "{}");
	wait_status(w, "third", "completed");
	assert_string_equal(wait_file(w, below(w, "order"), "third"),
			    "first 1\nsecond 1\nthird 1\n");
	/* elapsed times are not affected */
	assert_true(number_at(task_now(w, "timed"), "elapsed_s") < 300);
	assert_revs_grow(w);
}

static void a_start_with_a_clock_ten_years_off_changes_nothing(struct world *w)
{
	start_with_clock(w);
	fill(w);
	ask_ok(w, "task/cancel", "timed");
	wait_status(w, "timed", "cancelled");
	world_stop_agent(w);

	for (int jump = 0; jump < 2; jump++) {
		set_clock(w, jump == 0 ? "+10y" : "-10y");
		world_start_agent(w);
		make_counting(w, jump == 0 ? "second" : "third");

		assert_status(w, "ended", "completed");
		assert_status(w, "timed", "cancelled");
		assert_status(w, "paused", "paused");
		assert_true(number_at(ask_ok(w, "agent/prune", "{}"), "data.pruned") ==
			    0);
		assert_true(bool_at(
			ask_ok(w, "light/set", "{'brightness':40,'request':'lamp'}"),
			"duplicate"));
		world_stop_agent(w);
	}

	world_start_agent(w);
	ask_ok(w, "queue/resume", "{}");
	wait_status(w, "third", "completed");
	assert_string_equal(wait_file(w, below(w, "order"), "third"),
			    "first 1\nsecond 1\nthird 1\n");
	assert_revs_grow(w);
}

static const struct test tests[] = {
	TEST_WITH(a_clock_that_jumps_by_ten_years_changes_nothing, later),
	TEST_WITH(a_start_with_a_clock_ten_years_off_changes_nothing, later),
};

int main(int argc, char **argv)
{
	return world_run("clock", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
