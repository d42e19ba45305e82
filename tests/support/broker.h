/* A real mosquitto of the test's own, on a free port of this machine. */
#ifndef TESTS_SUPPORT_BROKER_H
#define TESTS_SUPPORT_BROKER_H

#include <limits.h>
#include <stdbool.h>

#include "tests/support/child.h"

struct broker {
	struct child child;
	int port;
	bool persistence; /* keeps retained messages and sessions over broker_stop() */
	char folder[PATH_MAX];
	char more[4096]; /* further lines of its configuration, for the next start */
};

/* Starts it below folder (an existing one) and returns when it takes connections. */
int broker_start(struct broker *broker, const char *folder, bool persistence);

/* Starts it again, on the same port and with the same files. */
int broker_restart(struct broker *broker);

/* Opens one more listener with these options ("protocol websockets\n"): starts the broker
 * again, and returns the listener's port when it takes connections, or a negative errno.
 */
int broker_listen(struct broker *broker, const char *options);

/* In order (it saves what it has), or kill -9. */
void broker_stop(struct broker *broker);
void broker_kill(struct broker *broker);

#endif
