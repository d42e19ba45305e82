/* Repeats a network operation until it succeeds or fails for good. */
#include "tasks/cloud/retry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/clock.h"

#define FIRST_WAIT_MS 1000
#define LONGEST_WAIT_MS 60000

int retry_http_status(int status, struct err *err)
{
	if (status == 401 || status == 403)
		return err_code(
			err, -EACCES, "task_failed",
			"the server refused the login or the token (HTTP %d): check "
			"the settings cloud.*",
			status);
	if (status == 404 || status == 410)
		return err_code(err, -ENOENT, "not_found",
				"the server does not know it (HTTP %d)", status);
	if (status == 507 || status == 413)
		return err_code(
			err, -ENOSPC, "task_failed",
			"the server has no room for it (HTTP %d): make room there, "
			"then restart the task",
			status);
	if (status == 408 || status == 425 || status == 429 || status >= 500)
		return err_code(err, -EAGAIN, "task_failed",
				"the server is in trouble (HTTP %d)", status);
	return err_code(err, -EIO, "task_failed", "the server refused it (HTTP %d)",
			status);
}

/* Doubles with each try, with up to a quarter of jitter so that many devices do not retry
 * in step. */
static int64_t backoff_ms(int tries)
{
	int64_t wait = FIRST_WAIT_MS;

	while (--tries > 0 && wait < LONGEST_WAIT_MS)
		wait *= 2;
	if (wait > LONGEST_WAIT_MS)
		wait = LONGEST_WAIT_MS;
	return wait + wait / 4 - clock_monotonic_ns() % (wait / 2);
}

static int wait_for_next(const struct retry *retry, int tries, const struct err *why)
{
	int64_t wait = backoff_ms(tries);
	char text[sizeof(why->text) + 200];

	snprintf(text, sizeof(text), "%s: %s; trying again in %.0f s (try %d of %d)",
		 retry->what, why->text, (double)wait / 1000, tries + 1, RETRY_TRIES);
	retry->host->log(retry->run, TASK_LOG_WARN, text);
	return retry->host->sleep(retry->run, wait);
}

static int give_up(const struct retry *retry, const struct err *why, bool exhausted)
{
	char text[sizeof(why->text) + 200];

	if (!exhausted)
		snprintf(text, sizeof(text), "%s: %s", retry->what, why->text);
	else
		snprintf(text, sizeof(text),
			 "%s: %s, %d times: when it is back, restart the task and it "
			 "goes on "
			 "from there",
			 retry->what, why->text, RETRY_TRIES);
	return retry->host->fail_with(retry->run, why->code, text);
}

int retry_run(struct retry *retry)
{
	for (int tries = 1;;) {
		struct err why = {0};
		int ret = retry->host->gate(retry->run);

		if (ret)
			return ret;
		retry->progressed = false;
		ret = retry->once(retry->context, &why);
		if (ret == 0)
			return 0;
		if (ret == -EINTR) /* paused: not a failure */
			continue;
		if (retry->progressed)
			tries = 1;
		if (ret != -EAGAIN || tries == RETRY_TRIES)
			return give_up(retry, &why, ret == -EAGAIN);
		ret = wait_for_next(retry, tries++, &why);
		if (ret)
			return ret;
	}
}
