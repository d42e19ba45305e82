#include "tasks/cloud/retry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/clock.h"

#define FIRST_WAIT_MS 1000
#define LONGEST_WAIT_MS 60000

int attempt_status(int status, struct err *err)
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

/* Up to a quarter less or more, so that a fleet does not knock all at once. */
static int64_t waiting(int tries)
{
	int64_t wait = FIRST_WAIT_MS;

	while (--tries > 0 && wait < LONGEST_WAIT_MS)
		wait *= 2;
	if (wait > LONGEST_WAIT_MS)
		wait = LONGEST_WAIT_MS;
	return wait + wait / 4 - clock_monotonic_ns() % (wait / 2);
}

static int wait_for_next(const struct attempt *attempt, int tries, const struct err *why)
{
	int64_t wait = waiting(tries);
	char text[sizeof(why->text) + 200];

	snprintf(text, sizeof(text), "%s: %s; trying again in %.0f s (try %d of %d)",
		 attempt->what, why->text, (double)wait / 1000, tries + 1, ATTEMPTS);
	attempt->host->log(attempt->run, TASK_LOG_WARN, text);
	return attempt->host->sleep(attempt->run, wait);
}

static int give_up(const struct attempt *attempt, const struct err *why, bool tired)
{
	char text[sizeof(why->text) + 200];

	if (!tired)
		snprintf(text, sizeof(text), "%s: %s", attempt->what, why->text);
	else
		snprintf(text, sizeof(text),
			 "%s: %s, %d times: when it is back, restart the task and it "
			 "goes on "
			 "from there",
			 attempt->what, why->text, ATTEMPTS);
	return attempt->host->explain(attempt->run, why->code, text);
}

int attempt_all(struct attempt *attempt)
{
	for (int tries = 1;;) {
		struct err why = {0};
		int ret = attempt->host->gate(attempt->run);

		if (ret)
			return ret;
		attempt->progressed = false;
		ret = attempt->once(attempt->context, &why);
		if (ret == 0)
			return 0;
		if (ret == -EINTR) /* a pause is no failure */
			continue;
		if (attempt->progressed)
			tries = 1;
		if (ret != -EAGAIN || tries == ATTEMPTS)
			return give_up(attempt, &why, ret == -EAGAIN);
		ret = wait_for_next(attempt, tries++, &why);
		if (ret)
			return ret;
	}
}
