/* Tests the helpers of cloud transfers. */
#include "tests/unit/fake_host.h"

#include <errno.h>

#include "tasks/cloud/retry.h"
#include "tasks/cloud/cloud_api.h"
#include "tasks/cloud/project_lock.h"
#include "tasks/cloud/transfer_rate.h"

static void a_share_link_becomes_a_download_link(void **state)
{
	static const struct {
		const char *link, *file;
	} cases[] = {
		{"https://example.org/a.zip?x=1", "https://example.org/a.zip?x=1"},
		{"https://www.dropbox.com/s/abc/m.zip?dl=0",
		 "https://www.dropbox.com/s/abc/m.zip?dl=1"},
		{"https://www.dropbox.com/s/abc/m.zip?rlkey=r&dl=0&st=s",
		 "https://www.dropbox.com/s/abc/m.zip?rlkey=r&dl=1&st=s"},
		{"https://www.dropbox.com/s/abc/m.zip",
		 "https://www.dropbox.com/s/abc/m.zip?dl=1"},
		{"http://openscanfeedback.dnsuser.de/get?"
		 "id=https%3A%2F%2Fwww.dropbox.com%2Fs%2Fx%3Fdl%3D0",
		 "https://www.dropbox.com/s/x?dl=1"},
		{"https://openscan.example/get?id=17",
		 "https://openscan.example/get?id=17"},
		{"https://openscan.example/get?id=https%3A%2F%2Fexample.org%2F%zz",
		 "https://example.org/%zz"},
		{"https://example.org/openscan?id=https%3A%2F%2Fevil.example",
		 "https://example.org/openscan?id=https%3A%2F%2Fevil.example"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *file = cloud_api_download_link(cases[i].link);

		assert_string_equal(file, cases[i].file);
		free(file);
	}
}

static void the_rate_and_the_time_left_are_shown(void **state)
{
	struct transfer_rate rate = {.count = 0};
	char text[TRANSFER_RATE_TEXT];

	(void)state;
	transfer_rate_add(&rate, 0, 0);
	transfer_rate_text(&rate, 1000, text);
	assert_string_equal(text, "");
	for (int second = 1; second <= 40; second++)
		transfer_rate_add(&rate, second * 1000, second * INT64_C(2000000));
	transfer_rate_text(&rate, 400000000, text);
	assert_string_equal(text, ", 2.0 MB/s, 3 min left");
	transfer_rate_text(&rate, 20000000, text);
	assert_string_equal(text, ", 2.0 MB/s, 10 s left");
	transfer_rate_text(&rate, INT64_C(36000000000), text);
	assert_string_equal(text, ", 2.0 MB/s, 5.0 h left");
}

static void sending_a_part_again_starts_a_new_measurement(void **state)
{
	struct transfer_rate rate = {.count = 0};

	(void)state;
	for (int second = 0; second <= 5; second++)
		transfer_rate_add(&rate, second * 1000, second * 1000000);
	transfer_rate_add(&rate, 6000, 100);

	assert_true(transfer_rate_per_second(&rate) == 0);
}

static void a_project_is_locked_once_per_kind(void **state)
{
	struct project_lock first = {.kind = "uploaded", .project = "cup", .task = "a"};
	struct project_lock second = {.kind = "uploaded", .project = "cup", .task = "b"};
	struct project_lock other = {.kind = "downloaded", .project = "cup", .task = "c"};
	struct err err = {0};

	(void)state;
	assert_int_equal(project_lock_acquire(&first, &err), 0);
	assert_true(project_lock_acquire(&second, &err) < 0);
	assert_string_equal(err.code, "invalid_state");
	assert_non_null(strstr(err.text, "'a'"));
	assert_int_equal(project_lock_acquire(&other, &err), 0);
	project_lock_release(&second);
	project_lock_release(&first);
	assert_int_equal(project_lock_acquire(&second, &err), 0);
	project_lock_release(&second);
	project_lock_release(&other);
}

static void only_transient_errors_are_retried(void **state)
{
	static const int again[] = {408, 425, 429, 500, 502, 503, 504};
	static const int never[] = {300, 400, 401, 403, 404, 410, 413, 422, 507};
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		assert_int_equal(retry_http_status(again[i], &err), -EAGAIN);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_not_equal(retry_http_status(never[i], &err), -EAGAIN);
}

struct task_run {
	struct fake_host fake;
	int tries, fails;
};

static int fail_often(void *context, struct err *err)
{
	struct task_run *run = context;

	if (run->tries++ < run->fails)
		return err_code(err, -EAGAIN, "task_failed", "the line is down");
	return 0;
}

static void retries_come_ever_later_and_end(void **state)
{
	struct task_run lucky = {.fails = 3}, unlucky = {.fails = 1000};
	struct retry retry = {.what = "part 2 of 5", .once = fail_often};

	(void)state;
	fake_host_open(&lucky);
	fake_host_open(&unlucky);
	retry.host = &lucky.fake.functions;
	retry.run = retry.context = &lucky;
	assert_int_equal(retry_run(&retry), 0);
	assert_int_equal(lucky.tries, 4);
	assert_int_equal(lucky.fake.logs, 3);
	assert_in_range(lucky.fake.slept_ms, 5000, 9000);
	retry.host = &unlucky.fake.functions;
	retry.run = retry.context = &unlucky;
	assert_int_equal(retry_run(&retry), -1);
	assert_int_equal(unlucky.tries, RETRY_TRIES);
	assert_in_range(unlucky.fake.slept_ms, 150000, 400000);
	assert_non_null(strstr(unlucky.fake.text, "part 2 of 5: the line is down"));
	assert_non_null(strstr(unlucky.fake.text, "restart the task"));
	fake_host_close(&lucky);
	fake_host_close(&unlucky);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_link_becomes_a_download_link),
		cmocka_unit_test(the_rate_and_the_time_left_are_shown),
		cmocka_unit_test(sending_a_part_again_starts_a_new_measurement),
		cmocka_unit_test(a_project_is_locked_once_per_kind),
		cmocka_unit_test(only_transient_errors_are_retried),
		cmocka_unit_test(retries_come_ever_later_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
