/* Monotonic time, and limits that TEST_PATIENCE multiplies. */
#include "tests/support/deadline.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

int64_t deadline_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t deadline_patient(int64_t ms)
{
	const char *factor = getenv("TEST_PATIENCE");
	double times = factor ? strtod(factor, NULL) : 1;

	return times > 0 ? (int64_t)((double)ms * times) : ms;
}

void deadline_let_pass(int64_t ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}
