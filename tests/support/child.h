/* A program that a test starts and that cannot outlive the test. */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid;  /* 0 while it is not running */
	int status; /* from waitpid(), once it has ended */
};

/* Starts argv[0] with this environment plus extra ("KEY=value", NULL-terminated;
 * variables beginning with OPENSCAN_ are not inherited).  Its output is appended to the
 * file log.  Call it from the main thread: the child dies with the thread that started
 * it.
 */
int child_start(struct child *child, const char *const argv[], const char *const extra[],
		const char *log);

/* Sends a signal; does nothing when it is not running. */
void child_signal(struct child *child, int signal);

/* True when it has ended within timeout_ms; child->status says how. */
bool child_wait(struct child *child, int64_t timeout_ms);

/* kill -9, and waits until it is gone. */
void child_kill(struct child *child);

#endif
