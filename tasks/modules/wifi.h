/* The module "wifi": controls NetworkManager over the system bus. */
#ifndef TASKS_MODULES_WIFI_H
#define TASKS_MODULES_WIFI_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "tasks/modules/wifi_code.h"

/* How join() waits.  sleep() returns 0, or another value to end join() with it. */
struct wifi_sleeper {
	void *context;
	int (*sleep)(void *context, int64_t ms);
};

struct wifi_module {
	/* Is a wired or Wi-Fi network connected?  -ENOTCONN when NetworkManager cannot be
	 * asked. */
	int (*connected)(bool *connected, struct err *err);

	/* Is NetworkManager still starting up, activating connections by itself? */
	int (*starting)(bool *starting, struct err *err);

	/* Turns Wi-Fi on, adds a connection and waits until it is active.  One that does
	 * not become active is removed again; one that an earlier call made for the same
	 * network is replaced. */
	int (*join)(const struct wifi_code *code, const struct wifi_sleeper *sleeper,
		    struct err *err);
};

extern const struct wifi_module module_wifi;

#endif
