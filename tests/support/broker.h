/* A real mosquitto for one test, on a free port of this machine. */
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
	char more[4096]; /* additional lines of its configuration, for the next start */
};

/* Starts it with its files in an existing folder, and returns when it accepts
 * connections. */
int broker_start(struct broker *broker, const char *folder, bool persistence);

/* Starts it again, on the same port and with the same files. */
int broker_restart(struct broker *broker);

/* Opens another listener with these options ("protocol websockets
 * "): restarts the broker, and returns the listener's port when it accepts connections,
 * or a negative errno. */
int broker_listen(struct broker *broker, const char *options);

/* Stops it in an orderly way (it saves its state), or by kill -9. */
void broker_stop(struct broker *broker);
void broker_kill(struct broker *broker);

#endif
