/* Tests when the agent scans for a Wi-Fi code by itself. */
#include "tests/unit/fake_core.h"

#define FIRST "t0000000001-5707e0"

static int open_offline(void **state)
{
	struct fake_core *s = fake_core_open();

	session_up(s);
	s->sets_up_wifi = s->options.sets_up_wifi = true;
	crash(s);
	session_up(s);
	*state = s;
	return 0;
}

static int close_core(void **state)
{
	fake_core_close(*state);
	return 0;
}

/* The work that the start asked for has found no network. */
static void is_offline(struct fake_core *s)
{
	run_of(s, "network/look")->over = true;
	post(s, event_of(s, EVENT_OFFLINE));
	settle(s);
}

static void without_a_network_a_code_is_looked_for(void **state)
{
	struct fake_core *s = *state;

	is_offline(s);

	const cJSON *task = get(s, FIRST);
	assert_string_equal(text_at(task, "type"), "qr_scan_task");
	assert_string_equal(text_at(task, "status"), "running");
	assert_string_equal(text_at(task, "labels/started_by"), "agent");
	assert_string_equal(text_at(task, "args/camera"), "sim");
}

static void no_code_is_looked_for_unless_the_setting_is_on(void **state)
{
	struct fake_core *s = *state;

	run_of(s, "network/look")->over = true;
	s->options.sets_up_wifi = false;
	crash(s);

	assert_false(runs(s, "network/look"));
}

static void no_code_is_looked_for_without_a_camera(void **state)
{
	struct fake_core *s = *state;

	run_of(s, "network/look")->over = true;
	s->options.device_count = 3;
	crash(s);

	assert_false(runs(s, "network/look"));
}

static void a_task_that_continues_after_a_crash_is_enough(void **state)
{
	struct fake_core *s = *state;

	is_offline(s);
	begin(s, FIRST);
	checkpoint(s, FIRST, "{}");

	crash(s);
	session_up(s);

	assert_false(runs(s, "network/look"));
	assert_true(runs(s, FIRST));
}

static void a_task_that_a_person_has_created_is_enough(void **state)
{
	struct fake_core *s = *state;

	make(s, "mine", "qr_scan_task", "");
	is_offline(s);

	ask_code(s, "task/get", "t0000000002-5707e0", "not_found");
}

static void cancelling_the_task_switches_the_setting_off(void **state)
{
	struct fake_core *s = *state;

	is_offline(s);
	ask_code(s, "task/cancel", FIRST, "accepted");
	stops(s, FIRST);

	assert_false(s->sets_up_wifi);
	assert_true(happened(s, "settings.changed", NULL));
	assert_status(s, FIRST, "cancelled");
}

static void cancelling_the_task_of_a_person_leaves_the_setting(void **state)
{
	struct fake_core *s = *state;

	make(s, "mine", "qr_scan_task", "");
	ask_code(s, "task/cancel", "mine", "accepted");
	stops(s, "mine");

	assert_true(s->sets_up_wifi);
}

static void an_estop_leaves_the_setting(void **state)
{
	struct fake_core *s = *state;

	is_offline(s);
	ask_code(s, "estop", "{}", "ok");

	assert_true(s->sets_up_wifi);
}

static void only_the_three_newest_failures_are_kept(void **state)
{
	struct fake_core *s = *state;
	char id[3] = "f0";

	for (; id[1] < '5'; id[1]++) {
		make(s, id, "qr_scan_task", "");
		fails(s, id, "timeout", "no code was seen");
	}
	make(s, "c0", "qr_scan_task", "");
	ask_code(s, "task/cancel", "c0", "accepted");
	stops(s, "c0");
	make(s, "other", "plain_task", "");
	fails(s, "other", "task_failed", "another type");

	is_offline(s);

	ask_code(s, "task/get", "f0", "not_found");
	ask_code(s, "task/get", "f1", "not_found");
	ask_code(s, "task/get", "c0", "not_found");
	for (id[1] = '2'; id[1] < '5'; id[1]++)
		assert_status(s, id, "error");
	assert_status(s, "other", "error");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_offline, close_core)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_network_a_code_is_looked_for),
		TEST(no_code_is_looked_for_unless_the_setting_is_on),
		TEST(no_code_is_looked_for_without_a_camera),
		TEST(a_task_that_continues_after_a_crash_is_enough),
		TEST(a_task_that_a_person_has_created_is_enough),
		TEST(cancelling_the_task_switches_the_setting_off),
		TEST(cancelling_the_task_of_a_person_leaves_the_setting),
		TEST(an_estop_leaves_the_setting),
		TEST(only_the_three_newest_failures_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
