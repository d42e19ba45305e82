/* Supervises one program and everything it starts: starts it, enforces its limits,
 * freezes, thaws and ends it.  Where there is a PID namespace, the supervisor is its
 * first process.
 *
 * A socket connects it to the agent.  Each byte received is an order, each line sent is a
 * report; when the socket is closed, for whatever reason, everything here is killed. */
#ifndef TASKS_COMMUNITY_HOST_SUPERVISOR_H
#define TASKS_COMMUNITY_HOST_SUPERVISOR_H

#include <stdint.h>

#include "tasks/community/host/isolation.h"

#define SUPERVISOR_SOCKET 3 /* the descriptor */

/* Orders. */
#define SUPERVISOR_FREEZE 'f'
#define SUPERVISOR_THAW 'w'
#define SUPERVISOR_KILL 'k'

/* SIGTERM after a second, SIGKILL after kill_after_ms. */
#define SUPERVISOR_TERMINATE 'e'

/* Reports: one line each, a word and its value.
 * "failed": a sentence; a limit was exceeded, or the program could not be started.
 * "exit": the exit code.  "signal": the number of the signal that ended it.
 * "frozen": no value; the order to freeze has been carried out. */
#define SUPERVISOR_FAILED "failed"
#define SUPERVISOR_EXIT "exit"
#define SUPERVISOR_SIGNAL "signal"
#define SUPERVISOR_FROZEN "frozen"

/* What the program and all its descendants together may use. */
struct limits {
	enum isolation isolation;
	int64_t memory, folder; /* bytes: memory, and files in the working folder */
	int processes, files, nice;
	int64_t kill_after_ms; /* from the order to terminate to SIGKILL */
};

/* Starts command in the current folder and returns when none of its processes is left. */
void supervisor_run(const struct limits *limits, char *const command[]);

#endif
